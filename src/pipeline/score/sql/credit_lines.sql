SELECT record_id AS _record, rep_id AS _rep, CAST(share AS DECIMAL(20, 6)) AS _share, kind AS _kind
    FROM credits
    WHERE record_table = {table}
    UNION ALL
    -- Overlay credit takes nothing: without revenue credit beside it the fact stays whole.
    SELECT record_id, CAST(NULL AS VARCHAR), CAST(1 AS DECIMAL(20, 6)), 'revenue'
    FROM credits
    WHERE record_table = {table}
    GROUP BY record_id
    HAVING BOOL_AND(kind = 'overlay')
