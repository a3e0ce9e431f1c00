-- Each cell beside the period before, the year before, and its target. A cell with a target but no facts is there too.
WITH whole AS (
    SELECT
        COALESCE(c.level, t.level) AS level, COALESCE(c.entity, t.entity) AS entity,
        COALESCE(c.grain, t.grain) AS grain, COALESCE(c.period_start, t.period_start) AS period_start,
        COALESCE(c.slice, '') AS slice, COALESCE(c.slice_value, '') AS slice_value,
        c.a, c.b, COALESCE(c.n, 0) AS n, c.unit, t.target
    FROM cells AS c
    FULL JOIN target_cells AS t
        ON t.level = c.level AND t.entity = c.entity AND t.grain = c.grain AND t.period_start = c.period_start
        AND c.slice = ''
)
SELECT
    w.level, w.entity, w.grain, w.period_start, p.period_end, w.slice, w.slice_value, w.a, w.b, w.n, w.unit, w.target,
    earlier.a AS previous_a, earlier.b AS previous_b, p.has_previous,
    before.a AS year_before_a, before.b AS year_before_b, p.has_year_before
FROM whole AS w
JOIN periods AS p ON p.grain = w.grain AND p.period_start = w.period_start
LEFT JOIN cells AS earlier
    ON earlier.level = w.level AND earlier.entity = w.entity AND earlier.grain = w.grain
    AND earlier.period_start = p.previous_start AND earlier.slice = w.slice AND earlier.slice_value = w.slice_value
LEFT JOIN cells AS before
    ON before.level = w.level AND before.entity = w.entity AND before.grain = w.grain
    AND before.period_start = p.year_before_start AND before.slice = w.slice AND before.slice_value = w.slice_value
ORDER BY w.level, w.entity, w.grain, w.period_start, w.slice, w.slice_value
