/*---
from = "tool_use"
into = "tool_use"
---*/
SELECT "_row", user_id AS rep_id, tool, used_on
FROM tool_use
