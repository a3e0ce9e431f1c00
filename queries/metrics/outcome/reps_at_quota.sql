/*---
title      = "Reps at quota"
question   = "How many of us make our quota?"
definition = "Reps who are ramped and sold at least their quota / ramped reps with a quota. Reps in their first six months stand apart, and are at quota from 70 % of it."
aliases    = ["quota participation"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "reps"
slices     = ["ramp"]
apart      = ["ramp"]
cadence    = ["month", "quarter", "year"]
levels     = ["team", "region", "company"]
reads      = ["bookings"]
needs      = ["opportunities", "targets"]
---*/
WITH judged AS (
    SELECT
        s.entity AS rep_id,
        s.grain,
        s.period_start,
        LEAST(s.period_end, $as_of) AS measured_on,
        s.value,
        s.target,
        r.hired_on + INTERVAL '6 months' > s.period_start AS is_ramping
    FROM scores AS s
    JOIN reps AS r ON r.rep_id = s.entity
    WHERE s.metric = 'bookings' AND s.level = 'rep' AND s.slice = '' AND s.target > 0
)
SELECT
    j.rep_id AS record_id,
    m.level,
    m.entity,
    j.grain,
    j.period_start,
    CASE WHEN j.value >= j.target * CASE WHEN j.is_ramping THEN 0.7 ELSE 1 END THEN 1 ELSE 0 END AS numerator,
    1 AS denominator,
    CASE WHEN j.is_ramping THEN 'ramping' END AS ramp
FROM judged AS j
JOIN membership AS m ON m.rep_id = j.rep_id AND m.valid_from <= j.measured_on AND j.measured_on < m.valid_to
WHERE m.level <> 'rep'
