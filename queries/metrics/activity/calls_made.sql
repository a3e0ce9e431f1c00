/*---
title      = "Calls made"
question   = "How often did we pick up the phone?"
definition = "Outbound calls, answered or not, on the day they were made. Attempts show effort, connects show luck."
aliases    = ["dials", "outbound calls"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "activities"
slices     = ["purpose", "segment", "outcome", "hour_band", "weekday"]
cadence    = ["day", "week", "month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["activities"]
---*/
SELECT
    c.activity_id AS record_id,
    c.rep_id,
    c.happened_on AS event_date,
    -- For the connect rate, which shares these facts.
    CASE WHEN LOWER(c.outcome) = 'connected' THEN 1 ELSE 0 END AS numerator,
    1 AS denominator,
    c.purpose,
    a.segment,
    c.outcome,
    CASE
        WHEN DATE_PART('hour', c.happened_at) < 9 THEN 'before 9'
        WHEN DATE_PART('hour', c.happened_at) < 12 THEN '9 to 12'
        WHEN DATE_PART('hour', c.happened_at) < 14 THEN '12 to 14'
        WHEN DATE_PART('hour', c.happened_at) < 17 THEN '14 to 17'
        WHEN c.happened_at IS NOT NULL THEN 'after 17'
    END AS hour_band,
    CASE CAST(DATE_PART('dow', c.happened_on) AS INT)
        WHEN 1 THEN '1 Monday'
        WHEN 2 THEN '2 Tuesday'
        WHEN 3 THEN '3 Wednesday'
        WHEN 4 THEN '4 Thursday'
        WHEN 5 THEN '5 Friday'
        WHEN 6 THEN '6 Saturday'
        ELSE '7 Sunday'
    END AS weekday
FROM activities AS c
LEFT JOIN accounts AS a ON a.account_id = c.account_id
WHERE c.kind = 'call' AND c.direction = 'outbound' AND c.is_completed
