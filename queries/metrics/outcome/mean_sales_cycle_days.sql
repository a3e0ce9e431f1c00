/*---
title      = "Mean sales cycle"
question   = "How long does it take us to win a deal, on average?"
definition = "The mean number of days from an opportunity's creation to its winning, by the day it was won. A deal that is dated as won before it was created does not count."
aliases    = ["average time to close"]
unit       = "days"
measure    = "flow"
aggregate  = "mean"
better     = "lower"
record     = "opportunities"
facts      = "sales_cycle_days"
slices     = ["segment", "kind"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
minimum_n  = 5
---*/
