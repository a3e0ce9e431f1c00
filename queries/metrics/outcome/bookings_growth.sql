/*---
title      = "Bookings growth"
question   = "Do we sell more than in the period before?"
definition = "Bookings / bookings of the period before - 1. In a period that is not over, the same first working days of the period before. Empty if nothing, or less, was booked then."
aliases    = ["sequential growth", "period over period"]
unit       = "percent"
better     = "higher"
formula    = "bookings / previous(bookings) - 1"
slices     = ["kind"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
---*/
