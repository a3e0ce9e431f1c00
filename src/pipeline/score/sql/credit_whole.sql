-- A line for each credited rep, each with the whole fact.
WITH whole AS (
    SELECT CAST(f.record_id AS VARCHAR) AS record_id, f.rep_id AS _owner, {days}{slices}, {a} AS a, {b} AS b
    FROM {facts} AS f
),
lines AS (
    {lines}
)
SELECT
    w.record_id, COALESCE(l._rep, w._owner) AS rep_id, {days}{slices},
    NULLIF(l._kind, 'revenue') AS credit_kind, COALESCE(l._share, CAST(1 AS DECIMAL(20, 6))) AS _share,
    w.a, w.b
FROM whole AS w
LEFT JOIN lines AS l ON l._record = w.record_id
