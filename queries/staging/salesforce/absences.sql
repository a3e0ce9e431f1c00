/*---
from = "absences"
into = "absences"
---*/
SELECT "_row", user_id AS rep_id, starts_on, ends_on, share, kind
FROM absences
