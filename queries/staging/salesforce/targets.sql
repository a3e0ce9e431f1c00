/*---
from = "quotas"
into = "targets"
---*/
SELECT "_row", quota_id AS target_id, metric, user_id AS rep_id, starts_on, ends_on, amount, currency
FROM quotas
