/*---
from = "stages"
into = "stages"
---*/
SELECT
    "_row",
    stage_name AS source_stage,
    common_stage AS stage,
    position,
    probability,
    closed_as,
    entry_criteria
FROM stages
