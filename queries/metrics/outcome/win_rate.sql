/*---
title      = "Win rate"
question   = "Of the opportunities we closed, how many did we win?"
definition = "Won / (won + lost), by the day of closing. Renewals and opportunities closed as disqualified or duplicate do not count. The touch band is how many touches the opportunity has had."
aliases    = ["close rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["competitor", "tenure_band", "segment", "industry", "kind", "touch_band"]
pairs      = ["competitor*segment"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities"]
minimum_n  = 10
---*/
WITH touches AS (
    SELECT opportunity_id, COUNT(*) AS touches
    FROM activities
    -- What the metric `touches` counts.
    WHERE opportunity_id IS NOT NULL AND is_completed
        AND (
            (kind = 'call' AND direction = 'outbound')
            OR (kind IN ('email', 'meeting') AND direction IS DISTINCT FROM 'inbound')
        )
    GROUP BY opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    CASE WHEN o.is_won THEN 1 ELSE 0 END AS numerator,
    1 AS denominator,
    o.competitor,
    a.segment,
    a.industry,
    o.kind,
    CASE
        WHEN t.touches >= 8 THEN '8+'
        WHEN t.touches >= 4 THEN '4-7'
        WHEN t.touches >= 1 THEN '1-3'
    END AS touch_band
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
LEFT JOIN touches AS t ON t.opportunity_id = o.opportunity_id
WHERE o.closed_as IN ('won', 'lost') AND o.kind IS DISTINCT FROM 'renewal'
