/*---
from = "Product2"
into = "products"
---*/
SELECT "_row", "Id" AS product_id, "Name" AS name, "Family" AS family
FROM "Product2"
