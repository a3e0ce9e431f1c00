/*---
title      = "Gross margin"
question   = "How much of each euro sold was left after the cost of what we sold?"
definition = "Gross profit / amount, of won opportunities whose lines all have a cost, on the day they closed. By product it is (amount - cost) / amount of the lines."
aliases    = ["margin", "gross profit rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "opportunities"
facts      = "gross_profit"
credit     = "revenue"
slices     = ["product", "segment"]
allocated  = ["product"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_lines"]
---*/
