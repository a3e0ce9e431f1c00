/*---
title      = "Exchange rate effect"
question   = "How much of what we sold did exchange rates give or take?"
definition = "Of every won opportunity with an amount at the plan's rate: its amount at the market's rate of the day it closed, less its amount at the plan's rate. Deals in the company's own currency add nought."
aliases    = ["currency effect", "FX impact"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "neither"
record     = "opportunities"
slices     = ["currency"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "exchange_rates"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    closed_on AS event_date,
    amount - amount_at_plan AS value,
    currency
FROM opportunities
WHERE closed_as = 'won' AND amount_at_plan IS NOT NULL
