/*---
title      = "Coverage"
question   = "Is there enough in the pipeline?"
definition = "The value of open deals over what is missing to both quotas."
unit       = "ratio"
better     = "higher"
formula    = "open_value / (next_target(bookings) + target(bookings) - bookings)"
slices     = ["kind"]
cadence    = ["month", "quarter"]
states     = { met = "bookings >= target(bookings)", idle = "bookings = 0 AND open_value = 0" }
---*/
