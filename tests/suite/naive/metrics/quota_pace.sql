/*---
title      = "Attainment by the month"
question   = "How much of the quota is a month's?"
definition = "Attainment of 60 days over their months."
unit       = "percent"
better     = "higher"
formula    = "quota_attainment / months()"
slices     = ["kind"]
cadence    = ["month", "year"]
window     = "60 days"
---*/
