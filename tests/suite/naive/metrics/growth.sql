/*---
title      = "Growth"
question   = "How much more do we sell?"
definition = "Bookings over those before."
unit       = "percent"
better     = "higher"
formula    = "bookings / previous(bookings) - 1"
slices     = ["kind"]
cadence    = ["month", "quarter", "year"]
---*/
