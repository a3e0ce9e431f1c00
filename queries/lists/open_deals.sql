/*---
title    = "Open deals worth most"
question = "Which open deals matter most, and when are they due?"
record   = "opportunities"
empty    = "No open deals."
order    = "amount DESC NULLS LAST, closed_on, deal"
limit    = 10
columns  = [
    { name = "account", title = "Customer", kind = "text" },
    { name = "deal", title = "Deal", kind = "text" },
    { name = "rep", title = "Rep", kind = "text", levels = ["team", "region", "company"] },
    { name = "stage", title = "Stage", kind = "text" },
    { name = "closed_on", title = "Due", kind = "date" },
    { name = "next_step", title = "Next step", kind = "text" },
    { name = "amount", title = "Amount", kind = "money" },
]
---*/
SELECT
    v.credited_rep_id AS rep_id,
    $measured_on AS day,
    a.name AS account,
    o.name AS deal,
    r.name AS rep,
    v.stage,
    o.closed_on,
    o.next_step,
    v.amount
FROM opportunity_versions AS v
JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
LEFT JOIN accounts AS a ON a.account_id = o.account_id
LEFT JOIN reps AS r ON r.rep_id = o.credited_rep_id
WHERE v.closed_as IS NULL
    AND v.valid_from <= $measured_on AND (v.valid_to IS NULL OR $measured_on < v.valid_to)
