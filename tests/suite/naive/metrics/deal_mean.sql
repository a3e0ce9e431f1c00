/*---
title      = "Mean of deals"
question   = "How large is a deal?"
definition = "Bookings over deals, of three months."
unit       = "money"
better     = "higher"
formula    = "bookings / deals"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
window     = "3 months"
---*/
