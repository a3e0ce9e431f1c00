/*---
title      = "Share of the ten largest accounts"
question   = "How much do we depend on a few customers?"
definition = "Bookings of the ten accounts that bought most in the period / all bookings. What was sold to no account is among all bookings alone."
aliases    = ["customer concentration"]
unit       = "percent"
measure    = "flow"
aggregate  = "ratio"
better     = "neither"
record     = "accounts"
cadence    = ["month", "quarter", "year"]
levels     = ["team", "region", "company"]
reads      = ["bookings_by_account"]
needs      = ["opportunities", "accounts"]
minimum_n  = 20
---*/
WITH named AS (
    SELECT
        account_id,
        CASE WHEN COUNT(*) OVER (PARTITION BY name) > 1 THEN name || ' (' || account_id || ')' ELSE name END AS account
    FROM accounts
),
placed AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY level, entity, grain, period_start ORDER BY slice_value = '(none)', value DESC, slice_value
        ) AS place
    FROM scores
    WHERE metric = 'bookings_by_account' AND slice = 'account' AND n > 0
)
SELECT
    COALESCE(a.account_id, p.slice_value) AS record_id,
    p.level,
    p.entity,
    p.grain,
    p.period_start,
    CASE WHEN p.place <= 10 AND p.slice_value <> '(none)' THEN p.value ELSE 0 END AS numerator,
    p.value AS denominator
FROM placed AS p
LEFT JOIN named AS a ON a.account = p.slice_value
