/*---
from = "Event"
into = "activities"
---*/
SELECT
    "_row",
    "Id" AS activity_id,
    'meeting' AS kind,
    "Status__c" AS status,
    "Status__c" IS NOT DISTINCT FROM 'Held' AS is_completed,
    "ActivityDate" AS happened_on,
    "StartDateTime" AS happened_at,
    "CreatedDate" AS created_on,
    "OwnerId" AS rep_id,
    "AccountId" AS account_id,
    CASE WHEN "WhatId" LIKE '006%' THEN "WhatId" END AS opportunity_id,
    CASE WHEN "WhoId" LIKE '00Q%' THEN "WhoId" END AS lead_id,
    "Subject" AS subject,
    "Type" AS purpose,
    "Status__c" AS outcome,
    "IsDeleted" AS _deleted
FROM "Event"
