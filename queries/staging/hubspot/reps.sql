/*---
from = "owners"
into = "reps"
---*/
SELECT
    "_row",
    "User ID" AS rep_id,
    CONCAT_WS(' ', "First Name", "Last Name") AS name,
    "Email" AS email,
    "Left On" IS NULL AS is_active,
    "Hired On" AS hired_on,
    "Left On" AS left_on
FROM owners
