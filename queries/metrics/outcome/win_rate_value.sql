/*---
title      = "Win rate by value"
question   = "Of the money in deals that we closed, how much did we win?"
definition = "Amount won / (amount won + amount lost), by the day of closing. Renewals and opportunities closed as disqualified or duplicate do not count."
aliases    = ["value win rate"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "opportunities"
credit     = "revenue"
slices     = ["competitor", "segment"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
minimum_n  = 10
---*/
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    CASE WHEN o.closed_as = 'won' THEN COALESCE(o.amount, 0) ELSE 0 END AS numerator,
    COALESCE(o.amount, 0) AS denominator,
    o.competitor,
    a.segment
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as IN ('won', 'lost') AND (o.kind IS DISTINCT FROM 'renewal')
