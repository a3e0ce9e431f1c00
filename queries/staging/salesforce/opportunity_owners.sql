/*---
from = "OpportunityFieldHistory"
into = "opportunity_owners"
---*/
SELECT
    "_row",
    "Id" AS history_id,
    "OpportunityId" AS opportunity_id,
    "CreatedDate" AS changed_at,
    "CreatedDate" AS changed_on,
    "OldValue" AS from_rep_id,
    "NewValue" AS to_rep_id,
    CASE WHEN "Field" IS DISTINCT FROM 'Owner' THEN 'another field than the owner' END AS _skip
FROM "OpportunityFieldHistory"
