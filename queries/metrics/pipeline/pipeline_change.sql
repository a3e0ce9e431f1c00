/*---
title      = "Pipeline change"
question   = "Why is the pipeline larger or smaller than it was?"
definition = "What each opportunity added to the open pipeline or took from it, on the day it did, up to the date of the report: new, reopened, increased or decreased (the amount of an open one changed), won, lost, dropped (closed otherwise), deleted (gone from the CRM), handed over (minus for the old owner, plus for the new). What leaves takes with it the amount at which it stood open. The open pipeline before a period and these changes make the open pipeline at its end, for the company, and for every rep who did not leave; pipeline that moves to another team with its rep is no change."
aliases    = ["pipeline waterfall", "pipeline movement"]
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "neither"
record     = "opportunities"
trace      = [
    { table = "opportunity_nights", record = "opportunity_id", day = "valid_from" },
    { table = "opportunity_history", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
    { table = "opportunity_owners", record = "opportunity_id", day = "changed_on", order = ["changed_at", "history_id"] },
]
slices     = ["movement"]
allocated  = ["movement"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history"]
---*/
WITH steps AS (
    SELECT
        v.opportunity_id,
        v.valid_from,
        v.valid_to,
        v.credited_rep_id AS rep_id,
        v.closed_as,
        v.closed_as IS NULL AS is_open,
        COALESCE(v.amount, 0) AS amount,
        ROW_NUMBER() OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from) AS place,
        LAG(v.valid_to) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from) AS last_to,
        LAG(v.closed_as) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from) IS NULL AS was_open,
        COALESCE(LAG(v.amount) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from), 0) AS last_amount,
        LAG(v.credited_rep_id) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from) AS last_rep_id,
        LEAD(v.valid_from) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from) AS next_from,
        o.opportunity_id IS NOT NULL AS is_there,
        o.closed_as AS closes_as
    FROM opportunity_versions AS v
    LEFT JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
),
-- It stood open up to then if the version before it was open, and no gap is between them.
joined AS (
    SELECT *, place > 1 AND last_to = valid_from AND was_open AS stood
    FROM steps
),
changes AS (
    -- It stands open and did not stand before.
    SELECT
        opportunity_id, rep_id, valid_from AS day, amount AS value,
        CASE WHEN place = 1 THEN 'new' ELSE 'reopened' END AS name
    FROM joined
    WHERE is_open AND NOT stood
    UNION ALL
    -- It stood open and closed.
    SELECT
        opportunity_id, last_rep_id AS rep_id, valid_from AS day, -last_amount AS value,
        CASE WHEN closed_as IN ('won', 'lost') THEN closed_as ELSE 'dropped' END AS name
    FROM joined
    WHERE stood AND NOT is_open
    UNION ALL
    -- Its amount changed.
    SELECT
        opportunity_id, rep_id, valid_from AS day, amount - last_amount AS value,
        CASE WHEN amount > last_amount THEN 'increased' ELSE 'decreased' END AS name
    FROM joined
    WHERE stood AND is_open AND amount <> last_amount
    UNION ALL
    -- Its owner changed: the one gives what the other takes.
    SELECT opportunity_id, last_rep_id AS rep_id, valid_from AS day, -last_amount AS value, 'handed over' AS name
    FROM joined
    WHERE stood AND is_open AND rep_id IS DISTINCT FROM last_rep_id
    UNION ALL
    SELECT opportunity_id, rep_id, valid_from AS day, last_amount AS value, 'handed over' AS name
    FROM joined
    WHERE stood AND is_open AND rep_id IS DISTINCT FROM last_rep_id
    UNION ALL
    -- It ends with nothing after it: it closed without a version of its own, or it is gone.
    SELECT
        opportunity_id, rep_id, valid_to AS day, -amount AS value,
        CASE
            WHEN next_from IS NOT NULL OR NOT is_there OR closes_as IS NULL THEN 'deleted'
            WHEN closes_as IN ('won', 'lost') THEN closes_as
            ELSE 'dropped'
        END AS name
    FROM joined
    WHERE is_open AND valid_to IS NOT NULL AND next_from IS DISTINCT FROM valid_to
)
SELECT
    opportunity_id AS record_id,
    rep_id,
    day AS event_date,
    SUM(value) AS value,
    ARRAY_AGG(NAMED_STRUCT('name', name, 'value', value) ORDER BY name, value) AS movement
FROM changes
WHERE value <> 0 AND day <= $as_of
GROUP BY opportunity_id, rep_id, day
