/*---
title      = "Pipeline coverage"
question   = "Is there enough in the pipeline to reach the quota?"
definition = "Open pipeline that is due within the period / what is missing to the period's quota (quota - bookings so far). Once the quota is reached it is met; without a quota there is nothing to cover."
aliases    = ["coverage ratio"]
unit       = "ratio"
better     = "higher"
formula    = "due(open_pipeline) / (CASE WHEN target(bookings) > 0 THEN target(bookings) - bookings END)"
empty      = "without a quota there is nothing to cover"
states     = { met = "target(bookings) > 0 AND bookings >= target(bookings)" }
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "targets"]
benchmark  = { figure = "3", source = "a rule of thumb among sales leaders" }
---*/
