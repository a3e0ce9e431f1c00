/*---
from = "OpportunitySplit"
into = "credits"
---*/
SELECT
    "_row",
    'opportunities' AS record_table,
    "OpportunityId" AS record_id,
    "SplitOwnerId" AS rep_id,
    TRY_CAST("SplitPercentage" AS DECIMAL(9, 4)) / 100 AS share,
    LOWER("SplitType") AS kind,
    "IsDeleted" AS _deleted
FROM "OpportunitySplit"
