/*---
title      = "Stalled pipeline"
question   = "How much money is in deals that have stopped moving?"
definition = "The amount of stalled opportunities as it stood on the measuring day. Stalled is what had been open for longer than the company's mean sales cycle, or in its stage for longer than twice the mean time there, both of the twelve months up to the date of the report."
aliases    = ["stuck pipeline"]
unit       = "money"
measure    = "stock"
aggregate  = "sum"
better     = "lower"
record     = "opportunities"
facts      = "stalled_opportunities"
value      = "amount"
slices     = ["stage"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history"]
---*/
