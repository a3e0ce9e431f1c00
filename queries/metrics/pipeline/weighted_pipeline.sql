/*---
title      = "Weighted pipeline"
question   = "How much of the pipeline may we expect?"
definition = "Of all open opportunities as they stood on the measuring day: amount x the stage's probability in the CRM, each rounded to the cent. The expected month is that of the close date as it stood then; due is what was to close within the period."
aliases    = ["expected revenue", "probable pipeline"]
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
slices     = ["expected_month", "stage", "kind"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "stages"]
---*/
SELECT
    v.opportunity_id AS record_id,
    v.credited_rep_id AS rep_id,
    v.valid_from,
    v.valid_to,
    -- A probability is in percent. A stage that nobody knows promises nothing.
    CAST(
        CAST(COALESCE(v.amount, 0) AS DECIMAL(20, 2)) * CAST(COALESCE(v.probability, 0) AS DECIMAL(9, 6))
        * CAST('0.01' AS DECIMAL(3, 2)) AS DECIMAL(20, 2)
    ) AS value,
    v.closed_on AS due_on,
    SUBSTR(CAST(v.closed_on AS VARCHAR), 1, 7) AS expected_month,
    v.stage,
    o.kind
FROM opportunity_versions AS v
LEFT JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
WHERE v.closed_as IS NULL
