-- Cells, entity by entity: what a cell is compared with is of the same entity and grain.
SELECT
    {cell}, slice, slice_value,
    CAST(a AS DECIMAL(38, 12)) AS a, CAST(b AS DECIMAL(38, 12)) AS b, CAST(n AS BIGINT) AS n, unit, state
FROM (
    {cells}
    {plan}
) AS cells
ORDER BY {order}
