/*---
title    = "opportunities are dated as closed before they were created"
severity = "warning"
help     = "correct the close date in the CRM; until then they have no sales cycle"
---*/
SELECT opportunity_id, created_on, closed_on
FROM opportunities
WHERE closed_as IS NOT NULL AND closed_on < created_on
ORDER BY opportunity_id
