/*---
title      = "Sales cycle"
question   = "How long does it take us to win a deal?"
definition = "The median number of days from an opportunity's creation to its winning, by the day it was won. A deal that is dated as won before it was created does not count."
aliases    = ["time to close", "median sales cycle"]
unit       = "days"
measure    = "flow"
aggregate  = "median"
better     = "lower"
record     = "opportunities"
slices     = ["segment", "kind"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities"]
minimum_n  = 5
---*/
SELECT
    o.opportunity_id AS record_id,
    o.credited_rep_id AS rep_id,
    o.closed_on AS event_date,
    CAST(o.closed_on AS INT) - CAST(o.created_on AS INT) AS value,
    a.segment,
    o.kind
FROM opportunities AS o
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE o.closed_as = 'won' AND o.closed_on >= o.created_on
