/*---
title      = "Gross profit"
question   = "What was left of our sales after the cost of what we sold?"
definition = "Amount - the cost of all lines, of won opportunities, on the day they closed, for their owner on that day. An opportunity without lines, or with a line whose cost is not known, does not count. By product it is each line's amount - cost; what the lines leave of the profit is `(unallocated)`."
aliases    = ["gross margin in money", "contribution"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["product", "segment"]
allocated  = ["product"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_lines"]
---*/
WITH lines AS (
    SELECT
        l.opportunity_id, l.line_id, p.name, l.cost, COALESCE(l.amount, 0) AS amount,
        COALESCE(l.amount, 0) - COALESCE(l.cost, 0) AS profit
    FROM opportunity_lines AS l
    LEFT JOIN products AS p ON p.product_id = l.product_id
),
sold AS (
    SELECT
        opportunity_id,
        SUM(cost) AS cost,
        COUNT(*) - COUNT(cost) AS unknown,
        ARRAY_AGG(
            NAMED_STRUCT('name', name, 'value', profit, 'numerator', profit, 'denominator', amount) ORDER BY line_id
        ) AS product
    FROM lines
    GROUP BY opportunity_id
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    COALESCE(o.amount, 0) - s.cost AS value,
    -- For gross_margin, which shares these facts.
    COALESCE(o.amount, 0) - s.cost AS numerator,
    COALESCE(o.amount, 0) AS denominator,
    s.product,
    a.segment
FROM opportunities AS o
JOIN sold AS s ON s.opportunity_id = o.opportunity_id
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won' AND s.unknown = 0
