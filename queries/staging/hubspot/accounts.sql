/*---
from = "companies"
into = "accounts"
lookups = ["owners"]
---*/
-- HubSpot exports people by their names.
WITH people AS (
    SELECT
        CONCAT_WS(' ', "First Name", "Last Name") AS name,
        "User ID" AS rep_id,
        ROW_NUMBER() OVER (PARTITION BY CONCAT_WS(' ', "First Name", "Last Name") ORDER BY "_row") AS place
    FROM owners
)
SELECT
    c."_row",
    c."Record ID" AS account_id,
    c."Company name" AS name,
    c."Parent Company ID" AS parent_account_id,
    c."Industry" AS industry,
    c."Segment" AS segment,
    c."Country/Region" AS country,
    -- What companies type as their site: https://www.name.example/en is name.example.
    NULLIF(REGEXP_REPLACE(LOWER(TRIM(c."Company Domain Name")), '^(https?://)?(www\.)?([^/?#]*).*$', '\3'), '') AS domain,
    p.rep_id,
    c."Create Date" AS created_on
FROM companies AS c
LEFT JOIN people AS p ON p.name = c."Company owner" AND p.place = 1
