/*---
from = "User"
into = "reps"
---*/
SELECT
    "_row",
    "Id" AS rep_id,
    "Name" AS name,
    "Email" AS email,
    "Title" AS title,
    "IsActive" AS is_active,
    "Hired_On__c" AS hired_on,
    "Left_On__c" AS left_on
FROM "User"
