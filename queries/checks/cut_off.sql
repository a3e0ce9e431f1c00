/*---
title    = "wins were recorded in another month than the one they are dated to"
severity = "warning"
help     = "look whether the close date was moved to make a month, and correct it in the CRM; `scorebook compare` shows what it moves"
---*/
-- The day of the record is the CRM's own. Where it keeps no history it is the night that first shows the win, if a night
-- before it shows the deal without.
WITH recorded AS (
    SELECT h.opportunity_id, MIN(h.changed_on) AS recorded_on
    FROM opportunity_history AS h
    JOIN stages AS s ON s.source_stage = h.source_stage
    WHERE s.closed_as = 'won'
    GROUP BY h.opportunity_id
    UNION ALL
    SELECT v.opportunity_id, MIN(v.valid_from) AS recorded_on
    FROM opportunity_versions AS v
    JOIN (
        SELECT opportunity_id, MIN(valid_from) AS first_seen
        FROM opportunity_versions
        WHERE NOT reconstructed
        GROUP BY opportunity_id
    ) AS f ON f.opportunity_id = v.opportunity_id AND f.first_seen < v.valid_from
    LEFT ANTI JOIN opportunity_history AS h ON h.opportunity_id = v.opportunity_id
    WHERE v.closed_as = 'won' AND NOT v.reconstructed
    GROUP BY v.opportunity_id
)
SELECT o.opportunity_id, o.closed_on, r.recorded_on, o.amount
FROM opportunities AS o
JOIN recorded AS r ON r.opportunity_id = o.opportunity_id
WHERE o.closed_as = 'won'
    AND (DATE_PART('year', o.closed_on) <> DATE_PART('year', r.recorded_on)
        OR DATE_PART('month', o.closed_on) <> DATE_PART('month', r.recorded_on))
ORDER BY r.recorded_on DESC, o.opportunity_id
