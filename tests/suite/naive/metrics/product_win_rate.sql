/*---
title      = "Win rate of money by product"
question   = "How much by product?"
definition = "Won amounts of all that closed, shared over products."
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "product"]
allocated  = ["product"]
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
WITH parts AS (
    SELECT opportunity_id, UNNEST(STRING_TO_ARRAY(loss_reason, ';')) AS part
    FROM opportunities
    WHERE loss_reason IS NOT NULL
),
named AS (
    SELECT opportunity_id, NULLIF(SPLIT_PART(part, '=', 1), '') AS name, CAST(SPLIT_PART(part, '=', 2) AS DECIMAL(18, 2)) AS value
    FROM parts
),
shared AS (
    SELECT n.opportunity_id, ARRAY_AGG(NAMED_STRUCT('name', n.name, 'numerator', CASE WHEN o.closed_as = 'won' THEN n.value ELSE 0 END, 'denominator', n.value) ORDER BY n.name, n.value) AS product
    FROM named AS n
    JOIN opportunities AS o ON o.opportunity_id = n.opportunity_id
    GROUP BY n.opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    CASE WHEN o.closed_as = 'won' THEN COALESCE(o.amount, 0) ELSE 0 END AS numerator, COALESCE(o.amount, 0) AS denominator,
    o.kind,
    s.product
FROM opportunities AS o
LEFT JOIN shared AS s ON s.opportunity_id = o.opportunity_id
WHERE o.closed_as IN ('won', 'lost')
