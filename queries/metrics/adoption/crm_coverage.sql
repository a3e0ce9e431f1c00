/*---
title      = "CRM coverage"
question   = "Of our open deals, on how many does the CRM show recent work?"
definition = "Open opportunities with an activity that took place in the fourteen days up to the measuring day / open opportunities, on the period's last day or the date of the report, for who owned them then. Any activity counts, whosever it is."
aliases    = ["pipeline hygiene", "activity logging"]
unit       = "percent"
better     = "higher"
formula    = "covered_opportunities / open_opportunities"
slices     = ["stage"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "activities"]
---*/
