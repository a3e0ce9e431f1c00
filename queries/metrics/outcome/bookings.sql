/*---
title      = "Bookings"
question   = "How much did we sell?"
definition = "The amount of every won opportunity, on the day it closed, for its owner on that day."
aliases    = ["sales", "closed won", "revenue booked"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
plan       = "plan_value"
slices     = ["kind", "segment", "industry", "source"]
pairs      = ["kind*segment"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities"]
---*/
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
    o.source
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won'
