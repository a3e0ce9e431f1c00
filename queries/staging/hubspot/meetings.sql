/*---
from = "meetings"
into = "activities"
lookups = ["owners"]
---*/
WITH people AS (
    SELECT
        CONCAT_WS(' ', "First Name", "Last Name") AS name,
        "User ID" AS rep_id,
        ROW_NUMBER() OVER (PARTITION BY CONCAT_WS(' ', "First Name", "Last Name") ORDER BY "_row") AS place
    FROM owners
),
meant AS (
    SELECT
        *,
        CASE "Meeting outcome"
            WHEN 'COMPLETED' THEN 'Held'
            WHEN 'CANCELED' THEN 'Cancelled'
            WHEN 'NO_SHOW' THEN 'No show'
            WHEN 'SCHEDULED' THEN 'Planned'
            ELSE "Meeting outcome"
        END AS outcome
    FROM meetings
)
SELECT
    m."_row",
    m."Record ID" AS activity_id,
    'meeting' AS kind,
    m.outcome AS status,
    m.outcome IS NOT DISTINCT FROM 'Held' AS is_completed,
    -- In UTC, of which the company's day is made; a day without a time is that day.
    CASE
        WHEN m."Activity date" LIKE '%:%' THEN CONCAT(m."Activity date", 'Z')
        ELSE m."Activity date"
    END AS happened_on,
    m."Activity date" AS happened_at,
    p.rep_id,
    m."Associated Company IDs" AS account_id,
    m."Associated Deal IDs" AS opportunity_id,
    m.outcome
FROM meant AS m
LEFT JOIN people AS p ON p.name = m."Activity assigned to" AND p.place = 1
