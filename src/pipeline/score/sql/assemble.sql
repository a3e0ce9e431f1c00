-- Cells and targets, entity by entity. What a cell is compared with is of the same entity and grain.
WITH cells AS (
    {cells}
),
targets AS (
    {targets}
)
SELECT
    level, entity, grain, period_start, slice, slice_value,
    CAST(a AS DECIMAL(38, 12)) AS a, CAST(b AS DECIMAL(38, 12)) AS b, CAST(n AS BIGINT) AS n, unit,
    CAST(NULL AS DECIMAL(38, 12)) AS target
FROM cells
UNION ALL
SELECT
    level, entity, grain, period_start, '' AS slice, '' AS slice_value,
    CAST(NULL AS DECIMAL(38, 12)) AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, CAST(0 AS BIGINT) AS n, NULL AS unit,
    CAST(target AS DECIMAL(38, 12)) AS target
FROM targets
ORDER BY level, entity, grain
