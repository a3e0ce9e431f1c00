-- Cells of facts that name their cell themselves.
SELECT {cell}, {slice_name} AS slice, {slice_value} AS slice_value, {outputs}
FROM (SELECT *, 'now' AS span FROM {source}) AS f
WHERE level IN ({levels}) AND grain IN ({grains}) AND {rows}
GROUP BY GROUPING SETS ({sets})
