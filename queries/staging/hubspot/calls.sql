/*---
from = "calls"
into = "activities"
lookups = ["owners"]
---*/
WITH people AS (
    SELECT
        CONCAT_WS(' ', "First Name", "Last Name") AS name,
        "User ID" AS rep_id,
        ROW_NUMBER() OVER (PARTITION BY CONCAT_WS(' ', "First Name", "Last Name") ORDER BY "_row") AS place
    FROM owners
)
SELECT
    c."_row",
    c."Record ID" AS activity_id,
    'call' AS kind,
    LOWER(c."Call direction") AS direction,
    'Completed' AS status,
    TRUE AS is_completed,
    -- In UTC, of which the company's day is made; a day without a time is that day.
    CASE
        WHEN c."Activity date" LIKE '%:%' THEN CONCAT(c."Activity date", 'Z')
        ELSE c."Activity date"
    END AS happened_on,
    c."Activity date" AS happened_at,
    p.rep_id,
    c."Associated Company IDs" AS account_id,
    c."Associated Deal IDs" AS opportunity_id,
    CASE c."Call outcome" WHEN 'Left voicemail' THEN 'Voicemail' ELSE c."Call outcome" END AS outcome,
    c."Call duration (seconds)" AS duration_seconds
FROM calls AS c
LEFT JOIN people AS p ON p.name = c."Activity assigned to" AND p.place = 1
