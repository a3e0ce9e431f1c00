/*---
title      = "Days open, median"
question   = "How long have our deals been open?"
definition = "Days since their creation: the median."
unit       = "days"
measure    = "stock"
aggregate  = "median"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
facts      = "open_days"
---*/
