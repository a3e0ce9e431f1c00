/*---
title      = "New customers"
question   = "How many customers bought from us for the first time?"
definition = "Customers (an account's ultimate parent) whose first won opportunity closed in the period, for the owner of that opportunity."
aliases    = ["new logos"]
unit       = "count"
measure    = "flow"
aggregate  = "distinct"
better     = "higher"
record     = "accounts"
slices     = ["segment", "source"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "accounts"]
---*/
WITH won AS (
    SELECT
        c.customer_id,
        o.credited_rep_id,
        o.closed_on,
        o.source,
        ROW_NUMBER() OVER (PARTITION BY c.customer_id ORDER BY o.closed_on, o.opportunity_id) AS place
    FROM opportunities AS o
    JOIN customers AS c ON c.account_id = o.account_id
    WHERE o.closed_as = 'won'
)
SELECT
    w.customer_id AS record_id,
    w.credited_rep_id AS rep_id,
    w.closed_on AS event_date,
    a.segment,
    w.source
FROM won AS w
LEFT JOIN accounts AS a ON a.account_id = w.customer_id
WHERE w.place = 1
