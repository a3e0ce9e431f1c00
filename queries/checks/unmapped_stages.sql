/*---
title    = "opportunities stand in a stage that the table stages does not know"
severity = "error"
help     = "add the stage to the source's stages.csv with its common stage, probability, and what it is closed as"
---*/
SELECT
    SPLIT_PART(o.source_stage, ':', 1) AS source,
    SUBSTR(o.source_stage, STRPOS(o.source_stage, ':') + 1) AS stage,
    COUNT(*) AS opportunities,
    MIN(o.opportunity_id) AS first_one
FROM opportunities AS o
WHERE o.stage IS NULL
GROUP BY o.source_stage
ORDER BY o.source_stage
