/*---
from = "products"
into = "products"
---*/
SELECT "_row", "Product ID" AS product_id, "Name" AS name, "Product type" AS family
FROM products
