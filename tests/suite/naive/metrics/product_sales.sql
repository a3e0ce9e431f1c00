/*---
title      = "Sales by product"
question   = "How much by product?"
definition = "Won amounts of their owners, shared over products."
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
slices     = ["kind", "product"]
allocated  = ["product"]
cadence    = ["month", "quarter"]
facts      = "product_bookings"
---*/
