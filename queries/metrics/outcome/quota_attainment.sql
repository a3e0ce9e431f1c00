/*---
title      = "Quota attainment"
question   = "How much of the quota did we sell?"
definition = "Bookings / the quota of the same days. A quota is spread evenly over its working days, so that any period has the quota of its days."
aliases    = ["attainment", "percent to quota"]
unit       = "percent"
better     = "higher"
formula    = "bookings / target(bookings)"
empty      = "without a quota there is nothing to attain"
slices     = ["kind"]
cadence    = ["month", "quarter", "year"]
levels     = ["rep", "rep_in_team", "team", "region", "company"]
needs      = ["opportunities", "targets"]
---*/
