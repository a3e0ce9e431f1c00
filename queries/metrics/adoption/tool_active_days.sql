/*---
title      = "Tool active days"
question   = "On how many working days do we use the tools that we pay for?"
definition = "For each tool that is licensed on the day, the CRM too if it is, and each person who has used it before or does so that day: working days with use / working days, up to the date of the report. It counts who is in a team on the day, from the first to the last day of employment, but not on days of whole leave. Working days are those of the person's region. The total adds up all tools."
aliases    = ["tool adoption"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "tool_use"
slices     = ["tool"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["tool_use", "licences", "assignments"]
minimum_n  = 10
called     = "working days"
---*/
WITH known AS (
    SELECT u.rep_id, u.tool, MIN(u.used_on) AS first_on
    FROM tool_use AS u
    JOIN (SELECT DISTINCT tool FROM licences) AS l ON l.tool = u.tool
    GROUP BY u.rep_id, u.tool
),
worked AS (
    SELECT region, day
    FROM calendar
    CROSS JOIN (SELECT MIN(first_on) AS first_on FROM known) AS f
    WHERE is_working_day AND day >= f.first_on AND day <= $as_of
),
people AS (
    SELECT
        m.rep_id,
        COALESCE(h.region, 'all') AS region,
        GREATEST(m.valid_from, r.hired_on) AS starts_on,
        LEAST(m.valid_to, r.left_on + INTERVAL '1 day') AS ends_before
    FROM membership AS m
    JOIN reps AS r ON r.rep_id = m.rep_id
    LEFT JOIN (SELECT DISTINCT region FROM holidays) AS h ON h.region = r.holiday_region
    WHERE m.level = 'team' AND m.entity <> 'unassigned'
),
away AS (
    SELECT rep_id, starts_on, ends_on
    FROM absences
    WHERE share IS NULL OR share >= 1
),
present AS (
    SELECT p.rep_id, w.day
    FROM people AS p
    JOIN worked AS w ON w.region = p.region AND w.day >= p.starts_on AND w.day < p.ends_before
    LEFT ANTI JOIN away AS a
        ON a.rep_id = p.rep_id AND a.starts_on <= w.day AND (a.ends_on IS NULL OR w.day <= a.ends_on)
)
SELECT DISTINCT
    k.tool AS record_id,
    p.rep_id,
    p.day AS event_date,
    CASE WHEN u.rep_id IS NULL THEN 0 ELSE 1 END AS numerator,
    1 AS denominator,
    k.tool
FROM present AS p
JOIN known AS k ON k.rep_id = p.rep_id AND k.first_on <= p.day
JOIN licences AS l ON l.tool = k.tool AND l.starts_on <= p.day AND p.day <= l.ends_on
LEFT JOIN tool_use AS u ON u.rep_id = p.rep_id AND u.tool = k.tool AND u.used_on = p.day
