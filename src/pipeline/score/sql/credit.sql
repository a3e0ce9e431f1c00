-- A line for each credited rep with a part of the fact. Parts are rounded down to whole steps ({step}). Of what is left
-- each line gets {each}, and the largest share the rest: {rest}.
-- So the parts of a fact add up to it, and the order of its credits does not matter.
WITH whole AS (
    SELECT CAST(f.record_id AS VARCHAR) AS record_id, f.rep_id AS _owner, {days}{slices}, {a} AS _a, {b} AS _b
    FROM {facts} AS f
),
lines AS (
    {lines}
),
exact AS (
    SELECT
        w.*, COALESCE(l._rep, w._owner) AS rep_id, COALESCE(l._kind, 'revenue') AS _kind,
        COALESCE(l._share, CAST(1 AS DECIMAL(20, 6))) AS _share,
        w._a * COALESCE(l._share, CAST(1 AS DECIMAL(20, 6))) AS _exact_a,
        w._b * COALESCE(l._share, CAST(1 AS DECIMAL(20, 6))) AS _exact_b,
        CAST('{step}' AS DECIMAL(38, 18)) AS _step
    FROM whole AS w
    LEFT JOIN lines AS l ON l._record = w.record_id
),
cut AS (
    SELECT *, (_exact_a % _step + _step) % _step AS _over_a, (_exact_b % _step + _step) % _step AS _over_b
    FROM exact
),
placed AS (
    SELECT
        *,
        _a - SUM(_exact_a - _over_a) OVER (PARTITION BY record_id, _owner, {day}, _kind) AS _left_a,
        _b - SUM(_exact_b - _over_b) OVER (PARTITION BY record_id, _owner, {day}, _kind) AS _left_b,
        ROW_NUMBER() OVER (
            PARTITION BY record_id, _owner, {day}, _kind ORDER BY _over_a DESC, _share DESC, rep_id
        ) AS _place,
        ROW_NUMBER() OVER (PARTITION BY record_id, _owner, {day}, _kind ORDER BY _share DESC, rep_id) AS _by_share
    FROM cut
)
SELECT
    record_id, rep_id, {days}{slices}, NULLIF(_kind, 'revenue') AS credit_kind, _share,
    CAST(
        CASE
            WHEN _kind = 'overlay' THEN CAST(_exact_a AS DECIMAL(38, {digits}))
            WHEN _by_share = 1 THEN _exact_a - _over_a + {each} + {rest}
            ELSE _exact_a - _over_a + {each}
        END AS DECIMAL(38, 12)
    ) AS a,
    CAST(
        CASE
            WHEN _kind = 'overlay' THEN _exact_b
            WHEN _by_share = 1 THEN _exact_b - _over_b + _left_b
            ELSE _exact_b - _over_b
        END AS DECIMAL(38, 12)
    ) AS b
FROM placed
