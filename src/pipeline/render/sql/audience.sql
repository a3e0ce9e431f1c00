-- The entities of a level that are there in a period, each with what stands above it, oldest first. Where nobody has a
-- team, those who are not gone.
WITH present AS (
    SELECT rep_id, level, entity, role, valid_from
    FROM membership
    WHERE entity <> '{unassigned}' AND rep_id <> '{unassigned}' AND level NOT IN ('rep', 'rep_in_team', 'company')
        AND valid_from <= DATE '{measured_on}' AND valid_to > DATE '{start}'
),
has_teams AS (
    SELECT COUNT(*) AS teams FROM membership WHERE level NOT IN ('rep', 'rep_in_team', 'company') AND entity <> '{unassigned}'
),
not_gone AS (
    SELECT rep_id FROM membership
    WHERE level = 'rep' AND entity <> '{unassigned}' AND valid_from <= DATE '{measured_on}' AND valid_to > DATE '{start}'
)
SELECT
    r.rep_id AS entity, r.name, p.role, r.hired_on, p.level AS above_level, p.entity AS above, t.name AS above_name
FROM reps AS r
LEFT JOIN present AS p ON p.rep_id = r.rep_id
LEFT JOIN not_gone AS n ON n.rep_id = r.rep_id
LEFT JOIN teams AS t ON t.team_id = p.entity
CROSS JOIN has_teams AS h
WHERE '{level}' = 'rep' AND (p.rep_id IS NOT NULL OR (h.teams = 0 AND n.rep_id IS NOT NULL))
ORDER BY entity, p.valid_from, above_level
