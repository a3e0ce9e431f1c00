//! Every score against the independent calculation, and the laws that lines must keep.

mod compare;
mod laws;
mod printed;

use crate::independent::header::{self, Header};
use crate::independent::numbers::CENT;
use crate::independent::scores::Scores;
use crate::independent::{Company, numbers};
use crate::project::{LAST_NIGHT, NIGHTS, Project};
use std::collections::BTreeMap;

/// Compares every score of a run, and checks its laws.
fn check(project: &Project, run: &str, nights: &[&str], as_of: &str) {
    let printed = printed::scores(project, run);
    let headers = header::read(&project.path("queries/metrics"));
    let company = Company::read(&project.path("sample_data"), nights, as_of.parse().unwrap());
    let scores = Scores::of(&company, &headers);
    let report = compare::compare(&printed, &scores, &headers);
    let shown: Vec<&str> = report.differences.iter().take(12).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} scores differ:\n{}", report.differences.len(), shown.join("\n"));
    for header in headers.iter().filter(|header| !header.is_hidden) {
        let (totals, slices) = report.compared[&header.id];
        // Nobody ramps in a generated company.
        let has_slices = !header.slices.is_empty() && header.slices != ["ramp"];
        assert!(totals > 0 && (slices > 0 || !has_slices), "{} was not compared", header.id);
    }
    let compared: usize = report.compared.values().map(|(totals, slices)| totals + slices).sum();
    let added = laws::levels_add_up(&printed, &scores, &headers) + laws::slices_add_up(&printed, &scores, &headers);
    let closed = laws::the_waterfall_closes(&printed, &scores, &headers);
    splits_balance(project, run, &company, &headers);
    eprintln!(
        "{} metrics: {compared} scores agree, {added} sums add up, {closed} waterfalls close",
        report.compared.len()
    );
    assert!(compared > 50_000 && added > 10_000 && closed > 100, "{compared} compared, {added} added, {closed} closed");
}

/// The parts of each won deal are the deal, to the cent, and overlay credit stands beside it.
fn splits_balance(project: &Project, run: &str, company: &Company, headers: &[Header]) {
    assert!(headers.iter().any(|header| header.id == "bookings"));
    let query = "SELECT record_id, credit_kind, CAST(COUNT(*) AS VARCHAR) AS n, \
                 CAST(SUM(a) AS VARCHAR) AS value FROM facts_bookings GROUP BY 1, 2";
    let said = project.scorebook(&["sql", query, "--run", run, "--format", "json"]).expect_code(0);
    let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&said.stdout).unwrap();
    let (mut split, mut overlaid) = (0, 0);
    for row in rows {
        let deal = &company.deals[&row["record_id"]];
        let value = numbers::decimal(&row["value"]).unwrap();
        assert_eq!(value % CENT, 0, "{row:?}");
        if row["credit_kind"] == "overlay" {
            overlaid += 1;
        } else {
            split += usize::from(row["n"] != "1");
            assert_eq!(value, deal.amount.unwrap_or(0), "{row:?}");
        }
    }
    let has_credits = company.credits.iter().any(|credit| !credit.is_overlay);
    assert!(!has_credits || (split > 0 && overlaid > 0), "{split} deals are split, {overlaid} have overlay credit");
}

#[test]
fn scores_agree_with_an_independent_calculation() {
    let project = Project::sample().formats(r#"["csv"]"#);
    project.withhold(LAST_NIGHT);
    project.run(&[]);
    check(&project, "1", &NIGHTS[..2], NIGHTS[1]);
    project.bring(LAST_NIGHT);
    project.run(&[]);
    check(&project, "2", &NIGHTS, LAST_NIGHT);
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
