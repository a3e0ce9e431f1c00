/*---
title    = "Not counted, and why"
question = "Which records could not be counted? Once they are corrected in the CRM, they count in the next night."
record   = "opportunities"
empty    = "Everything was counted."
order    = "what, name, reason"
limit    = 12
columns  = [
    { name = "name", title = "Record", kind = "text" },
    { name = "what", title = "Kind", kind = "text" },
    { name = "rep", title = "Rep", kind = "text", levels = ["team", "region", "company"] },
    { name = "reason", title = "Why", kind = "text" },
]
---*/
SELECT
    q.rep_id,
    $measured_on AS day,
    COALESCE(q.name, q.record_id) AS name,
    REPLACE(q.model_table, '_', ' ') AS what,
    r.name AS rep,
    q.reason
FROM quarantined AS q
JOIN reps AS r ON r.rep_id = q.rep_id
