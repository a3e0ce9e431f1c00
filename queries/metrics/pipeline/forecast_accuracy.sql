/*---
title      = "Forecast accuracy"
question   = "How near did our forecasts come?"
definition = "1 - the distance between forecast and booked / booked, of forecasts whose period is over; nought or less if it was missed by all that was booked or more. Too much for one rep makes up for too little for another. Of the forecasts that one method gives for one rep and period, the last one made on or before its first day counts; if there is none, the first one made after."
aliases    = ["forecast precision"]
unit       = "percent"
better     = "higher"
formula    = "1 - ABS(forecast_bias)"
slices     = ["method"]
cadence    = ["month", "quarter", "year"]
needs      = ["forecasts", "opportunities"]
---*/
