-- Facts of a rep and a day, added up once: everything additive comes from these.
SELECT rep_id, day, {slices} {sums}
FROM {facts}
GROUP BY {keys}
