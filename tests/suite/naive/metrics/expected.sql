/*---
title      = "Expected"
question   = "What is a deal worth?"
definition = "Win rate by size, and by the year before."
unit       = "money"
better     = "higher"
formula    = "win_rate * deal_size + COALESCE(year_before(win_rate), 0)"
slices     = ["kind", "tenure_band"]
cadence    = ["month", "year"]
---*/
