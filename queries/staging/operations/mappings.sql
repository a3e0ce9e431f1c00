/*---
from = "mappings"
into = "mappings"
---*/
SELECT "_row", record_table, record_id, same_as, is_same
FROM mappings
