/*---
title      = "Connect rate"
question   = "How often does a person answer when we call?"
definition = "Outbound calls with the outcome `Connected` / outbound calls, on the day they were made. A call without an outcome was not answered."
aliases    = ["answer rate", "pick-up rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "activities"
facts      = "calls_made"
slices     = ["hour_band", "weekday"]
cadence    = ["day", "week", "month", "quarter", "year"]
needs      = ["activities"]
minimum_n  = 20
---*/
