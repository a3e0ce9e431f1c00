-- The facts that stand on each measuring day, where they cannot be added up beforehand.
SELECT f.* EXCLUDE (a), {value} AS a, m.measured_on AS day
FROM {facts} AS f
JOIN measuring_days AS m ON f.valid_from <= m.measured_on AND (f.valid_to IS NULL OR m.measured_on < f.valid_to)
