/*---
title      = "Slipped opportunities"
question   = "How many deals did not close when they were meant to?"
definition = "Open opportunities whose close date was moved to a later calendar month and that stayed open, on the date at which they were to close, for who owned them before the move. What slips from one month to the next and on to a third counts in both; moved twice from one date, it counts once."
aliases    = ["pushed deals", "slippage"]
unit       = "count"
measure    = "flow"
aggregate  = "count"
better     = "lower"
record     = "opportunities"
slices     = ["stage"]
cadence    = ["month", "quarter", "year"]
needs      = ["opportunities", "opportunity_history"]
---*/
WITH steps AS (
    SELECT
        *,
        LEAD(valid_from) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_from,
        LEAD(closed_on) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_closed_on,
        LEAD(closed_as) OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS next_closed_as
    FROM opportunity_versions
),
-- Of several moves away from one date the last says the stage.
slips AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id, credited_rep_id, closed_on ORDER BY valid_from DESC) AS place
    FROM steps
    WHERE closed_as IS NULL AND next_from = valid_to AND next_closed_as IS NULL
        -- Months are counted from the year nought: a month's first day as a moment would go to nanoseconds.
        AND 12 * DATE_PART('year', next_closed_on) + DATE_PART('month', next_closed_on)
            > 12 * DATE_PART('year', closed_on) + DATE_PART('month', closed_on)
)
SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date, stage
FROM slips
WHERE place = 1
