/*---
title      = "Proposals sent"
question   = "How many offers did we make?"
definition = "Quotes on the day they were presented to the customer, for the quote's rep or, if it has none, the opportunity's. Drafts do not count; of an opportunity with two quotes both do."
aliases    = ["quotes presented", "offers made"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "quotes"
slices     = ["kind", "segment"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["quotes"]
---*/
SELECT
    q.quote_id AS record_id,
    COALESCE(q.rep_id, o.credited_rep_id) AS rep_id,
    q.presented_on AS event_date,
    o.kind,
    a.segment
FROM quotes AS q
LEFT JOIN opportunities AS o ON o.opportunity_id = q.opportunity_id
LEFT JOIN accounts AS a ON a.account_id = o.account_id
WHERE q.presented_on IS NOT NULL AND q.status <> 'draft'
