/*---
title      = "Effort"
question   = "How much work was it?"
definition = "Days from creation to winning, with twelve digits after the point, so that shares lose some."
unit       = "hours"
measure    = "flow"
aggregate  = "sum"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["role"]
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    closed_on AS event_date,
    (CAST(closed_on AS INT) - CAST(created_on AS INT)) * CAST('1.000000000007' AS DECIMAL(20, 12)) AS value
FROM opportunities
WHERE closed_as = 'won'
