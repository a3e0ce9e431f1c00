/*---
title      = "Stalled opportunities"
question   = "Which deals have stopped moving?"
definition = "Opportunities that on the measuring day had been open for longer than the mean sales cycle, or in their stage for longer than twice the mean time that deals stayed in it. The means are the company's, of the twelve months up to the date of the report: of days from creation to winning, by the day of winning; and of days in a stage, by the day of leaving it. A deal comes back to a stage as if it were new there."
aliases    = ["stuck deals", "ageing deals"]
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "lower"
record     = "opportunities"
slices     = ["stage"]
cadence    = ["week", "month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities", "opportunity_history"]
---*/
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    valid_from,
    valid_to,
    -- For stalled_pipeline, which shares these facts.
    COALESCE(amount, 0) AS amount,
    stage
FROM stalls
