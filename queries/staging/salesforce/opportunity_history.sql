/*---
from = "OpportunityHistory"
into = "opportunity_history"
---*/
SELECT
    "_row",
    "Id" AS history_id,
    "OpportunityId" AS opportunity_id,
    "CreatedDate" AS changed_at,
    "CreatedDate" AS changed_on,
    "StageName" AS source_stage,
    "Amount" AS amount,
    "CurrencyIsoCode" AS currency,
    "CloseDate" AS closed_on
FROM "OpportunityHistory"
