/*---
title      = "CRM active days"
question   = "On how many working days do we use the CRM?"
definition = "Working days on which a person used the CRM / working days, up to the date of the report. It counts who is in a team on the day, from the first to the last day of employment, but not on days of whole leave, and from the first day on which anybody's use of the CRM was recorded. Working days are those of the person's region."
aliases    = ["CRM adoption", "login rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "reps"
cadence    = ["week", "month", "quarter", "year"]
needs      = ["tool_use", "assignments"]
minimum_n  = 10
called     = "working days"
---*/
WITH used AS (
    SELECT rep_id, used_on
    FROM tool_use
    WHERE tool = 'CRM'
),
worked AS (
    SELECT region, day
    FROM calendar
    CROSS JOIN (SELECT MIN(used_on) AS first_on FROM used) AS f
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
)
SELECT
    p.rep_id AS record_id,
    p.rep_id,
    w.day AS event_date,
    CASE WHEN u.rep_id IS NULL THEN 0 ELSE 1 END AS numerator,
    1 AS denominator
FROM people AS p
JOIN worked AS w ON w.region = p.region AND w.day >= p.starts_on AND w.day < p.ends_before
LEFT JOIN used AS u ON u.rep_id = p.rep_id AND u.used_on = w.day
LEFT ANTI JOIN away AS a ON a.rep_id = p.rep_id AND a.starts_on <= w.day AND (a.ends_on IS NULL OR w.day <= a.ends_on)
