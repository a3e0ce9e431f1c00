-- Cells that count each record once. Grouping twice can spill; a set of records in each cell could not.
SELECT
    {cell}, slice, slice_value,
    CAST(COUNT(*) AS DECIMAL(38, 12)) AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, SUM(facts) AS n, FALSE AS unit
FROM (
    {records}
) AS r
GROUP BY {cell}, slice, slice_value
