/*---
title      = "Days of a deal"
question   = "How long does a deal take?"
definition = "The median number of days from creation to winning, over three months."
unit       = "days"
measure    = "flow"
aggregate  = "median"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["role", "product"]
multi      = ["product"]
window     = "3 months"
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    closed_on AS event_date,
    CAST(closed_on AS INT) - CAST(created_on AS INT) AS value,
    STRING_TO_ARRAY(next_step, ';') AS product
FROM opportunities
WHERE closed_as = 'won'
