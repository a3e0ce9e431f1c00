-- Cells and targets, entity by entity. What a cell is compared with is of the same entity and grain.
WITH cells AS (
    {cells}
    {plan}
)
SELECT
    level, entity, grain, period_start, span, slice, slice_value,
    CAST(a AS DECIMAL(38, 12)) AS a, CAST(b AS DECIMAL(38, 12)) AS b, CAST(n AS BIGINT) AS n, unit,
    CAST(NULL AS BOOLEAN) AS of_reps,
    CAST(NULL AS DECIMAL(38, 12)) AS given, CAST(NULL AS DECIMAL(38, 12)) AS ramp,
    CAST(NULL AS DECIMAL(38, 12)) AS absent, CAST(NULL AS DECIMAL(38, 12)) AS low,
    CAST(NULL AS DECIMAL(38, 12)) AS high,
    state
FROM cells
UNION ALL
SELECT
    level, entity, grain, period_start, span, slice, slice_value,
    CAST(NULL AS DECIMAL(38, 12)) AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, CAST(0 AS BIGINT) AS n, NULL AS unit,
    of_reps,
    CAST(given AS DECIMAL(38, 12)) AS given, CAST(ramp AS DECIMAL(38, 12)) AS ramp,
    CAST(absent AS DECIMAL(38, 12)) AS absent, CAST(low AS DECIMAL(38, 12)) AS low,
    CAST(high AS DECIMAL(38, 12)) AS high,
    CAST(NULL AS VARCHAR) AS state
FROM target_cells
ORDER BY level, entity, grain
