/*---
title      = "Customer touch coverage"
question   = "Of our customers, to how many did we talk lately?"
definition = "Active customers with a touch in the ninety days up to the measuring day / active customers, on the period's last day or the date of the report. Active is who bought in the twelve months up to that day. A touch is an outbound call, an e-mail that we sent or a meeting that took place, by anyone, with any account of the customer. Each customer counts for today's owner of its account."
aliases    = ["account coverage", "customers contacted"]
unit       = "percent"
better     = "higher"
formula    = "touched_customers / active_customers"
slices     = ["segment"]
cadence    = ["month", "quarter", "year"]
needs      = ["activities", "opportunities", "accounts"]
---*/
