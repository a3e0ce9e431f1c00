//! Every score against the independent calculation, and the laws that lines must keep.

use crate::independent::{self, Exact, Key, Line};
use crate::project::{LAST_NIGHT, NIGHTS, Project};
use std::collections::{BTreeMap, BTreeSet};

/// A score as `scorebook sql` prints it.
#[derive(Clone, Debug, Default)]
struct Printed {
    value: Option<String>,
    numerator: Option<String>,
    denominator: Option<String>,
    n: i64,
    target: Option<String>,
}

/// The metrics of which a rep has a line in each team.
const IN_TEAM: [&str; 5] = ["bookings", "quota_attainment", "win_rate", "open_pipeline", "calls_made"];

type Place = (String, String, String, String, String, String, String);

fn scores(project: &Project, run: &str) -> BTreeMap<Place, Printed> {
    let query = "SELECT metric, level, entity, grain, period_start, slice, slice_value, \
                 value, numerator, denominator, n, target FROM scores WHERE grain <> 'week'";
    let said = project.scorebook(&["sql", query, "--run", run, "--format", "json"]).expect_code(0);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&said.stdout).unwrap();
    let found = rows.iter().map(|row| {
        let text = |name: &str| row[name].as_str().map(String::from);
        let key = |name: &str| text(name).unwrap();
        let place = (
            key("metric"),
            key("level"),
            key("entity"),
            key("grain"),
            key("period_start"),
            key("slice"),
            key("slice_value"),
        );
        let n = key("n").parse().unwrap();
        let (value, numerator, denominator) = (text("value"), text("numerator"), text("denominator"));
        (place, Printed { value, numerator, denominator, n, target: text("target") })
    });
    found.collect()
}

fn place(key: &Key) -> Place {
    let Key { metric, level, entity, grain, period_start, slice, slice_value } = key.clone();
    (metric, level, entity, grain, period_start.to_string(), slice, slice_value)
}

/// Trillionths of a printed decimal.
fn trillionths(text: &str) -> i128 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{rest:0<12}").parse().unwrap()
}

/// Whether a printed decimal is an exact number: to the cent if it is whole cents, else to 1e-9.
fn same(printed: &str, exact: Exact) -> bool {
    let printed = trillionths(printed);
    if exact.numerator * 100 % exact.denominator == 0 {
        return printed == exact.numerator * 100 / exact.denominator * 10_i128.pow(10);
    }
    let difference = printed * exact.denominator - exact.numerator * 10_i128.pow(12);
    difference.abs() <= 1000 * exact.denominator
}

fn agree(printed: &Option<String>, exact: Option<Exact>) -> bool {
    match (printed, exact) {
        (None, None) => true,
        (Some(printed), Some(exact)) => same(printed, exact),
        _ => false,
    }
}

/// Sums without facts are not stored: nought is what their absence means.
fn nought(metric: &str) -> Printed {
    let sums = ["bookings", "open_pipeline", "calls_made", "new_customers"];
    let value = sums.contains(&metric).then(|| "0".to_owned());
    Printed { value, ..Printed::default() }
}

fn differs(printed: &Printed, exact: &Line) -> Option<&'static str> {
    let sides = matches!(exact.metric.as_str(), "win_rate" | "reps_at_quota");
    // A formula that is empty is not stored, and so has no n.
    let unstored = exact.metric == "quota_attainment" && exact.value.is_none();
    match () {
        () if !agree(&printed.value, exact.value) => Some("value"),
        () if printed.n != exact.n && !unstored => Some("n"),
        () if sides && exact.n > 0 && !agree(&printed.numerator, exact.numerator) => Some("numerator"),
        () if sides && exact.n > 0 && !agree(&printed.denominator, exact.denominator) => Some("denominator"),
        () if exact.metric == "bookings" && !agree(&printed.target, exact.target) => Some("target"),
        () => None,
    }
}

