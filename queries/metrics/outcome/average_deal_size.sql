/*---
title      = "Average deal size"
question   = "How large is a deal that we win?"
definition = "The mean amount of won opportunities, on the day they closed, for their owner on that day. One without an amount is one of nought; of a shared one each has a share, which weighs as much."
aliases    = ["average selling price", "average order value"]
unit       = "money"
measure    = "flow"
aggregate  = "mean"
better     = "higher"
record     = "opportunities"
facts      = "bookings"
credit     = "revenue"
slices     = ["segment", "kind"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
minimum_n  = 5
---*/
