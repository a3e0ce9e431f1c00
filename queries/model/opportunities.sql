/*---
reads    = ["opportunities", "opportunity_history", "opportunity_nights", "opportunity_owners", "stages"]
may_lack = ["opportunity_history", "opportunity_nights", "opportunity_owners"]
---*/
-- A closed deal stays with the one who had it when it was closed, whoever the CRM names later. That moment is the first
-- change into a closed stage after the last one into an open stage; a deal without history closed at the end of its day.
-- Whose it was then is what the CRM remembers of its owners: the last change up to then says to whom, else the first one
-- after says from whom. A deal without any change of owner is its owner's in the first night that shows it closed.
WITH changes AS (
    SELECT h.opportunity_id, h.changed_at, s.closed_as IS NOT NULL AS is_closed
    FROM opportunity_history AS h
    LEFT JOIN stages AS s ON s.source_stage = h.source_stage
),
last_open AS (
    SELECT opportunity_id, MAX(changed_at) AS changed_at FROM changes WHERE NOT is_closed GROUP BY opportunity_id
),
closings AS (
    SELECT c.opportunity_id, MIN(c.changed_at) AS closed_at
    FROM changes AS c
    LEFT JOIN last_open AS l ON l.opportunity_id = c.opportunity_id
    WHERE c.is_closed AND (l.changed_at IS NULL OR c.changed_at >= l.changed_at)
    GROUP BY c.opportunity_id
),
owners AS (
    SELECT
        w.opportunity_id, w.from_rep_id, w.to_rep_id, w.changed_at, w.history_id,
        CASE WHEN c.closed_at IS NULL THEN w.changed_on <= o.closed_on ELSE w.changed_at <= c.closed_at END AS is_before
    FROM opportunity_owners AS w
    JOIN opportunities AS o ON o.opportunity_id = w.opportunity_id
    LEFT JOIN closings AS c ON c.opportunity_id = w.opportunity_id
    WHERE o.closed_as IS NOT NULL
),
before AS (
    SELECT
        opportunity_id, to_rep_id,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY changed_at DESC, history_id DESC) AS place
    FROM owners
    WHERE is_before
),
after AS (
    SELECT
        opportunity_id, from_rep_id,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY changed_at, history_id) AS place
    FROM owners
    WHERE NOT is_before
),
open_nights AS (
    SELECT n.opportunity_id, MAX(n.valid_from) AS valid_from
    FROM opportunity_nights AS n
    LEFT JOIN stages AS s ON s.source_stage = n.source_stage
    WHERE s.closed_as IS NULL
    GROUP BY n.opportunity_id
),
closed_nights AS (
    SELECT
        n.opportunity_id, n.credited_rep_id,
        ROW_NUMBER() OVER (PARTITION BY n.opportunity_id ORDER BY n.valid_from) AS place
    FROM opportunity_nights AS n
    JOIN stages AS s ON s.source_stage = n.source_stage
    LEFT JOIN open_nights AS l ON l.opportunity_id = n.opportunity_id
    WHERE s.closed_as IS NOT NULL AND (l.valid_from IS NULL OR n.valid_from > l.valid_from)
)
SELECT
    o.opportunity_id, o.name, o.account_id,
    CASE
        WHEN o.closed_as IS NULL THEN o.credited_rep_id
        WHEN b.opportunity_id IS NOT NULL THEN b.to_rep_id
        WHEN a.opportunity_id IS NOT NULL THEN a.from_rep_id
        WHEN n.opportunity_id IS NOT NULL THEN n.credited_rep_id
        ELSE o.credited_rep_id
    END AS credited_rep_id,
    o.source_stage, o.stage, o.closed_as, o.is_won, o.amount, o.currency, o.rate_on, o.amount_original, o.amount_at_plan,
    o.probability, o.closed_on, o.created_on, o.kind, o.source, o.competitor, o.loss_reason, o.forecast_category,
    o.next_step, o.sourced_by_rep_id, o.shared_key
FROM opportunities AS o
LEFT JOIN before AS b ON b.opportunity_id = o.opportunity_id AND b.place = 1
LEFT JOIN after AS a ON a.opportunity_id = o.opportunity_id AND a.place = 1
LEFT JOIN closed_nights AS n ON n.opportunity_id = o.opportunity_id AND n.place = 1
