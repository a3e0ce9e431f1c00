/*---
title      = "Opportunities worked on"
question   = "On how many open deals did we work lately?"
definition = "Open opportunities with an activity that took place in the fourteen days up to the measuring day."
unit       = "count"
measure    = "stock"
aggregate  = "count"
better     = "higher"
record     = "opportunities"
slices     = ["stage"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "activities"]
hidden     = true
---*/
WITH worked AS (
    SELECT DISTINCT opportunity_id, happened_on
    FROM activities
    WHERE opportunity_id IS NOT NULL AND is_completed
),
-- Each activity holds for fourteen days, or up to the next one: so no deal is there twice.
recent AS (
    SELECT
        opportunity_id,
        happened_on AS valid_from,
        LEAST(
            happened_on + INTERVAL '14 days',
            LEAD(happened_on) OVER (PARTITION BY opportunity_id ORDER BY happened_on)
        ) AS valid_to
    FROM worked
)
SELECT
    v.opportunity_id AS record_id,
    v.credited_rep_id AS rep_id,
    GREATEST(v.valid_from, r.valid_from) AS valid_from,
    LEAST(v.valid_to, r.valid_to) AS valid_to,
    v.stage
FROM opportunity_versions AS v
JOIN recent AS r
    ON r.opportunity_id = v.opportunity_id AND v.valid_from < r.valid_to
    AND (v.valid_to IS NULL OR r.valid_from < v.valid_to)
WHERE v.closed_as IS NULL
