/*---
title      = "Units sold"
question   = "How many pieces did we sell?"
definition = "The quantities on the lines of won opportunities, on the day those closed, for their owner on that day. An opportunity without lines adds nothing."
aliases    = ["quantity sold", "volume"]
unit       = "count"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["product"]
allocated  = ["product"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities", "opportunity_lines"]
---*/
WITH sold AS (
    SELECT
        l.opportunity_id,
        SUM(l.quantity) AS units,
        ARRAY_AGG(NAMED_STRUCT('name', p.name, 'value', l.quantity) ORDER BY l.line_id) AS product
    FROM opportunity_lines AS l
    LEFT JOIN products AS p ON p.product_id = l.product_id
    GROUP BY l.opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    s.units AS value,
    s.product
FROM opportunities AS o
JOIN sold AS s ON s.opportunity_id = o.opportunity_id
WHERE o.closed_as = 'won'
