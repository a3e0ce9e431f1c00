/*---
title    = "Deals to act on"
question = "Which open deals need somebody now, and why?"
record   = "opportunities"
empty    = "No open deal is overdue, stalled, close to its date without a next step, or large and untouched."
order    = "amount DESC NULLS LAST, closed_on, deal"
limit    = 10
columns  = [
    { name = "account", title = "Customer", kind = "text" },
    { name = "deal", title = "Deal", kind = "text" },
    { name = "rep", title = "Rep", kind = "text", levels = ["team", "region", "company"] },
    { name = "why", title = "Why now", kind = "text" },
    { name = "closed_on", title = "Due", kind = "date" },
    { name = "amount", title = "Amount", kind = "money" },
]
---*/
WITH touched AS (
    SELECT opportunity_id, MAX(happened_on) AS touched_on
    FROM activities
    WHERE opportunity_id IS NOT NULL AND is_completed AND happened_on <= $measured_on
    GROUP BY opportunity_id
),
open_now AS (
    SELECT
        v.opportunity_id, o.credited_rep_id AS rep_id, o.name AS deal, o.account_id, o.created_on, o.next_step,
        COALESCE(v.closed_on, o.closed_on) AS closed_on, v.amount, AVG(v.amount) OVER () AS mean_amount
    FROM opportunity_versions AS v
    JOIN opportunities AS o ON o.opportunity_id = v.opportunity_id
    WHERE v.closed_as IS NULL
        AND v.valid_from <= $measured_on AND (v.valid_to IS NULL OR $measured_on < v.valid_to)
),
judged AS (
    SELECT
        n.rep_id, n.deal, n.account_id, n.closed_on, n.amount,
        CONCAT_WS('; ',
            CASE WHEN n.closed_on < $measured_on THEN
                CONCAT('due ', CAST(CAST($measured_on AS INT) - CAST(n.closed_on AS INT) AS VARCHAR), ' days ago') END,
            CASE WHEN n.closed_on >= $measured_on AND n.closed_on <= $measured_on + INTERVAL '30 days' AND n.next_step IS NULL
                THEN 'due within 30 days, no next step' END,
            -- Stalled, as the metrics have it: for either reason, or both.
            CASE WHEN s.too_long_on <= $measured_on THEN
                CONCAT('open ', CAST(CAST($measured_on AS INT) - CAST(s.open_since AS INT) AS VARCHAR),
                    ' days, usual are about ', CAST(s.usual_days_open AS VARCHAR)) END,
            CASE WHEN s.stuck_on <= $measured_on THEN
                CONCAT('in ', s.stage, ' for ', CAST(CAST($measured_on AS INT) - CAST(s.in_stage_since AS INT) AS VARCHAR),
                    ' days, usual are about ', CAST(s.usual_days_in_stage AS VARCHAR)) END,
            CASE WHEN n.amount > 2 * n.mean_amount
                AND COALESCE(t.touched_on, n.created_on) < $measured_on - INTERVAL '30 days' THEN
                CONCAT('large, untouched for ',
                    CAST(CAST($measured_on AS INT) - CAST(COALESCE(t.touched_on, n.created_on) AS INT) AS VARCHAR), ' days') END
        ) AS why
    FROM open_now AS n
    LEFT JOIN stalls AS s ON s.opportunity_id = n.opportunity_id
        AND s.valid_from <= $measured_on AND (s.valid_to IS NULL OR $measured_on < s.valid_to)
    LEFT JOIN touched AS t ON t.opportunity_id = n.opportunity_id
)
SELECT
    j.rep_id,
    $measured_on AS day,
    a.name AS account,
    j.deal,
    r.name AS rep,
    j.why,
    j.closed_on,
    j.amount
FROM judged AS j
LEFT JOIN accounts AS a ON a.account_id = j.account_id
LEFT JOIN reps AS r ON r.rep_id = j.rep_id
WHERE j.why <> ''
