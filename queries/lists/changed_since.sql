/*---
title    = "Earlier periods that changed"
question = "Which deals of periods that were over did somebody book or take back in this one?"
record   = "opportunities"
empty    = "No deal of an earlier period was booked or taken back in this one."
order    = "amount DESC NULLS LAST, closed_on, deal"
limit    = 10
columns  = [
    { name = "account", title = "Customer", kind = "text" },
    { name = "deal", title = "Deal", kind = "text" },
    { name = "rep", title = "Rep", kind = "text", levels = ["team", "region", "company"] },
    { name = "what", title = "What happened", kind = "text" },
    { name = "closed_on", title = "Closed", kind = "date" },
    { name = "amount", title = "Amount", kind = "money" },
]
---*/
WITH before AS (
    SELECT opportunity_id, closed_as, closed_on, amount
    FROM opportunity_versions
    WHERE valid_from < $period_start AND (valid_to IS NULL OR $period_start <= valid_to)
),
now_known AS (
    SELECT opportunity_id, closed_as, closed_on, amount
    FROM opportunity_versions
    WHERE valid_from <= $measured_on AND (valid_to IS NULL OR $measured_on < valid_to)
),
compared AS (
    SELECT
        n.opportunity_id,
        CASE
            WHEN n.closed_as = 'won' AND n.closed_on < $period_start AND b.closed_as IS DISTINCT FROM 'won'
                THEN 'booked after its period was over'
            WHEN b.closed_as = 'won' AND b.closed_on < $period_start AND n.closed_as IS NULL THEN 'reopened'
            WHEN b.closed_as = 'won' AND b.closed_on < $period_start AND n.closed_as <> 'won' THEN 'taken back'
        END AS what,
        CASE WHEN n.closed_as = 'won' THEN n.closed_on ELSE b.closed_on END AS closed_on,
        CASE WHEN n.closed_as = 'won' THEN n.amount ELSE b.amount END AS amount
    FROM now_known AS n
    LEFT JOIN before AS b ON b.opportunity_id = n.opportunity_id
)
SELECT
    o.credited_rep_id AS rep_id,
    $measured_on AS day,
    a.name AS account,
    o.name AS deal,
    r.name AS rep,
    c.what,
    c.closed_on,
    c.amount
FROM compared AS c
JOIN opportunities AS o ON o.opportunity_id = c.opportunity_id
LEFT JOIN accounts AS a ON a.account_id = o.account_id
LEFT JOIN reps AS r ON r.rep_id = o.credited_rep_id
WHERE c.what IS NOT NULL
