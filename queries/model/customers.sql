/*---
reads = ["accounts"]
---*/
-- Each step climbs to the parent. Twenty steps are more than any group of companies has; a circle of parents ends there.
WITH RECURSIVE climbed AS (
    SELECT account_id, account_id AS customer_id, 0 AS steps
    FROM accounts
    UNION ALL
    SELECT c.account_id, a.parent_account_id AS customer_id, c.steps + 1 AS steps
    FROM climbed AS c
    JOIN accounts AS a ON a.account_id = c.customer_id
    WHERE a.parent_account_id IS NOT NULL AND c.steps < 20
),
highest AS (
    SELECT account_id, customer_id, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY steps DESC) AS place
    FROM climbed
)
SELECT account_id, customer_id
FROM highest
WHERE place = 1
