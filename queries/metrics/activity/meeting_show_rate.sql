/*---
title      = "Meeting show rate"
question   = "Of the meetings that were due, how many took place?"
definition = "Meetings held / meetings due, by the day they were due, up to the date of the report. A meeting that was cancelled or put off was not due; one whose day has passed and that was not marked as held did not take place."
aliases    = ["show rate", "no-show rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "activities"
slices     = ["purpose"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["activities"]
minimum_n  = 10
---*/
SELECT
    activity_id AS record_id,
    rep_id,
    happened_on AS event_date,
    CASE WHEN is_completed THEN 1 ELSE 0 END AS numerator,
    1 AS denominator,
    purpose
FROM activities
WHERE kind = 'meeting'
    AND happened_on <= $as_of
    AND COALESCE(LOWER(status), '') NOT IN ('cancelled', 'canceled', 'rescheduled')
