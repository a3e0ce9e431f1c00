/*---
from = "Task"
into = "activities"
---*/
SELECT
    "_row",
    "Id" AS activity_id,
    CASE "TaskSubtype" WHEN 'Call' THEN 'call' WHEN 'Email' THEN 'email' ELSE 'task' END AS kind,
    CASE "CallType" WHEN 'Outbound' THEN 'outbound' WHEN 'Inbound' THEN 'inbound' END AS direction,
    "Status" AS status,
    "Status" IS NOT DISTINCT FROM 'Completed' AS is_completed,
    "ActivityDate" AS happened_on,
    COALESCE("CompletedDateTime", "CreatedDate") AS happened_at,
    "CreatedDate" AS created_on,
    "OwnerId" AS rep_id,
    "AccountId" AS account_id,
    CASE WHEN "WhatId" LIKE '006%' THEN "WhatId" END AS opportunity_id,
    CASE WHEN "WhoId" LIKE '00Q%' THEN "WhoId" END AS lead_id,
    "Subject" AS subject,
    "Purpose__c" AS purpose,
    "CallDisposition" AS outcome,
    "CallDurationInSeconds" AS duration_seconds,
    "IsDeleted" AS _deleted
FROM "Task"
