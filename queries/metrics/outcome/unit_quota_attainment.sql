/*---
title      = "Unit quota attainment"
question   = "How much of the quota in pieces did we sell?"
definition = "Units sold / the quota in units of the same days, which is spread evenly over its working days. A product's units are held against the whole quota."
aliases    = ["volume attainment"]
unit       = "percent"
better     = "higher"
formula    = "units_sold / target(units_sold)"
empty      = "without a quota there is nothing to attain"
slices     = ["product"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities", "opportunity_lines", "targets"]
---*/
