/*---
reads    = ["opportunities", "opportunity_history", "opportunity_nights", "opportunity_owners", "stages"]
may_lack = ["opportunity_nights", "opportunity_owners"]
---*/
-- From the first night of its source on, a deal stood as the nights show it. Before, as the CRM remembers: stage, amount
-- and close date from its history, where of several changes on one day the last one stands, and the owner from the changes
-- of owner. A deal without history stood as it was first seen since it was created, and if it was closed, it was open
-- until then, in a stage that no one knows. A stage that is not mapped is not open, and a deal that is known in no other
-- never was.
WITH landed AS (
    SELECT SPLIT_PART(opportunity_id, ':', 1) AS source, MIN(valid_from) AS first_night
    FROM opportunity_nights
    GROUP BY SPLIT_PART(opportunity_id, ':', 1)
),
first_shown AS (
    SELECT
        opportunity_id, valid_from, source_stage, amount, closed_on, created_on, credited_rep_id,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY valid_from) AS place
    FROM opportunity_nights
),
-- Each deal as it is known first, and the day from which nights tell of it.
deals AS (
    SELECT
        n.opportunity_id, LEAST(n.valid_from, l.first_night) AS told_from, n.source_stage, s.stage,
        CASE WHEN s.source_stage IS NULL THEN 'unknown' ELSE s.closed_as END AS closed_as,
        n.amount, n.closed_on, n.created_on, n.credited_rep_id
    FROM first_shown AS n
    LEFT JOIN landed AS l ON l.source = SPLIT_PART(n.opportunity_id, ':', 1)
    LEFT JOIN stages AS s ON s.source_stage = n.source_stage
    WHERE n.place = 1
    UNION ALL
    SELECT
        o.opportunity_id, DATE '9999-12-31' AS told_from, o.source_stage, o.stage,
        CASE
            WHEN o.source_stage IS NOT NULL AND o.stage IS NULL AND s.source_stage IS NULL THEN 'unknown'
            ELSE o.closed_as
        END AS closed_as,
        o.amount, o.closed_on, o.created_on, o.credited_rep_id
    FROM opportunities AS o
    LEFT JOIN stages AS s ON s.source_stage = o.source_stage
    LEFT ANTI JOIN opportunity_nights AS n ON n.opportunity_id = o.opportunity_id
),
owner_changes AS (
    SELECT
        opportunity_id, changed_on, from_rep_id, to_rep_id,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY changed_at, history_id) AS first_place,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id, changed_on ORDER BY changed_at DESC, history_id DESC) AS last_place
    FROM opportunity_owners
),
owners AS (
    SELECT opportunity_id, DATE '1900-01-01' AS owned_from, changed_on AS owned_to, from_rep_id AS credited_rep_id
    FROM owner_changes
    WHERE first_place = 1
    UNION ALL
    SELECT
        opportunity_id, changed_on AS owned_from,
        COALESCE(
            LEAD(changed_on) OVER (PARTITION BY opportunity_id ORDER BY changed_on), DATE '9999-12-31'
        ) AS owned_to,
        to_rep_id AS credited_rep_id
    FROM owner_changes
    WHERE last_place = 1
    UNION ALL
    SELECT d.opportunity_id, DATE '1900-01-01' AS owned_from, DATE '9999-12-31' AS owned_to, d.credited_rep_id
    FROM deals AS d
    LEFT ANTI JOIN opportunity_owners AS w ON w.opportunity_id = d.opportunity_id
),
last_of_day AS (
    SELECT
        h.opportunity_id, h.changed_on, h.source_stage, h.amount, h.closed_on, d.told_from,
        ROW_NUMBER() OVER (
            PARTITION BY h.opportunity_id, h.changed_on ORDER BY h.changed_at DESC, h.history_id DESC
        ) AS place
    FROM opportunity_history AS h
    JOIN deals AS d ON d.opportunity_id = h.opportunity_id
    WHERE h.changed_on < d.told_from
),
remembered AS (
    SELECT
        h.opportunity_id,
        h.changed_on AS stood_from,
        COALESCE(
            LEAD(h.changed_on) OVER (PARTITION BY h.opportunity_id ORDER BY h.changed_on), h.told_from
        ) AS stood_to,
        h.source_stage, s.stage, s.position, s.probability,
        CASE WHEN s.source_stage IS NULL THEN 'unknown' ELSE s.closed_as END AS closed_as,
        h.amount, h.closed_on
    FROM last_of_day AS h
    LEFT JOIN stages AS s ON s.source_stage = h.source_stage
    WHERE h.place = 1
),
without_history AS (
    SELECT d.*
    FROM deals AS d
    LEFT ANTI JOIN opportunity_history AS h ON h.opportunity_id = d.opportunity_id
),
before_nights AS (
    SELECT * FROM remembered
    UNION ALL
    SELECT
        d.opportunity_id,
        d.created_on AS stood_from,
        CASE
            WHEN d.closed_as IS NULL THEN d.told_from
            ELSE LEAST(COALESCE(d.closed_on, d.created_on), d.told_from)
        END AS stood_to,
        d.source_stage,
        CASE WHEN d.closed_as IS NULL THEN d.stage END AS stage,
        CASE WHEN d.closed_as IS NULL THEN s.position END AS position,
        CASE WHEN d.closed_as IS NULL THEN s.probability END AS probability,
        CAST(NULL AS VARCHAR) AS closed_as,
        d.amount,
        d.closed_on
    FROM without_history AS d
    LEFT JOIN stages AS s ON s.source_stage = d.source_stage
    WHERE d.closed_as IS DISTINCT FROM 'unknown'
    UNION ALL
    SELECT
        d.opportunity_id,
        CASE WHEN d.closed_as = 'unknown' THEN d.created_on ELSE GREATEST(d.closed_on, d.created_on) END AS stood_from,
        d.told_from AS stood_to, d.source_stage, d.stage, s.position, s.probability, d.closed_as, d.amount, d.closed_on
    FROM without_history AS d
    LEFT JOIN stages AS s ON s.source_stage = d.source_stage
    WHERE d.closed_as IS NOT NULL
)
SELECT
    b.opportunity_id,
    GREATEST(b.stood_from, w.owned_from) AS valid_from,
    NULLIF(LEAST(b.stood_to, w.owned_to), DATE '9999-12-31') AS valid_to,
    b.source_stage, b.stage, b.position, b.probability, b.closed_as, b.amount, b.closed_on, w.credited_rep_id,
    TRUE AS reconstructed
FROM before_nights AS b
JOIN owners AS w ON w.opportunity_id = b.opportunity_id AND b.stood_from < w.owned_to AND w.owned_from < b.stood_to
WHERE b.stood_from < b.stood_to
UNION ALL
SELECT
    n.opportunity_id, n.valid_from, n.valid_to, n.source_stage, s.stage, s.position, s.probability,
    CASE WHEN s.source_stage IS NULL THEN 'unknown' ELSE s.closed_as END AS closed_as,
    n.amount, n.closed_on, n.credited_rep_id, FALSE AS reconstructed
FROM opportunity_nights AS n
LEFT JOIN stages AS s ON s.source_stage = n.source_stage
