/*---
title      = "Pipeline created"
question   = "How much new pipeline did we find?"
definition = "The amount, as it stands today, of opportunities by the day they were created, for the rep who sourced them or, where none is named, for their owner. What was closed as a duplicate of another is none."
aliases    = ["new pipeline", "pipeline generated"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
facts      = "opportunities_created"
value      = "amount"
slices     = ["segment", "source", "kind"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities"]
---*/
