/*---
title      = "Meetings held"
question   = "How many meetings took place?"
definition = "Meetings that took place, on their day. Those that were cancelled, or to which the customer did not come, do not count."
aliases    = ["completed meetings", "demos held"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "activities"
slices     = ["purpose"]
cadence    = ["day", "week", "month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["activities"]
---*/
SELECT
    activity_id AS record_id,
    rep_id,
    happened_on AS event_date,
    purpose
FROM activities
WHERE kind = 'meeting' AND is_completed
