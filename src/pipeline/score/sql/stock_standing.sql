-- What stands on each measuring day: openings and closings are added up once, by the measuring day that first sees them.
WITH changes AS (
    SELECT rep_id, valid_from AS day, {slices} a, b, 1 AS n, unit FROM {facts}
    UNION ALL
    SELECT rep_id, valid_to AS day, {slices} -a AS a, -b AS b, -1 AS n, unit FROM {facts} WHERE valid_to IS NOT NULL
),
seen AS (
    SELECT c.rep_id, s.measured_on, {seen_slices} SUM(c.a) AS a, SUM(c.b) AS b, SUM(c.n) AS n, BOOL_AND(c.unit) AS unit
    FROM changes AS c
    JOIN measuring_slots AS s ON s.day = GREATEST(c.day, {first_slot})
    GROUP BY c.rep_id, s.measured_on {seen_keys}
)
SELECT s.rep_id, m.measured_on AS day, {seen_slices_of_s} SUM(s.a){days} AS a, SUM(s.b) AS b, SUM(s.n) AS n, BOOL_AND(s.unit) AS unit
FROM seen AS s
JOIN measuring_days AS m ON s.measured_on <= m.measured_on
GROUP BY s.rep_id, m.measured_on {keys_of_s}
HAVING SUM(s.n) <> 0
