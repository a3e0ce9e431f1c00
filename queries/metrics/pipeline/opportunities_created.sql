/*---
title      = "Opportunities created"
question   = "How many new deals did we find?"
definition = "Opportunities by the day they were created, for the rep who sourced them or, where none is named, for their owner. What was closed as a duplicate of another is none."
aliases    = ["new opportunities", "deals opened"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "opportunities"
slices     = ["segment", "source", "kind"]
cadence    = ["week", "month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities"]
---*/
SELECT
    o.opportunity_id AS record_id,
    COALESCE(o.sourced_by_rep_id, o.credited_rep_id) AS rep_id,
    o.created_on AS event_date,
    -- For pipeline_created, which shares these facts.
    COALESCE(o.amount, 0) AS amount,
    a.segment,
    o.source,
    o.kind
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as IS DISTINCT FROM 'duplicate'
