/*---
from = "line_items"
into = "opportunity_lines"
lookups = ["deals", "stages"]
---*/
WITH won_and_lost AS (
    SELECT
        d."Record ID",
        CASE WHEN s.closed_as IS NOT NULL THEN d."Close Date" END AS rate_on,
        ROW_NUMBER() OVER (PARTITION BY d."Record ID" ORDER BY d."_row") AS place
    FROM deals AS d
    LEFT JOIN stages AS s ON s.stage_name = d."Deal Stage"
)
SELECT
    i."_row",
    i."Record ID" AS line_id,
    i."Associated Deal ID" AS opportunity_id,
    i."Product ID" AS product_id,
    i."Quantity" AS quantity,
    TRY_CAST(i."Quantity" AS DECIMAL(14, 4)) * TRY_CAST(i."Unit price" AS DECIMAL(14, 4)) AS list_amount,
    i."Net price" AS amount,
    TRY_CAST(i."Quantity" AS DECIMAL(14, 4)) * TRY_CAST(i."Unit cost" AS DECIMAL(14, 4)) AS cost,
    i."Currency" AS currency,
    d.rate_on
FROM line_items AS i
LEFT JOIN won_and_lost AS d ON d."Record ID" = i."Associated Deal ID" AND d.place = 1
