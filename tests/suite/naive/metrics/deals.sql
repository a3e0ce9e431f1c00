/*---
title      = "Deals"
question   = "How many deals did we win?"
definition = "Won deals. Those from the web stand apart."
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "role", "product", "source"]
pairs      = ["kind*role"]
multi      = ["product"]
apart      = ["source"]
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    closed_on AS event_date,
    kind,
    STRING_TO_ARRAY(next_step, ';') AS product,
    CASE WHEN source = 'Web' THEN source END AS source
FROM opportunities
WHERE closed_as = 'won'
