/*---
title      = "Deal size"
question   = "How large is a deal?"
definition = "The mean amount of won deals."
unit       = "money"
measure    = "flow"
aggregate  = "mean"
better     = "neither"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "tenure_band", "product"]
multi      = ["product"]
cadence    = ["month", "year"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    closed_on AS event_date,
    COALESCE(amount, 0) AS value,
    kind,
    STRING_TO_ARRAY(next_step, ';') AS product
FROM opportunities
WHERE closed_as = 'won'
