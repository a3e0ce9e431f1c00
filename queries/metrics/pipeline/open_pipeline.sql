/*---
title      = "Open pipeline"
question   = "How much is still to be won?"
definition = "The amount of all open opportunities as they stood on the measuring day, for who owned them then: the period's last day, or the date of the report if that is earlier. Due is what was to close within the period."
aliases    = ["pipeline", "open opportunities value"]
unit       = "money"
measure    = "stock"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
trace      = [
    { table = "opportunity_nights", record = "opportunity_id", day = "valid_from" },
    { table = "opportunity_history", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
    { table = "opportunity_owners", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
]
slices     = ["stage", "kind"]
cadence    = ["week", "month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities", "opportunity_history"]
---*/
SELECT
    v.opportunity_id AS record_id,
    v.credited_rep_id AS rep_id,
    v.valid_from,
    v.valid_to,
    COALESCE(v.amount, 0) AS value,
    v.closed_on AS due_on,
    v.stage,
    o.kind
FROM opportunity_versions AS v
-- A deal that was deleted since stood open then.
LEFT JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
WHERE v.closed_as IS NULL
