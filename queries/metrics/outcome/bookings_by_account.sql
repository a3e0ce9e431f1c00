/*---
title      = "Bookings by account"
question   = "Who buys how much from us?"
definition = "Bookings by the account that bought: the amount of every won opportunity, on the day it closed, for its owner on that day. Of accounts with one name each has its id beside it."
aliases    = ["sales by customer"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["account", "segment"]
cadence    = ["month", "quarter", "year"]
levels     = ["team", "region", "company"]
needs      = ["opportunities", "accounts"]
---*/
WITH named AS (
    SELECT
        account_id,
        segment,
        CASE WHEN COUNT(*) OVER (PARTITION BY name) > 1 THEN name || ' (' || account_id || ')' ELSE name END AS account
    FROM accounts
)
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    COALESCE(o.amount, 0) AS value,
    a.account,
    a.segment
FROM opportunities AS o
LEFT JOIN named AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won'