fn check(project: &Project, run: &str, nights: &[&str], as_of: &str) {
    let printed = scores(project, run);
    let exact = independent::calculate(&project.nights(nights), as_of.parse().unwrap());
    let metrics = [
        "bookings",
        "win_rate",
        "sales_cycle_days",
        "open_pipeline",
        "quota_attainment",
        "calls_made",
        "new_customers",
        "reps_at_quota",
    ];
    let mut keys: Vec<Key> = exact.lines.keys().cloned().collect();
    for metric in metrics {
        for (level, entity) in &exact.entities {
            for (grain, period_start) in &exact.periods {
                keys.push(Key {
                    metric: metric.to_owned(),
                    level: level.clone(),
                    entity: entity.clone(),
                    grain: grain.clone(),
                    period_start: *period_start,
                    slice: String::new(),
                    slice_value: String::new(),
                });
            }
        }
    }
    let mut compared = 0;
    for key in &keys {
        if key.metric == "reps_at_quota" && key.level == "rep" {
            continue;
        }
        if key.level == "rep_in_team" && !IN_TEAM.contains(&key.metric.as_str()) {
            continue;
        }
        let none = nought(&key.metric);
        let found = printed.get(&place(key)).unwrap_or(&none);
        let wanted = exact.at(key);
        if let Some(what) = differs(found, &wanted) {
            panic!("{what} of {key:?}\nScorebook   {found:?}\nindependent {wanted:?}");
        }
        compared += 1;
    }
    // Nor may Scorebook have a total that the other calculation knows nothing of.
    let known: BTreeSet<Place> = keys.iter().map(self::place).collect();
    let compares = |place: &Place| metrics.contains(&place.0.as_str()) && place.5.is_empty();
    for (place, found) in printed.iter().filter(|(place, found)| compares(place) && found.n > 0) {
        assert!(known.contains(place), "unknown score {place:?}: {found:?}");
    }
    assert!(compared > 10_000, "only {compared} scores were compared");
}

/// Rep lines plus `unassigned` are the company's; so are team and region lines.
fn lines_add_up(project: &Project, run: &str) {
    let sides = |metric: &str, found: &Printed| match metric {
        "win_rate" => (found.numerator.clone(), found.denominator.clone()),
        _ => (found.value.clone(), None),
    };
    type Sums = BTreeMap<(String, String, String, String), (i128, i128, i64)>;
    let mut sums = Sums::new();
    for (place, found) in scores(project, run) {
        let (metric, level, _, grain, start, slice, value) = place;
        if !["bookings", "open_pipeline", "calls_made", "win_rate"].contains(&metric.as_str()) {
            continue;
        }
        let (upper, lower) = sides(&metric, &found);
        let sum = sums.entry((metric, level, format!("{grain} {start}"), format!("{slice}={value}"))).or_default();
        sum.0 += upper.map_or(0, |text| trillionths(&text));
        sum.1 += lower.map_or(0, |text| trillionths(&text));
        sum.2 += found.n;
    }
    let mut compared = 0;
    for ((metric, level, period, slice), sum) in &sums {
        let company = (metric.clone(), "company".to_owned(), period.clone(), slice.clone());
        assert_eq!(Some(sum), sums.get(&company), "{metric} {level} {period} {slice}");
        compared += 1;
    }
    assert!(compared > 1000, "only {compared} sums were compared");
}

#[test]
fn scores_agree_with_an_independent_calculation() {
    let project = Project::sample().formats(r#"["csv"]"#);
    project.withhold(LAST_NIGHT);
    project.run(&[]);
    check(&project, "1", &NIGHTS[..2], NIGHTS[1]);
    lines_add_up(&project, "1");
    project.bring(LAST_NIGHT);
    project.run(&[]);
    check(&project, "2", &NIGHTS, LAST_NIGHT);
    lines_add_up(&project, "2");
    the_readme_explains_a_number_of_the_sample(&project);
}

/// The readme's example is what its reader gets.
fn the_readme_explains_a_number_of_the_sample(project: &Project) {
    let readme = include_str!("../../README.md");
    let (_, example) = readme.split_once("$ cargo run -- explain ").unwrap();
    let mut lines = example.lines();
    let said = project.scorebook(&["explain", lines.next().unwrap()]).expect_code(0).stdout;
    // What is left out is `...`.
    let example: Vec<&str> = lines.take_while(|line| line.is_empty() || line.starts_with("    ")).collect();
    assert!(example.len() > 12, "{example:?}");
    for part in example.iter().flat_map(|line| line.split("...")).map(str::trim) {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn scores_of_an_unfinished_month_agree() {
    let project = Project::generated(9, 20).formats(r#"["csv"]"#);
    project.run(&["--as-of", "2026-05-13"]);
    check(&project, "1", &NIGHTS, "2026-05-13");
}
