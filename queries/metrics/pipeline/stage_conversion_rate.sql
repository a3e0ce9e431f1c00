/*---
title      = "Stage conversion rate"
question   = "Of the deals that leave a stage, how many go on?"
definition = "Opportunities that left an open stage for a later one, or were won / all that left it, by the day they left, for who owned them from that day on. A stage that was skipped counts as passed: such a deal stands on the line of each, and once in the total. Later is a higher position in the stages' common order; what was open in a stage that no one knows has left none."
aliases    = ["stage-to-stage conversion", "pass rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "opportunities"
trace      = [
    { table = "opportunity_nights", record = "opportunity_id", day = "valid_from" },
    { table = "opportunity_history", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
    { table = "opportunity_owners", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
]
slices     = ["from_stage"]
multi      = ["from_stage"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "stages"]
minimum_n  = 10
---*/
WITH steps AS (
    SELECT
        opportunity_id,
        stage,
        position,
        closed_as,
        valid_to,
        LEAD(valid_from) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS left_on,
        LEAD(stage) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_stage,
        LEAD(position) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_position,
        LEAD(closed_as) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_closed_as,
        LEAD(credited_rep_id) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS rep_id
    FROM opportunity_versions
),
moves AS (
    SELECT
        opportunity_id,
        rep_id,
        left_on,
        stage,
        position,
        -- Who has won has passed all that was left.
        CASE WHEN next_closed_as = 'won' THEN 1000000 ELSE next_position END AS reached,
        CASE
            WHEN next_closed_as = 'won' OR (next_closed_as IS NULL AND next_position > position) THEN 1
            ELSE 0
        END AS forward
    FROM steps
    WHERE closed_as IS NULL AND stage IS NOT NULL AND left_on = valid_to
        AND COALESCE(next_closed_as, '') <> 'unknown' AND (next_stage IS DISTINCT FROM stage)
),
open_stages AS (
    SELECT stage, MIN(position) AS position
    FROM stages
    WHERE closed_as IS NULL
    GROUP BY stage
)
SELECT
    m.opportunity_id AS record_id,
    m.rep_id,
    m.left_on AS event_date,
    m.forward AS numerator,
    1 AS denominator,
    ARRAY_AGG(s.stage ORDER BY s.position, s.stage) AS from_stage
FROM moves AS m
JOIN open_stages AS s
    ON s.stage = m.stage OR (m.forward = 1 AND s.position > m.position AND s.position < m.reached)
GROUP BY m.opportunity_id, m.rep_id, m.left_on, m.forward
