/*---
title    = "people have a quota but no team today, and stand as unassigned"
severity = "warning"
help     = "add an assignment that covers today, or end the quota of who has left"
---*/
SELECT DISTINCT t.rep_id
FROM targets AS t
JOIN membership AS m ON m.rep_id = t.rep_id
WHERE m.level = 'team' AND m.entity = 'unassigned'
    AND m.valid_from <= $as_of AND $as_of < m.valid_to
    AND t.starts_on <= $as_of AND $as_of <= t.ends_on
ORDER BY t.rep_id
