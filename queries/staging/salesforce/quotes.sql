/*---
from = "Quote"
into = "quotes"
lookups = ["Opportunity"]
---*/
WITH deals AS (
    SELECT
        "Id",
        "OwnerId",
        ROW_NUMBER() OVER (
            PARTITION BY "Id"
            ORDER BY COALESCE(LOWER(TRIM("IsDeleted")) IN ('1', 'true', 'yes', 't', 'y'), FALSE), "_row"
        ) AS place
    FROM "Opportunity"
)
SELECT
    q."_row",
    q."Id" AS quote_id,
    q."OpportunityId" AS opportunity_id,
    d."OwnerId" AS rep_id,
    q."Name" AS name,
    CASE q."Status" WHEN 'Denied' THEN 'rejected' ELSE LOWER(q."Status") END AS status,
    q."Presented_On__c" AS presented_on,
    q."Decided_On__c" AS decided_on,
    q."ExpirationDate" AS expires_on,
    q."TotalPrice" AS amount,
    q."Total_Cost__c" AS cost,
    q."CurrencyIsoCode" AS currency,
    q."Decided_On__c" AS rate_on,
    q."IsDeleted" AS _deleted
FROM "Quote" AS q
LEFT JOIN deals AS d ON d."Id" = q."OpportunityId" AND d.place = 1
