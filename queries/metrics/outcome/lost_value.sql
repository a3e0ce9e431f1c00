/*---
title      = "Value lost"
question   = "How much did we lose, and why?"
definition = "The amount of opportunities closed as lost, on the day they closed, for their owner on that day. Disqualified ones and duplicates are not lost."
aliases    = ["closed-lost value"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "lower"
record     = "opportunities"
facts      = "deals_lost"
value      = "amount"
credit     = "revenue"
slices     = ["loss_reason"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
---*/
