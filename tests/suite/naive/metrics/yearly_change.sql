/*---
title      = "Change in a year"
question   = "How many more deals do we win?"
definition = "Deals less those of a year before, and of the period before."
unit       = "count"
better     = "neither"
formula    = "2 * deals - year_before(deals) - previous(deals)"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
---*/
