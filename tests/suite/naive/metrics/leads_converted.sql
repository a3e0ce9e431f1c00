/*---
title      = "Leads converted"
question   = "How many of our leads become deals?"
definition = "Leads converted within ninety days, of all leads, by the day they came."
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "higher"
record     = "leads"
slices     = ["source", "tenure_band"]
cohort_days = 90
cadence    = ["month", "quarter"]
needs      = ["leads"]
---*/
SELECT lead_id AS record_id, rep_id, created_on AS event_date, converted_on, source
FROM leads
