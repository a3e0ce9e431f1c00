/*---
from = "costs"
into = "costs"
---*/
SELECT "_row", cost_id, kind, source, spent_on, amount
FROM costs
