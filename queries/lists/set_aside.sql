/*---
title    = "Set aside"
question = "What do these numbers leave out, because it could not be read or contradicts itself?"
record   = "opportunities"
empty    = "Every record was read and counted."
order    = "records DESC, export, reason"
limit    = 12
columns  = [
    { name = "export", title = "Export", kind = "text" },
    { name = "reason", title = "Why", kind = "text" },
    { name = "records", title = "Records", kind = "count" },
]
---*/
SELECT
    CAST(NULL AS VARCHAR) AS rep_id,
    $measured_on AS day,
    CONCAT(source, ' ', export) AS export,
    -- Equal faults stand on one line, whatever the cell says.
    REGEXP_REPLACE(REGEXP_REPLACE(SPLIT_PART(reason, ';', 1), '`[^`]*`', 'what stands there', 'g'), 'record [0-9]+', 'another record', 'g')
        AS reason,
    COUNT(*) AS records
FROM quarantined
GROUP BY 3, 4
UNION ALL
SELECT
    CAST(NULL AS VARCHAR),
    $measured_on,
    CONCAT(source, ' ', export),
    'the record could not be read: broken quotes, a wrong number of fields, or no valid text',
    rows
FROM rejected
