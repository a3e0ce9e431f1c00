//! What lines must keep among themselves, whatever the numbers: parts make the whole, to the last digit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::independent::facts::Aggregate;
use crate::independent::header::Header;
use crate::independent::periods::Period;
use crate::independent::scores::{Key, Scores};

use super::printed::{Printed, Rows};

/// What adds up: a sum's value, both sides of a ratio, and how many facts.
type Sides = (i128, i128, i64);

/// Metrics whose lines add up, with whether their sides do.
fn additive<'a>(scores: &Scores, headers: &'a [Header]) -> BTreeMap<&'a str, bool> {
    let known = headers.iter().filter(|header| !header.is_hidden && !header.is_second_order);
    let adding = known.filter_map(|header| match scores.aggregate(&header.id)? {
        Aggregate::Sum | Aggregate::Count => Some((header.id.as_str(), false)),
        Aggregate::Ratio | Aggregate::Mean => Some((header.id.as_str(), true)),
        Aggregate::Median | Aggregate::Percentile(_) | Aggregate::Distinct => None,
    });
    adding.collect()
}

fn sides(printed: &Printed, has_sides: bool) -> Sides {
    match has_sides {
        true => printed.sides.map_or((0, 0, printed.n), |(above, below)| (above, below, printed.n)),
        false => (printed.value.unwrap_or(0), 0, printed.n),
    }
}

fn add(sum: &mut Sides, more: Sides) {
    *sum = (sum.0 + more.0, sum.1 + more.1, sum.2 + more.2);
}

/// Rep lines plus `unassigned` are the company's; so are team and region lines, of every slice's values too.
pub fn levels_add_up(printed: &Rows, scores: &Scores, headers: &[Header]) -> usize {
    let additive = additive(scores, headers);
    type Cell<'a> = (&'a str, &'a str, Date, &'a str, &'a str);
    let mut sums: BTreeMap<(Cell, &str), Sides> = BTreeMap::new();
    for (key, found) in printed {
        if let Some(has_sides) = additive.get(key.metric.as_str()) {
            let Key { metric, level, grain, period_start, slice, slice_value, .. } = key;
            let cell: Cell = (metric, grain, *period_start, slice, slice_value);
            add(sums.entry((cell, level)).or_default(), sides(found, *has_sides));
        }
    }
    for ((cell, level), sum) in &sums {
        let company = sums.get(&(*cell, "company")).copied();
        assert_eq!(Some(*sum), company, "the lines of level {level} are not the company's: {cell:?}");
    }
    // Nor may a level be left out where the company has something.
    for header in headers.iter().filter(|header| additive.contains_key(header.id.as_str())) {
        for (cell, _) in sums.keys().filter(|(cell, level)| cell.0 == header.id && *level == "company") {
            let is_zero = sums[&(*cell, "company")] == (0, 0, 0);
            for level in &header.levels {
                assert!(is_zero || sums.contains_key(&(*cell, level)), "{level} has no lines of {cell:?}");
            }
        }
    }
    sums.len()
}

/// The lines of a slice's values are the total's. Slices of several values are not, nor those that stand apart.
pub fn slices_add_up(printed: &Rows, scores: &Scores, headers: &[Header]) -> usize {
    let additive = additive(scores, headers);
    let is_loose = |metric: &str, slice: &str| {
        let header = headers.iter().find(|header| header.id == metric);
        slice == "credit_kind"
            || header.is_some_and(|header| header.loose.iter().any(|name| slice.split('*').any(|one| one == name)))
    };
    let mut sums: BTreeMap<Key, Sides> = BTreeMap::new();
    for (key, found) in printed.iter().filter(|(key, _)| !key.slice.is_empty()) {
        if let Some(has_sides) = additive.get(key.metric.as_str()).filter(|_| !is_loose(&key.metric, &key.slice)) {
            let total = Key { slice_value: String::new(), ..key.clone() };
            add(sums.entry(total).or_default(), sides(found, *has_sides));
        }
    }
    for (key, sum) in &sums {
        let total = printed.get(&Key { slice: String::new(), ..key.clone() });
        let total = total.map_or((0, 0, 0), |total| sides(total, additive[key.metric.as_str()]));
        // A fact that is shared out over several values has a line for each, so only the numbers add up, not n.
        assert_eq!((sum.0, sum.1), (total.0, total.1), "the lines of slice {} are not the total: {key:?}", key.slice);
    }
    sums.len()
}

/// What was open before a period and what changed in it is what is open at its end: for the company, and for every rep
/// who has not left.
pub fn the_waterfall_closes(printed: &Rows, scores: &Scores, headers: &[Header]) -> usize {
    if !headers.iter().any(|header| header.id == "pipeline_change") {
        return 0;
    }
    let people = &scores.company().people;
    let stays = |rep: &str| people.entities(Some(rep), scores.as_of())[0] == rep;
    let reps = people.reps.keys().filter(|rep| stays(rep)).map(|rep| ("rep", rep.as_str()));
    let entities: BTreeSet<(&str, &str)> = reps.chain([("company", "company")]).collect();
    let mut closed = 0;
    for period in scores.periods() {
        let before = period.plus(-1);
        if !scores.is_scored(before) {
            continue;
        }
        for (level, entity) in &entities {
            let value = |metric: &str, period: Period| {
                let key = Key {
                    metric: metric.to_owned(),
                    level: (*level).to_owned(),
                    entity: (*entity).to_owned(),
                    grain: period.grain.to_owned(),
                    period_start: period.start,
                    slice: String::new(),
                    slice_value: String::new(),
                };
                printed.get(&key).and_then(|found| found.value).unwrap_or(0)
            };
            let (start, end) = (value("open_pipeline", before), value("open_pipeline", *period));
            assert_eq!(start + value("pipeline_change", *period), end, "{level} {entity} {period:?}");
            closed += 1;
        }
    }
    closed
}
