/*---
title      = "Open opportunities"
question   = "How many deals are we working on?"
definition = "Opportunities that were open on the measuring day: the period's last day, or the date of the report if that is earlier. Too many go unattended, too few miss the quota."
aliases    = ["open deals", "deal count"]
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "range"
record     = "opportunities"
facts      = "open_pipeline"
slices     = ["stage", "kind"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history"]
---*/
