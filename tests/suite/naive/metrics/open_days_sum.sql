/*---
title      = "Days open, sum"
question   = "How long have our deals been open?"
definition = "Days since their creation: the sum."
unit       = "days"
measure    = "stock"
aggregate  = "sum"
better     = "lower"
record     = "opportunities"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
facts      = "open_days"
---*/
