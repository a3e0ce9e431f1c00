-- A fact that starts before the one before it, of the same record and rep, has ended.
WITH ordered AS (
    SELECT
        record_id, rep_id, valid_to,
        LEAD(valid_from) OVER (PARTITION BY record_id, rep_id ORDER BY valid_from) AS next_from
    FROM returned
)
SELECT record_id, rep_id, COALESCE(CAST(valid_to AS VARCHAR), 'for ever'), next_from
FROM ordered
WHERE next_from IS NOT NULL AND (valid_to IS NULL OR valid_to > next_from)
ORDER BY record_id, rep_id
LIMIT 1
