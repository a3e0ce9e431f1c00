/*---
title      = "Rate of a year"
question   = "How much do we sell in a month?"
definition = "Bookings and their target of twelve months, by the month."
unit       = "money"
better     = "higher"
formula    = "(bookings - target(bookings)) / months()"
slices     = ["source"]
cadence    = ["month", "quarter"]
window     = "12 months"
---*/
