/*---
title      = "New leads"
question   = "How many people came to us who might buy?"
definition = "Leads by the day they were created, for today's owner of the lead."
aliases    = ["leads created", "inquiries"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "higher"
record     = "leads"
slices     = ["source"]
cadence    = ["week", "month", "quarter", "year"]
needs      = ["leads"]
---*/
SELECT lead_id AS record_id, rep_id, created_on AS event_date, source
FROM leads
