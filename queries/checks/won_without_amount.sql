/*---
title    = "won opportunities have no amount and count as nought in bookings"
severity = "warning"
help     = "enter the amount in the CRM"
---*/
SELECT opportunity_id, closed_on
FROM opportunities
WHERE closed_as = 'won' AND amount IS NULL
ORDER BY opportunity_id
