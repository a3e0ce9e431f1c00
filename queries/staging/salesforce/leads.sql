/*---
from = "Lead"
into = "leads"
---*/
SELECT
    "_row",
    "Id" AS lead_id,
    CONCAT_WS(' ', "FirstName", "LastName") AS name,
    "Company" AS company,
    "LeadSource" AS source,
    "Status" AS status,
    "OwnerId" AS rep_id,
    "IsConverted" AS is_converted,
    "ConvertedDate" AS converted_on,
    "ConvertedOpportunityId" AS opportunity_id,
    "CreatedDate" AS created_on,
    "IsDeleted" AS _deleted
FROM "Lead"
