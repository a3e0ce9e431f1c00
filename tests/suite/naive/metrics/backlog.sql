/*---
title      = "Backlog"
question   = "What is left?"
definition = "Open deals less those won before."
unit       = "count"
better     = "lower"
formula    = "open_deals - previous(deals)"
slices     = ["role"]
cadence    = ["month", "quarter"]
---*/
