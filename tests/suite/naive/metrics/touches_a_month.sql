/*---
title      = "Touches by the month"
question   = "How many deals do we touch?"
definition = "Deals touched over the months of the period."
unit       = "count"
better     = "higher"
formula    = "deals_touched / months()"
slices     = []
cadence    = ["week", "month"]
---*/
