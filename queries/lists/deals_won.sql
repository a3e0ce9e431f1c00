/*---
title    = "Deals won"
question = "What was won in this period?"
record   = "opportunities"
empty    = "No deals won in this period."
order    = "amount DESC NULLS LAST, closed_on, deal"
limit    = 12
columns  = [
    { name = "account", title = "Customer", kind = "text" },
    { name = "deal", title = "Deal", kind = "text" },
    { name = "rep", title = "Rep", kind = "text", levels = ["team", "region", "company"] },
    { name = "kind", title = "Kind", kind = "text" },
    { name = "closed_on", title = "Closed", kind = "date" },
    { name = "days", title = "Days", kind = "days" },
    { name = "amount", title = "Amount", kind = "money" },
]
---*/
SELECT
    COALESCE(c.rep_id, o.credited_rep_id) AS rep_id,
    o.closed_on AS day,
    a.name AS account,
    o.name AS deal,
    r.name AS rep,
    o.kind,
    o.closed_on,
    CASE WHEN o.closed_on >= o.created_on THEN CAST(o.closed_on AS INT) - CAST(o.created_on AS INT) END AS days,
    -- Of a shared deal everyone has their part.
    CAST(ROUND(o.amount * COALESCE(c.share, 1), 2) AS DECIMAL(38, 2)) AS amount
FROM opportunities AS o
LEFT JOIN credits AS c
    ON c.record_table = 'opportunities' AND c.record_id = o.opportunity_id AND c.kind = 'revenue'
LEFT JOIN accounts AS a ON a.account_id = o.account_id
LEFT JOIN reps AS r ON r.rep_id = COALESCE(c.rep_id, o.credited_rep_id)
WHERE o.closed_as = 'won' AND o.closed_on BETWEEN $period_start AND $period_end
