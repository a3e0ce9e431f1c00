/*---
title      = "Acquisition cost"
question   = "What did we spend to win customers?"
definition = "Sales and marketing costs on the day they were booked."
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "lower"
record     = "costs"
slices     = ["source"]
cadence    = ["month", "quarter"]
levels     = ["company"]
needs      = ["costs"]
hidden     = true
---*/
SELECT
    cost_id AS record_id,
    CAST(NULL AS VARCHAR) AS rep_id,
    spent_on AS event_date,
    amount AS value,
    -- What serves all sources is not held against the customers who name none.
    COALESCE(source, '(not by source)') AS source
FROM costs
