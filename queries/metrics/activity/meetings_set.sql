/*---
title      = "Meetings set"
question   = "How many meetings did we book?"
definition = "Meetings by the day they were booked, whatever became of them. Where the export does not say when a meeting was booked, it counts on the day it was to take place."
aliases    = ["meetings booked", "appointments made"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "activities"
slices     = ["purpose"]
cadence    = ["day", "week", "month", "quarter", "year"]
needs      = ["activities"]
---*/
SELECT
    activity_id AS record_id,
    rep_id,
    COALESCE(created_on, happened_on) AS event_date,
    purpose
FROM activities
WHERE kind = 'meeting'
