/*---
title      = "Deals lost"
question   = "How many deals did we lose, and why?"
definition = "Opportunities closed as lost, on the day they closed, for their owner on that day; of a shared one each has a share. Disqualified ones and duplicates are not lost. The stage is the last open one."
aliases    = ["closed-lost deals"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["loss_reason", "competitor", "stage"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
---*/
WITH stood AS (
    SELECT
        opportunity_id,
        stage,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY valid_from DESC) AS place
    FROM opportunity_versions
    WHERE closed_as IS NULL
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    -- For lost_value, which shares these facts.
    COALESCE(o.amount, 0) AS amount,
    o.loss_reason,
    o.competitor,
    s.stage
FROM opportunities AS o
LEFT JOIN stood AS s ON s.opportunity_id = o.opportunity_id AND s.place = 1
WHERE o.closed_as = 'lost'
