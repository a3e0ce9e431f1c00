/*---
title      = "Days open"
question   = "How long have our deals been open?"
definition = "Days since their creation, of deals up to the day they close."
unit       = "days"
measure    = "stock"
aggregate  = "mean"
better     = "lower"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "role"]
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    created_on AS valid_from,
    CASE WHEN closed_as IS NOT NULL THEN closed_on END AS valid_to,
    created_on AS since,
    kind
FROM opportunities
