/*---
title      = "Days open, of the oldest tenth"
question   = "How long have the deals been open that wait longest?"
definition = "Days since their creation that nine deals of ten have not been open for longer."
unit       = "days"
measure    = "stock"
aggregate  = { percentile = 0.9 }
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
facts      = "open_days"
---*/
