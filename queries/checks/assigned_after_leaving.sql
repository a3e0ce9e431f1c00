/*---
title    = "people have an assignment that starts after they left, and stand as unassigned"
severity = "warning"
help     = "empty the day on which they left if they are back, or drop the assignment"
---*/
SELECT a.rep_id, r.left_on, a.team_id, a.starts_on
FROM assignments AS a
JOIN reps AS r ON r.rep_id = a.rep_id
WHERE a.starts_on > r.left_on
ORDER BY a.rep_id, a.starts_on
