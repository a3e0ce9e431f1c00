//! Records that became one have one history: on each day that of the record which stands for the others, if it is there.

use std::collections::BTreeMap;

/// A stretch of days of one row; the end is the first day after it, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub row: usize,
    pub from: i32,
    pub to: Option<i32>,
}

/// Lays the stretches of several records over each other; those of a lower rank cover the others'.
pub(super) fn overlay(mut stretches: Vec<(usize, Stretch)>) -> Vec<Stretch> {
    stretches.sort_by_key(|(rank, stretch)| (*rank, stretch.from));
    if stretches.windows(2).all(|pair| pair[0].0 == pair[1].0) {
        return stretches.into_iter().map(|(_, stretch)| stretch).collect();
    }
    let ends = |stretch: &Stretch| [Some(stretch.from), stretch.to];
    let days: BTreeMap<i32, ()> =
        stretches.iter().flat_map(|(_, stretch)| ends(stretch)).flatten().map(|day| (day, ())).collect();
    let days: Vec<i32> = days.into_keys().collect();
    let mut laid: Vec<Stretch> = Vec::new();
    for (i, day) in days.iter().enumerate() {
        let covers = |stretch: &&Stretch| stretch.from <= *day && stretch.to.is_none_or(|to| *day < to);
        let Some(top) = stretches.iter().map(|(_, stretch)| stretch).find(covers) else { continue };
        let to = days.get(i + 1).copied();
        match laid.last_mut().filter(|last| last.row == top.row && last.to == Some(*day)) {
            Some(last) => last.to = to,
            None => laid.push(Stretch { row: top.row, from: *day, to }),
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_records_days_cover_the_others() {
        let stretch = |row, from, to| Stretch { row, from, to };
        // The old CRM showed it from day 1, changed it on day 4 and still has it; the new one has it from 3 to 6.
        let of_two = vec![(1, stretch(10, 1, Some(4))), (1, stretch(11, 4, None)), (0, stretch(20, 3, Some(6)))];
        let expected = [stretch(10, 1, Some(3)), stretch(20, 3, Some(6)), stretch(11, 6, None)];
        assert_eq!(overlay(of_two), expected);
        let of_one = vec![(1, stretch(11, 4, None)), (1, stretch(10, 1, Some(2)))];
        assert_eq!(overlay(of_one), [stretch(10, 1, Some(2)), stretch(11, 4, None)]);
    }
}
