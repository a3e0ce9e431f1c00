/*---
title    = "opportunities are closed on a day that is still to come"
severity = "warning"
help     = "correct the close date in the CRM; until then they count in the period of that day"
---*/
SELECT opportunity_id, closed_as, closed_on
FROM opportunities
WHERE closed_as IS NOT NULL AND closed_on > $as_of
ORDER BY opportunity_id
