/*---
from = "Account"
into = "accounts"
---*/
SELECT
    "_row",
    "Id" AS account_id,
    "Name" AS name,
    "ParentId" AS parent_account_id,
    "Type" AS type,
    "Industry" AS industry,
    "Segment__c" AS segment,
    "BillingCountry" AS country,
    -- What companies type as their site: https://www.name.example/en is name.example.
    NULLIF(REGEXP_REPLACE(LOWER(TRIM("Website")), '^(https?://)?(www\.)?([^/?#]*).*$', '\3'), '') AS domain,
    "OwnerId" AS rep_id,
    "CreatedDate" AS created_on,
    "IsDeleted" AS _deleted
FROM "Account"
