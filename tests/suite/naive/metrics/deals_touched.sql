/*---
title      = "Deals touched"
question   = "How many deals do we work on?"
definition = "Opportunities with an activity within thirty days."
unit       = "count"
measure    = "flow"
aggregate  = "distinct"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["role"]
window     = "30 days"
cadence    = ["week", "month"]
needs      = ["activities"]
---*/
SELECT DISTINCT opportunity_id AS record_id, rep_id, happened_on AS event_date
FROM activities
WHERE opportunity_id IS NOT NULL
