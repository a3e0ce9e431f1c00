/*---
from = "OpportunityLineItem"
into = "opportunity_lines"
lookups = ["Opportunity", "stages"]
---*/
-- Of a deal that stands twice in the export the first record counts that is not deleted, as it does in opportunities.
WITH deals AS (
    SELECT
        o."Id",
        CASE WHEN s.closed_as IS NOT NULL THEN o."CloseDate" END AS rate_on,
        ROW_NUMBER() OVER (
            PARTITION BY o."Id"
            ORDER BY COALESCE(LOWER(TRIM(o."IsDeleted")) IN ('1', 'true', 'yes', 't', 'y'), FALSE), o."_row"
        ) AS place
    FROM "Opportunity" AS o
    LEFT JOIN stages AS s ON s.stage_name = o."StageName"
)
SELECT
    i."_row",
    i."Id" AS line_id,
    i."OpportunityId" AS opportunity_id,
    i."Product2Id" AS product_id,
    i."Quantity" AS quantity,
    TRY_CAST(i."Quantity" AS DECIMAL(14, 4)) * TRY_CAST(i."ListPrice" AS DECIMAL(14, 4)) AS list_amount,
    i."TotalPrice" AS amount,
    TRY_CAST(i."Quantity" AS DECIMAL(14, 4)) * TRY_CAST(i."Unit_Cost__c" AS DECIMAL(14, 4)) AS cost,
    i."CurrencyIsoCode" AS currency,
    d.rate_on,
    i."IsDeleted" AS _deleted
FROM "OpportunityLineItem" AS i
LEFT JOIN deals AS d ON d."Id" = i."OpportunityId" AND d.place = 1
