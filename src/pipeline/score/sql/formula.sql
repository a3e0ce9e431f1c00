-- A formula's cells: every cell that one of its parts has, each part in a column of its own.
WITH keys AS (
    {keys}
),
parts AS (
    SELECT k.*, {columns}
    FROM keys AS k
    {joins}
),
computed AS (
    SELECT level, entity, grain, period_start, slice, slice_value, {expression} AS result, {n} AS n, {state} AS state
    FROM parts
)
SELECT
    level, entity, grain, period_start, '{span}' AS span, slice, slice_value,
    CASE WHEN state IS NULL THEN CAST(ROUND(result, 12) AS DECIMAL(38, 12)) END AS a,
    CAST(NULL AS DECIMAL(38, 12)) AS b,
    n,
    FALSE AS unit,
    state
FROM computed
WHERE result IS NOT NULL OR state IS NOT NULL
