/*---
title      = "Cost per active tool user"
question   = "What do we pay for each person who uses a tool?"
definition = "For each month of a tool's licence: its cost / people who used the tool on at least one of its days, by the licence's first day, up to the date of the report. Longer periods add up both over their months: the cost of a user's month."
aliases    = ["cost per user"]
unit       = "money"
measure    = "flow"
aggregate  = "ratio"
better     = "lower"
record     = "licences"
trace      = { table = "licences", record = "tool", day = "starts_on", order = ["tool"] }
slices     = ["tool"]
cadence    = ["month", "quarter", "year"]
levels     = ["company"]
needs      = ["licences", "tool_use"]
---*/
SELECT
    l.tool AS record_id,
    CAST(NULL AS VARCHAR) AS rep_id,
    l.starts_on AS event_date,
    l.cost AS numerator,
    COUNT(DISTINCT u.rep_id) AS denominator,
    l.tool
FROM licences AS l
LEFT JOIN tool_use AS u ON u.tool = l.tool AND u.used_on >= l.starts_on AND u.used_on <= LEAST(l.ends_on, $as_of)
WHERE l.starts_on <= $as_of
GROUP BY l.tool, l.starts_on, l.cost
