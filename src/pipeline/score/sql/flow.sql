-- Cells of a flow: facts meet the entities of their day, and the periods that hold it.
-- {source} holds rep_id, day, the slices and {inputs}: facts, or their sums per rep and day. Of an unfinished period
-- there are further cells, of the spans it is compared with.
WITH placed AS (
    SELECT m.entity_no, p.span_no, {slices} {inputs}
    FROM {source} AS f
    JOIN members AS m ON m.rep_id = f.rep_id AND m.valid_from <= f.day AND f.day < m.valid_to
    JOIN period_days AS p ON p.day = f.day
    WHERE m.level IN ({levels})
)
SELECT {cell}, {slice_name} AS slice, {slice_value} AS slice_value, {outputs}
FROM placed
WHERE {rows}
GROUP BY GROUPING SETS ({sets})
