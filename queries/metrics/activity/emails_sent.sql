/*---
title      = "E-mails sent"
question   = "How much do we write to customers?"
definition = "E-mails that were sent and did not come in, on the day they were sent. Too few leave customers alone, too many are noise."
aliases    = ["outbound e-mails"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "range"
record     = "activities"
slices     = ["segment"]
cadence    = ["day", "week", "month", "quarter", "year"]
needs      = ["activities"]
---*/
SELECT
    e.activity_id AS record_id,
    e.rep_id,
    e.happened_on AS event_date,
    a.segment
FROM activities AS e
LEFT JOIN accounts AS a ON a.account_id = e.account_id
WHERE e.kind = 'email' AND e.is_completed AND e.direction IS DISTINCT FROM 'inbound'
