/*---
title      = "Pipeline velocity"
question   = "How much does the pipeline bring in a day?"
definition = "Open opportunities on the measuring day x win rate x average deal size / mean sales cycle in days, the last three over the twelve months up to the period's end or the date of the report."
aliases    = ["sales velocity"]
unit       = "money"
better     = "higher"
formula    = "open_opportunities * win_rate * average_deal_size / mean_sales_cycle_days"
window     = "12 months"
cadence    = ["month", "quarter"]
needs      = ["opportunities", "opportunity_history"]
minimum_n  = 5
---*/
