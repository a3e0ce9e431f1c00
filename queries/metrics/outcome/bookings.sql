/*---
title      = "Bookings"
question   = "How much did we sell?"
definition = "The amount of every won opportunity, on the day it closed, for its owner on that day. By product it is shared out as the opportunity's lines say; what they leave of the amount is `(unallocated)`."
aliases    = ["sales", "closed won", "revenue booked"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
plan       = "plan_value"
slices     = ["kind", "segment", "industry", "source", "product"]
allocated  = ["product"]
pairs      = ["kind*segment"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities"]
---*/
WITH sold AS (
    SELECT
        l.opportunity_id,
        ARRAY_AGG(NAMED_STRUCT('name', p.name, 'value', COALESCE(l.amount, 0)) ORDER BY l.line_id) AS product
    FROM opportunity_lines AS l
    LEFT JOIN products AS p ON p.product_id = l.product_id
    GROUP BY l.opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    COALESCE(o.amount, 0) AS value,
    -- A currency that the plan has no rate for counts at the day's.
    COALESCE(o.amount_at_plan, o.amount, 0) AS plan_value,
    o.kind,
    a.segment,
    a.industry,
    o.source,
    s.product
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
LEFT JOIN sold AS s ON s.opportunity_id = o.opportunity_id
WHERE o.closed_as = 'won'
