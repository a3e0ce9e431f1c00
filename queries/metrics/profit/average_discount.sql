/*---
title      = "Average discount"
question   = "How much of the list price do we give away?"
definition = "(List price - amount) / list price, of all lines of won opportunities that have both, on the day those closed, for their owner on that day. What was sold above its list price takes from the discount."
aliases    = ["discount rate", "price leakage"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["product", "segment"]
allocated  = ["product"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_lines"]
---*/
WITH sold AS (
    SELECT
        l.opportunity_id,
        SUM(l.list_amount - l.amount) AS given,
        SUM(l.list_amount) AS list_amount,
        ARRAY_AGG(
            NAMED_STRUCT('name', p.name, 'numerator', l.list_amount - l.amount, 'denominator', l.list_amount)
            ORDER BY l.line_id
        ) AS product
    FROM opportunity_lines AS l
    LEFT JOIN products AS p ON p.product_id = l.product_id
    WHERE l.list_amount IS NOT NULL AND l.amount IS NOT NULL
    GROUP BY l.opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    s.given AS numerator,
    s.list_amount AS denominator,
    s.product,
    a.segment
FROM opportunities AS o
JOIN sold AS s ON s.opportunity_id = o.opportunity_id
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won'
