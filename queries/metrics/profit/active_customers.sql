/*---
title      = "Active customers"
question   = "How many customers do we have?"
definition = "Customers (an account's ultimate parent) with a won opportunity in the twelve months up to the measuring day: the period's last day, or the date of the report. Each counts for today's owner of the customer's account."
aliases    = ["customer base", "buying customers"]
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "higher"
record     = "accounts"
slices     = ["segment"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "accounts"]
---*/
WITH bought AS (
    SELECT DISTINCT c.customer_id, o.closed_on
    FROM opportunities AS o
    JOIN customers AS c ON c.account_id = o.account_id
    WHERE o.closed_as = 'won'
)
-- Each purchase holds for twelve months, or up to the next one: so no customer is there twice.
SELECT
    b.customer_id AS record_id,
    a.rep_id,
    b.closed_on AS valid_from,
    LEAST(
        b.closed_on + INTERVAL '12 months', LEAD(b.closed_on) OVER (PARTITION BY b.customer_id ORDER BY b.closed_on)
    ) AS valid_to,
    a.segment
FROM bought AS b
LEFT JOIN accounts AS a ON a.account_id = b.customer_id
