/*---
from = "deals"
into = "opportunities"
lookups = ["owners", "stages"]
---*/
WITH people AS (
    SELECT
        CONCAT_WS(' ', "First Name", "Last Name") AS name,
        "User ID" AS rep_id,
        ROW_NUMBER() OVER (PARTITION BY CONCAT_WS(' ', "First Name", "Last Name") ORDER BY "_row") AS place
    FROM owners
)
SELECT
    d."_row",
    d."Record ID" AS opportunity_id,
    d."Deal Name" AS name,
    d."Associated Company IDs (Primary)" AS account_id,
    p.rep_id AS credited_rep_id,
    d."Deal Stage" AS source_stage,
    s.common_stage AS stage,
    s.closed_as,
    s.closed_as IS NOT DISTINCT FROM 'won' AS is_won,
    d."Amount" AS amount,
    d."Currency" AS currency,
    CASE WHEN s.closed_as IS NOT NULL THEN d."Close Date" END AS rate_on,
    s.probability,
    d."Close Date" AS closed_on,
    d."Create Date" AS created_on,
    CASE d."Deal Type"
        WHEN 'newbusiness' THEN 'new'
        WHEN 'existingbusiness' THEN 'expansion'
        WHEN 'winback' THEN 'returning'
        WHEN 'renewal' THEN 'renewal'
    END AS kind,
    CASE d."Original Source"
        WHEN 'Organic Search' THEN 'Web'
        WHEN 'Paid Search' THEN 'Web'
        WHEN 'Offline Sources' THEN 'Trade Fair'
        WHEN 'Email Marketing' THEN 'Newsletter'
        WHEN 'Referrals' THEN 'Referral'
        WHEN 'Other Campaigns' THEN 'Partner'
        ELSE d."Original Source"
    END AS source,
    d."Competitor" AS competitor,
    d."Closed Lost Reason" AS loss_reason,
    d."Forecast category" AS forecast_category,
    d."Next step" AS next_step,
    -- Deals that were migrated name this id in the other CRM.
    d."Record ID" AS shared_key
FROM deals AS d
LEFT JOIN stages AS s ON s.stage_name = d."Deal Stage"
LEFT JOIN people AS p ON p.name = d."Deal owner" AND p.place = 1
