-- The entities of a level that are there in a period, each with what stands above it, oldest first. Where nobody has a
-- team, those reps who are not gone.
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
),
found AS (
    SELECT
        r.rep_id AS entity, r.name, p.role, r.hired_on, p.level AS above_level, p.entity AS above, t.name AS above_name,
        p.valid_from
    FROM reps AS r
    LEFT JOIN present AS p ON p.rep_id = r.rep_id
    LEFT JOIN not_gone AS n ON n.rep_id = r.rep_id
    LEFT JOIN teams AS t ON t.team_id = p.entity
    CROSS JOIN has_teams AS h
    WHERE {level} = 'rep' AND (p.rep_id IS NOT NULL OR (h.teams = 0 AND n.rep_id IS NOT NULL))
    UNION ALL
    -- A team of the level is there if a rep is; what it is a part of stands above it.
    SELECT
        p.entity, t.name, CAST(NULL AS VARCHAR) AS role, CAST(NULL AS DATE) AS hired_on, u.level AS above_level,
        u.team_id AS above, u.name AS above_name, CAST(NULL AS DATE) AS valid_from
    FROM (SELECT DISTINCT entity FROM present WHERE level = {level}) AS p
    LEFT JOIN teams AS t ON t.team_id = p.entity
    LEFT JOIN teams AS u ON u.team_id = t.parent_team_id
    UNION ALL
    SELECT
        'company' AS entity, {company} AS name, CAST(NULL AS VARCHAR) AS role, CAST(NULL AS DATE) AS hired_on,
        CAST(NULL AS VARCHAR) AS above_level, CAST(NULL AS VARCHAR) AS above, CAST(NULL AS VARCHAR) AS above_name,
        CAST(NULL AS DATE) AS valid_from
    WHERE {level} = 'company'
)
SELECT * FROM found ORDER BY entity, valid_from, above_level
