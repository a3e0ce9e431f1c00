-- Targets by cell. Reps' days meet the entities of their day; teams and the company may have targets of their own.
WITH placed AS (
    SELECT
        m.level, m.entity, t.day, t.slice, t.slice_value, TRUE AS of_reps, t.given, t.ramp, t.absent, t.low, t.high
    FROM target_days AS t
    JOIN membership AS m ON m.rep_id = t.entity AND m.valid_from <= t.day AND t.day < m.valid_to
    WHERE t.level = 'rep' AND m.level IN ({levels})
    UNION ALL
    SELECT level, entity, day, slice, slice_value, FALSE AS of_reps, given, ramp, absent, low, high
    FROM target_days
    WHERE level <> 'rep'
)
SELECT
    t.level, t.entity, p.grain, p.period_start, p.span, t.slice, t.slice_value, t.of_reps,
    SUM(t.given) AS given, SUM(t.ramp) AS ramp, SUM(t.absent) AS absent, SUM(t.low) AS low, SUM(t.high) AS high
FROM placed AS t
JOIN target_periods AS p ON p.day = t.day
WHERE p.grain IN ({grains})
GROUP BY t.level, t.entity, p.grain, p.period_start, p.span, t.slice, t.slice_value, t.of_reps
UNION ALL
SELECT
    level, entity, grain, day AS period_start, span, slice, slice_value, level = 'rep' AS of_reps,
    given, ramp, absent, low, high
FROM target_values
