/*---
title      = "Touches"
question   = "How often did we reach out, and by what means?"
definition = "Outbound calls, e-mails that we sent, and meetings that took place, on their day. Tasks of other kinds are no touches."
aliases    = ["activity mix", "outreach"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "activities"
slices     = ["kind", "segment"]
cadence    = ["day", "week", "month", "quarter", "year"]
needs      = ["activities"]
---*/
SELECT
    t.activity_id AS record_id,
    t.rep_id,
    t.happened_on AS event_date,
    t.kind,
    a.segment
FROM activities AS t
LEFT JOIN accounts AS a ON a.account_id = t.account_id
WHERE t.is_completed
    AND (
        (t.kind = 'call' AND t.direction = 'outbound')
        OR (t.kind IN ('email', 'meeting') AND t.direction IS DISTINCT FROM 'inbound')
    )
