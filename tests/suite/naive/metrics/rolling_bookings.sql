/*---
title      = "Bookings of three months"
question   = "How much do we sell in three months?"
definition = "Bookings, over three months."
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind"]
window     = "3 months"
cadence    = ["month", "quarter"]
facts      = "bookings"
---*/
