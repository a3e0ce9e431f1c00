/*---
title      = "Value of open deals"
question   = "How much is open?"
definition = "Amounts of deals from their creation up to the day they close. Those of a kind are due some days later."
unit       = "money"
measure    = "stock"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["kind", "product"]
multi      = ["product"]
cadence    = ["month", "quarter"]
needs      = ["opportunities"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    created_on AS valid_from,
    CASE WHEN closed_as IS NOT NULL THEN closed_on END AS valid_to,
    COALESCE(amount, 0) AS value,
    CASE WHEN kind IS NOT NULL THEN closed_on + INTERVAL '20 days' END AS due_on,
    kind,
    STRING_TO_ARRAY(next_step, ';') AS product
FROM opportunities
