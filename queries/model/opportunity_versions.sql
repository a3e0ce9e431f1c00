/*---
reads = ["opportunities", "opportunity_history", "stages"]
---*/
-- Of several changes on one day the last one stands. A deal without history has stood as it is since it was created,
-- and if it is closed, it was open until then, in a stage that no one knows. A stage that is not mapped is not open.
WITH last_of_day AS (
    SELECT
        h.opportunity_id, h.changed_on, h.source_stage, h.amount, h.closed_on, o.credited_rep_id,
        ROW_NUMBER() OVER (
            PARTITION BY h.opportunity_id, h.changed_on ORDER BY h.changed_at DESC, h.history_id DESC
        ) AS place
    FROM opportunity_history AS h
    JOIN opportunities AS o ON o.opportunity_id = h.opportunity_id
),
from_history AS (
    SELECT
        d.opportunity_id,
        d.changed_on AS valid_from,
        LEAD(d.changed_on) OVER (PARTITION BY d.opportunity_id ORDER BY d.changed_on) AS valid_to,
        d.source_stage,
        s.stage,
        s.position,
        s.probability,
        CASE WHEN s.source_stage IS NULL THEN 'unknown' ELSE s.closed_as END AS closed_as,
        d.amount,
        d.closed_on,
        d.credited_rep_id
    FROM last_of_day AS d
    LEFT JOIN stages AS s ON s.source_stage = d.source_stage
    WHERE d.place = 1
),
without_history AS (
    SELECT
        o.opportunity_id,
        o.created_on AS valid_from,
        CASE WHEN o.closed_as IS NULL THEN CAST(NULL AS DATE) ELSE o.closed_on END AS valid_to,
        o.source_stage,
        CASE WHEN o.closed_as IS NULL THEN o.stage END AS stage,
        CASE WHEN o.closed_as IS NULL THEN s.position END AS position,
        CASE WHEN o.closed_as IS NULL THEN s.probability END AS probability,
        CAST(NULL AS VARCHAR) AS closed_as,
        o.amount,
        o.closed_on,
        o.credited_rep_id
    FROM opportunities AS o
    LEFT JOIN stages AS s ON s.source_stage = o.source_stage
    LEFT ANTI JOIN opportunity_history AS h ON h.opportunity_id = o.opportunity_id
    WHERE o.closed_as IS NULL OR o.closed_on > o.created_on
)
SELECT
    opportunity_id, valid_from, valid_to, source_stage, stage, position, probability, closed_as, amount, closed_on,
    credited_rep_id, TRUE AS reconstructed
FROM from_history
UNION ALL
SELECT
    opportunity_id, valid_from, valid_to, source_stage, stage, position, probability, closed_as, amount, closed_on,
    credited_rep_id, TRUE AS reconstructed
FROM without_history
