/*---
title      = "Deals won"
question   = "How many deals did we win?"
definition = "Won opportunities, on the day they closed, for their owner on that day; of a shared one each has a share."
aliases    = ["closed-won deals", "orders"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "opportunities"
facts      = "bookings"
credit     = "revenue"
slices     = ["kind", "segment", "source"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities"]
---*/
