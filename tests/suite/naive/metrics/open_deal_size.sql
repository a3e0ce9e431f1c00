/*---
title      = "Size of open deals"
question   = "How large are our open deals?"
definition = "The median amount of open deals."
unit       = "money"
measure    = "stock"
aggregate  = "median"
better     = "higher"
record     = "opportunities"
slices     = ["stage", "role", "tenure_band"]
cadence    = ["month", "quarter"]
needs      = ["opportunities", "opportunity_history"]
---*/
SELECT
    v.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    v.valid_from,
    v.valid_to,
    COALESCE(v.amount, 0) AS value,
    v.stage
FROM opportunity_versions AS v
JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
WHERE v.closed_as IS NULL
