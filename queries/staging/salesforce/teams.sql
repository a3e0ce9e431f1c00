/*---
from = "teams"
into = "teams"
---*/
SELECT "_row", team_id, name, level, parent_team_id, leader_user_id AS leader_id
FROM teams
