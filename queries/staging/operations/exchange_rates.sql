/*---
from = "exchange_rates"
into = "exchange_rates"
---*/
SELECT "_row", from_currency, valid_on, rate, kind
FROM exchange_rates
