/*---
title      = "Customers touched"
question   = "To how many of our customers did we talk lately?"
definition = "Active customers with a touch (an outbound call, an e-mail that we sent, a meeting that took place) by anyone, with any account of the customer, in the ninety days up to the measuring day. Active is who bought in the twelve months up to it. Each counts for today's owner of the customer's account."
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "higher"
record     = "accounts"
slices     = ["segment"]
cadence    = ["month", "quarter", "year"]
needs      = ["activities", "opportunities", "accounts"]
hidden     = true
---*/
WITH bought AS (
    SELECT DISTINCT c.customer_id, o.closed_on
    FROM opportunities AS o
    JOIN customers AS c ON c.account_id = o.account_id
    WHERE o.closed_as = 'won'
),
-- Each purchase holds for twelve months, or up to the next one: so no customer is there twice.
active AS (
    SELECT
        customer_id,
        closed_on AS valid_from,
        LEAST(
            closed_on + INTERVAL '12 months', LEAD(closed_on) OVER (PARTITION BY customer_id ORDER BY closed_on)
        ) AS valid_to
    FROM bought
),
touched AS (
    SELECT DISTINCT c.customer_id, t.happened_on
    FROM activities AS t
    JOIN customers AS c ON c.account_id = t.account_id
    WHERE t.is_completed
        AND (
            (t.kind = 'call' AND t.direction = 'outbound')
            OR (t.kind IN ('email', 'meeting') AND t.direction IS DISTINCT FROM 'inbound')
        )
),
-- Each touch holds for ninety days, or up to the next one.
recent AS (
    SELECT
        customer_id,
        happened_on AS valid_from,
        LEAST(
            happened_on + INTERVAL '90 days', LEAD(happened_on) OVER (PARTITION BY customer_id ORDER BY happened_on)
        ) AS valid_to
    FROM touched
)
SELECT
    b.customer_id AS record_id,
    a.rep_id,
    GREATEST(b.valid_from, t.valid_from) AS valid_from,
    LEAST(b.valid_to, t.valid_to) AS valid_to,
    a.segment
FROM active AS b
JOIN recent AS t ON t.customer_id = b.customer_id AND t.valid_from < b.valid_to AND b.valid_from < t.valid_to
LEFT JOIN accounts AS a ON a.account_id = b.customer_id
