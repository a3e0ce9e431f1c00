/*---
title      = "Open deals"
question   = "How many deals are open?"
definition = "Deals from their creation up to the day they close."
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "neither"
record     = "opportunities"
credit     = "revenue"
slices     = ["role", "tenure_band", "product"]
pairs      = ["role*tenure_band"]
multi      = ["product"]
cadence    = ["week", "month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    created_on AS valid_from,
    CASE WHEN closed_as IS NOT NULL THEN closed_on END AS valid_to,
    STRING_TO_ARRAY(next_step, ';') AS product
FROM opportunities
