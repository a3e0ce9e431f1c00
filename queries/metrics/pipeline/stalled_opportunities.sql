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
        s.opportunity_id,
        s.credited_rep_id,
        s.valid_from,
        s.valid_to,
        s.amount,
        s.stage,
        LEAST(
            CAST(CAST(CAST(COALESCE(o.created_on, s.first_seen_on) AS INT) + c.days + 1 AS INT) AS DATE),
            CAST(CAST(CAST(s.entered_on AS INT) + u.days + 1 AS INT) AS DATE)
        ) AS stalls_on
    FROM stays AS s
    -- A deal that was deleted since stood open then, at least since the first day that anybody knows of.
    LEFT JOIN opportunities AS o ON o.opportunity_id = s.opportunity_id
    CROSS JOIN cycle AS c
    LEFT JOIN usual AS u ON u.stage = s.stage
    WHERE s.closed_as IS NULL
)
SELECT
    opportunity_id AS record_id,
    credited_rep_id AS rep_id,
    GREATEST(valid_from, stalls_on) AS valid_from,
    valid_to,
    -- For stalled_pipeline, which shares these facts.
    COALESCE(amount, 0) AS amount,
    stage
FROM waiting
WHERE stalls_on IS NOT NULL AND (valid_to IS NULL OR stalls_on < valid_to)
