/*---
from = "Opportunity"
into = "opportunities"
lookups = ["stages"]
---*/
SELECT
    o."_row",
    o."Id" AS opportunity_id,
    o."Name" AS name,
    o."AccountId" AS account_id,
    o."OwnerId" AS credited_rep_id,
    o."StageName" AS source_stage,
    s.common_stage AS stage,
    s.closed_as,
    s.closed_as IS NOT DISTINCT FROM 'won' AS is_won,
    o."Amount" AS amount,
    o."CurrencyIsoCode" AS currency,
    CASE WHEN s.closed_as IS NOT NULL THEN o."CloseDate" END AS rate_on,
    o."Probability" AS probability,
    o."CloseDate" AS closed_on,
    o."CreatedDate" AS created_on,
    CASE o."Type"
        WHEN 'New Customer' THEN 'new'
        WHEN 'Existing Customer - Upgrade' THEN 'expansion'
        WHEN 'Existing Customer - Returning' THEN 'returning'
        WHEN 'Existing Customer - Renewal' THEN 'renewal'
    END AS kind,
    o."LeadSource" AS source,
    o."Competitor__c" AS competitor,
    o."Loss_Reason__c" AS loss_reason,
    o."ForecastCategoryName" AS forecast_category,
    o."NextStep" AS next_step,
    o."Sourced_By__c" AS sourced_by_rep_id,
    -- A deal that was migrated is called what it was called there.
    o."HubSpot_Deal_Id__c" AS shared_key,
    o."IsDeleted" AS _deleted
FROM "Opportunity" AS o
LEFT JOIN stages AS s ON s.stage_name = o."StageName"
