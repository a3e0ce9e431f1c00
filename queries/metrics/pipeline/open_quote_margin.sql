/*---
title      = "Margin of open quotes"
question   = "How much of each euro that we offer should we keep?"
definition = "(Offered amount - cost) / offered amount, of the quotes that were open on the measuring day and have both."
aliases    = ["offered margin rate"]
unit       = "percent"
measure    = "stock"
aggregate  = "ratio"
better     = "higher"
record     = "quotes"
facts      = "open_quote_profit"
cadence    = ["week", "month", "quarter", "year"]
needs      = ["quotes"]
---*/
