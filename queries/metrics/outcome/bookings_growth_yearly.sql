/*---
title      = "Bookings growth in a year"
question   = "Do we sell more than a year ago?"
definition = "Bookings / bookings of the same period a year before - 1. In a period that is not over, the same first working days a year before. Empty if nothing, or less, was booked then."
aliases    = ["year over year growth"]
unit       = "percent"
better     = "higher"
formula    = "bookings / year_before(bookings) - 1"
slices     = ["kind"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
---*/
