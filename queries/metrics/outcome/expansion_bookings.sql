/*---
title      = "Expansion bookings"
question   = "How much more did our customers buy?"
definition = "The amount of won opportunities of the kind `expansion` (upgrades and additions at existing customers), on the day they closed, for their owner on that day."
aliases    = ["upsell", "cross-sell"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["segment"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
---*/
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    COALESCE(o.amount, 0) AS value,
    a.segment
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won' AND o.kind = 'expansion'
