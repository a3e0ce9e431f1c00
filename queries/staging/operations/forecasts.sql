/*---
from = "forecasts"
into = "forecasts"
---*/
SELECT "_row", forecast_id, method, user_id AS rep_id, made_on, starts_on, ends_on, amount
FROM forecasts
