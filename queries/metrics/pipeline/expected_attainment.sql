/*---
title      = "Expected attainment"
question   = "Where shall we end, if the pipeline keeps its word?"
definition = "(Bookings so far + weighted pipeline that is due within the period) / the period's quota. In a period that is over, what is due is what should have closed in it and was still open at its end. Empty without a quota."
aliases    = ["projected attainment", "forecast attainment"]
unit       = "percent"
better     = "higher"
formula    = "(bookings + due(weighted_pipeline)) / target(bookings)"
empty      = "without a quota there is nothing to attain"
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history", "stages", "targets"]
---*/
