/*---
title      = "Profit in open quotes"
question   = "What should we earn if all open offers were accepted?"
definition = "Offered amount - cost, of quotes that were open on the measuring day, for the quote's rep or, if it has none, the opportunity's. A quote is open from the day it was presented up to the day before it was decided, at the longest up to the day on which it expires. Without an amount or a cost it does not count, nor if it is no longer open and nobody knows since when."
aliases    = ["offered margin", "quote profit"]
unit       = "money"
measure    = "stock"
aggregate  = "sum"
better     = "higher"
record     = "quotes"
cadence    = ["week", "month", "quarter", "year"]
needs      = ["quotes"]
---*/
SELECT
    q.quote_id AS record_id,
    COALESCE(q.rep_id, o.credited_rep_id) AS rep_id,
    q.presented_on AS valid_from,
    LEAST(q.decided_on, q.expires_on + INTERVAL '1 day') AS valid_to,
    q.amount - q.cost AS value,
    -- For open_quote_margin, which shares these facts.
    q.amount - q.cost AS numerator,
    q.amount AS denominator
FROM quotes AS q
LEFT JOIN opportunities AS o ON o.opportunity_id = q.opportunity_id
WHERE q.presented_on IS NOT NULL AND q.status <> 'draft'
    AND q.amount IS NOT NULL AND q.cost IS NOT NULL
    AND (q.status = 'presented' OR q.decided_on IS NOT NULL OR q.expires_on IS NOT NULL)
