/*---
title      = "Moved"
question   = "What came and is due?"
definition = "What is open and due less what was at the start."
unit       = "money"
better     = "neither"
formula    = "open_value + due(open_value) - at_start(open_value)"
slices     = ["kind", "product"]
cadence    = ["month", "quarter"]
---*/
