/*---
from = "assignments"
into = "assignments"
---*/
SELECT "_row", user_id AS rep_id, team_id, role, starts_on, ends_on
FROM assignments
