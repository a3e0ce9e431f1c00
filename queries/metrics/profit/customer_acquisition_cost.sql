/*---
title      = "Customer acquisition cost"
question   = "What does it cost us to win a customer?"
definition = "Sales and marketing costs / new customers, both of the three months up to the period's end or the date of the report. Costs come before the customers whom they win: in growth the number is too high, in decline too low. By source: only what was spent on that source alone."
aliases    = ["CAC", "cost per new customer"]
unit       = "money"
better     = "lower"
formula    = "acquisition_cost / new_customers"
window     = "3 months"
slices     = ["source"]
cadence    = ["month", "quarter"]
levels     = ["company"]
needs      = ["costs", "opportunities", "accounts"]
---*/
