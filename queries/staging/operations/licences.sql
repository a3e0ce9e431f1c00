/*---
from = "licences"
into = "licences"
---*/
SELECT "_row", tool, starts_on, ends_on, seats, cost
FROM licences
