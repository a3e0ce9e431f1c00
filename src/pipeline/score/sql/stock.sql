-- Cells of a stock: what stands on a measuring day meets the entities of that day, and the periods measured on it.
-- Of the span `due` there is what is due within the period.
WITH placed AS (
    SELECT m.entity_no, p.span_no, {slices} {inputs}
    FROM {source} AS f
    JOIN members AS m ON m.rep_id = f.rep_id AND m.valid_from <= f.day AND f.day < m.valid_to
    JOIN measurings AS p ON p.measured_on = f.day
    WHERE {due} AND m.level IN ({levels}) AND p.grain IN ({grains})
)
SELECT {cell}, {slice_name} AS slice, {slice_value} AS slice_value, {outputs}
FROM placed
WHERE {rows}
GROUP BY GROUPING SETS ({sets})
