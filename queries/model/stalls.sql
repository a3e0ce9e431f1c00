/*---
reads = ["opportunities", "opportunity_versions"]
---*/
-- What stalled means, for the metrics, the lists and the notes alike.
WITH marked AS (
    SELECT
        *,
        LAG(stage) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS last_stage,
        LAG(closed_as) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS last_closed_as,
        LAG(valid_to) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS last_to,
        LEAD(valid_from) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_from,
        LEAD(stage) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_stage,
        MIN(valid_from) OVER (PARTITION BY opportunity_id) AS first_seen_on
    FROM opportunity_versions
),
stays AS (
    SELECT
        *,
        -- The first day of the stay: the version before it is of another stage, closed, or not there.
        MAX(
            CASE
                WHEN last_to = valid_from AND last_closed_as IS NULL AND last_stage = stage THEN NULL
                ELSE valid_from
            END
        ) OVER (
            PARTITION BY opportunity_id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS entered_on
    FROM marked
),
cycle AS (
    SELECT SUM(CAST(closed_on AS INT) - CAST(created_on AS INT)) / COUNT(*) AS days
    FROM opportunities
    WHERE closed_as = 'won' AND closed_on >= created_on AND closed_on <= $as_of
        AND closed_on > $as_of - INTERVAL '12 months'
),
usual AS (
    SELECT stage, 2 * SUM(CAST(next_from AS INT) - CAST(entered_on AS INT)) / COUNT(*) AS days
    FROM stays
    WHERE closed_as IS NULL AND stage IS NOT NULL AND next_from = valid_to
        AND next_from <= $as_of AND next_from > $as_of - INTERVAL '12 months' AND (next_stage IS DISTINCT FROM stage)
    GROUP BY stage
),
-- More days than a mean are at least one more than its whole days.
waiting AS (
    SELECT
        s.*,
        COALESCE(o.created_on, s.first_seen_on) AS open_since,
        c.days AS cycle_days,
        u.days AS stage_days,
        CAST(CAST(CAST(COALESCE(o.created_on, s.first_seen_on) AS INT) + c.days + 1 AS INT) AS DATE) AS too_long_on,
        CAST(CAST(CAST(s.entered_on AS INT) + u.days + 1 AS INT) AS DATE) AS stuck_on
    FROM stays AS s
    -- A deal that was deleted since stood open then, at least since the first day that anybody knows of.
    LEFT JOIN opportunities AS o ON o.opportunity_id = s.opportunity_id
    CROSS JOIN cycle AS c
    LEFT JOIN usual AS u ON u.stage = s.stage
    WHERE s.closed_as IS NULL
)
SELECT
    opportunity_id,
    GREATEST(valid_from, LEAST(too_long_on, stuck_on)) AS valid_from,
    valid_to,
    credited_rep_id,
    stage,
    amount,
    open_since,
    too_long_on,
    CAST(cycle_days AS BIGINT) AS usual_days_open,
    entered_on AS in_stage_since,
    stuck_on,
    CAST(stage_days / 2 AS BIGINT) AS usual_days_in_stage
FROM waiting
WHERE LEAST(too_long_on, stuck_on) IS NOT NULL AND (valid_to IS NULL OR LEAST(too_long_on, stuck_on) < valid_to)
