//! Which records become one, and what is told of those that do not.

use super::*;

/// Records of ids and cells, one cell for each rule; an empty cell is no key.
fn records(rows: &[(&str, &[&str])]) -> Vec<Record> {
    let key = |cell: &&str| (!cell.is_empty()).then(|| vec![(*cell).to_owned()]);
    rows.iter().map(|(id, cells)| Record { id: (*id).to_owned(), keys: cells.iter().map(key).collect() }).collect()
}

fn mapping(record_id: &str, same_as: &str, is_same: bool) -> Mapping {
    Mapping { record_id: record_id.into(), same_as: same_as.into(), is_same }
}

/// `record = canonical by rule`, and what is told.
fn found(rows: &[(&str, &[&str])], mappings: &[Mapping]) -> (Vec<String>, Vec<String>) {
    let rules = ["email", "name"].map(|rule| vec![rule.to_owned()]);
    let rules = &rules[..rows.first().map_or(0, |row| row.1.len())];
    let found = find("reps", rules, &records(rows), mappings, &["b".into(), "a".into()]);
    let matches = found.matches.iter().map(|m| format!("{} = {} by {} {}", m.record_id, m.same_as, m.rule, m.key));
    (matches.collect(), found.doubts.into_iter().map(|doubt| doubt.reason).collect())
}

const FOUR: [(&str, &[&str]); 4] = [("a:1", &[]), ("a:2", &[]), ("b:1", &[]), ("c:1", &[])];

#[test]
fn chains_over_three_sources_end_at_the_first_of_them() {
    let (matches, doubts) = found(&[("a:1", &["x", "n"]), ("b:1", &["y", "n"]), ("c:1", &["x", ""])], &[]);
    assert_eq!(matches, ["a:1 = b:1 by email x", "c:1 = b:1 by email x"]);
    assert!(doubts.is_empty(), "{doubts:?}");
    // A circle says nothing that contradicts.
    let circle = [mapping("a:1", "b:1", true), mapping("b:1", "c:1", true), mapping("c:1", "a:1", true)];
    let (matches, doubts) = found(&FOUR, &circle);
    assert_eq!((matches.len(), doubts.len()), (2, 0), "{matches:?} {doubts:?}");
    assert!(matches.iter().all(|line| line.contains("= b:1 by mapping")), "{matches:?}");
}

#[test]
fn mappings_that_lead_nowhere_or_contradict_are_told_and_not_followed() {
    let nobody = "reps has no `c:9`";
    assert_eq!(found(&FOUR, &[mapping("a:1", "c:9", true)]).1, [nobody]);
    assert_eq!(found(&FOUR, &[mapping("c:9", "a:1", false)]).1, [nobody]);
    assert_eq!(found(&FOUR, &[mapping("a:1", "a:1", true)]).1, ["it names one record twice"]);
    // One record cannot be two of a source: neither is followed.
    let (matches, doubts) = found(&FOUR, &[mapping("b:1", "a:1", true), mapping("a:2", "b:1", true)]);
    assert_eq!(matches, [""; 0]);
    assert_eq!(doubts, ["mappings give `b:1` to `a:1` and `a:2`"; 2]);
    // Unless these two are said to be one; then all three are.
    let all = [mapping("b:1", "a:1", true), mapping("a:2", "b:1", true), mapping("a:1", "a:2", true)];
    let (matches, doubts) = found(&FOUR, &all);
    assert_eq!((matches.len(), doubts.len()), (2, 0), "{doubts:?}");
    // Nor on the way over a third source.
    let (matches, doubts) =
        found(&FOUR, &[mapping("a:1", "b:1", true), mapping("b:1", "c:1", true), mapping("c:1", "a:2", true)]);
    assert_eq!(matches.len(), 2);
    assert_eq!(doubts, ["`a:1` and `a:2` would become one, and both are of a"]);
    // Both said: they stay apart.
    let (matches, doubts) = found(&FOUR, &[mapping("a:1", "b:1", true), mapping("b:1", "a:1", false)]);
    assert_eq!(matches, [""; 0]);
    assert_eq!(doubts, ["a mapping says that `a:1` and `b:1` are not the same"]);
}

#[test]
fn what_is_said_by_hand_comes_before_the_rules() {
    let rows: [(&str, &[&str]); 3] = [("a:1", &["x"]), ("b:1", &["x"]), ("b:2", &["z"])];
    let (matches, doubts) = found(&rows, &[mapping("a:1", "b:1", false)]);
    assert_eq!((matches.len(), doubts.len()), (0, 0), "{doubts:?}");
    let (matches, doubts) = found(&rows, &[mapping("a:1", "b:2", true)]);
    assert_eq!(matches, ["a:1 = b:2 by mapping "]);
    assert_eq!(doubts, ["reps by email, `x`: `b:1` and `b:2` would become one, and both are of b"]);
}

#[test]
fn a_key_that_stands_twice_in_a_source_matches_nothing() {
    let (matches, doubts) = found(&[("a:1", &["x"]), ("a:2", &["x"]), ("b:1", &["x"])], &[]);
    assert_eq!(matches, [""; 0]);
    assert_eq!(doubts, ["reps by email, `x`: a has 2 of this key: `a:1`, `a:2`"]);
    // It is nothing to tell where no other source has the key, or where an earlier rule has said which is meant.
    assert_eq!(found(&[("a:1", &["x"]), ("a:2", &["x"]), ("b:1", &["y"])], &[]).1, [""; 0]);
    let (matches, doubts) = found(&[("a:1", &["x", "n"]), ("a:2", &["", "n"]), ("b:1", &["x", "n"])], &[]);
    assert_eq!(matches, ["a:1 = b:1 by email x"]);
    assert_eq!(doubts, [""; 0]);
    // Nor do empty cells match.
    assert_eq!(found(&[("a:1", &["", ""]), ("b:1", &["", ""])], &[]).0, [""; 0]);
}
