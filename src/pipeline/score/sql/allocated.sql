-- Each part of a fact on the line of its name, and what they leave on a line of its own. Parts are rounded down to whole
-- steps ({step}), and steps that are left go one by one to the lines that lost most.
WITH parts AS (
    SELECT {place_of_f}f.record_id, f._share, UNNEST(f.{slice}) AS _part
    FROM facts AS f
),
named AS (
    SELECT {place}record_id, COALESCE(CAST(_part['name'] AS VARCHAR), '{none}') AS _name, SUM({a}) AS _a, SUM({b}) AS _b
    FROM parts
    WHERE _part IS NOT NULL
    GROUP BY {place}record_id, COALESCE(CAST(_part['name'] AS VARCHAR), '{none}')
),
rest AS (
    SELECT {place}record_id, '{unallocated}' AS _name, SUM(_a) AS _a, SUM(_b) AS _b
    FROM (
        SELECT {place}record_id, a AS _a, b AS _b FROM facts
        UNION ALL
        SELECT {place}record_id, -_a AS _a, -_b AS _b FROM named
    ) AS each
    GROUP BY {place}record_id
    HAVING SUM(_a) <> 0 OR SUM(_b) <> 0 OR COUNT(*) = 1
),
lines AS (
    SELECT {place}record_id, _name, _a, _b FROM named
    UNION ALL
    SELECT {place}record_id, _name, _a, _b FROM rest
),
cut AS (
    SELECT *, (_a % _step + _step) % _step AS _over
    FROM (SELECT *, CAST('{step}' AS DECIMAL(38, 12)) AS _step FROM lines) AS l
),
placed AS (
    SELECT
        *,
        SUM(_over) OVER (PARTITION BY {place}record_id) AS _left,
        ROW_NUMBER() OVER (
            PARTITION BY {place}record_id ORDER BY _over DESC, _name = '{unallocated}', _name
        ) AS _place
    FROM cut
)
SELECT
    {place}record_id, _name AS {slice},
    CAST(
        _a - _over + CASE WHEN _place * _step <= _left THEN _step ELSE 0 END
        + CASE WHEN _place = 1 THEN _left % _step ELSE 0 END
        AS DECIMAL(38, 12)
    ) AS a,
    CAST(_b AS DECIMAL(38, 12)) AS b,
    FALSE AS unit
FROM placed
