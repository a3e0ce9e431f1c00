/*---
title      = "Forecast bias"
question   = "Do we expect too much, or too little?"
definition = "(Forecast - booked) / booked, of forecasts whose period is over, by the period's last day. Of the forecasts that one method gives for one rep and period, the last one made on or before its first day counts; if there is none, the first one made after. Booked is the amount of the rep's won opportunities that closed in the forecast's period; of shared ones the rep's share, rounded to the cent. Periods for which nobody forecast anything are left out."
aliases    = ["over-forecasting", "optimism"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "neither"
record     = "forecasts"
slices     = ["method"]
cadence    = ["month", "quarter", "year"]
needs      = ["forecasts", "opportunities"]
---*/
WITH placed AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY rep_id, method, starts_on, ends_on
            ORDER BY made_on > starts_on, ABS(CAST(made_on AS INT) - CAST(starts_on AS INT)), forecast_id
        ) AS place
    FROM forecasts
    WHERE ends_on <= $as_of
),
shares AS (
    SELECT record_id, rep_id, SUM(share) AS share
    FROM credits
    WHERE record_table = 'opportunities' AND kind = 'revenue'
    GROUP BY record_id, rep_id
),
won AS (
    SELECT
        COALESCE(s.rep_id, o.credited_rep_id) AS rep_id,
        o.closed_on,
        CAST(
            CAST(COALESCE(o.amount, 0) AS DECIMAL(20, 2)) * CAST(COALESCE(s.share, 1) AS DECIMAL(9, 6))
            AS DECIMAL(20, 2)
        ) AS amount
    FROM opportunities AS o
    LEFT JOIN shares AS s ON s.record_id = o.opportunity_id
    WHERE o.closed_as = 'won'
),
booked AS (
    SELECT f.forecast_id, SUM(w.amount) AS amount
    FROM placed AS f
    JOIN won AS w ON w.rep_id = f.rep_id AND w.closed_on >= f.starts_on AND w.closed_on <= f.ends_on
    WHERE f.place = 1
    GROUP BY f.forecast_id
)
SELECT
    f.forecast_id AS record_id,
    f.rep_id,
    f.ends_on AS event_date,
    f.amount - COALESCE(b.amount, 0) AS numerator,
    COALESCE(b.amount, 0) AS denominator,
    f.method
FROM placed AS f
LEFT JOIN booked AS b ON b.forecast_id = f.forecast_id
WHERE f.place = 1
