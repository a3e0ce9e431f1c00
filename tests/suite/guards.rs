//! What would make numbers unfair is refused or set aside, with its place and the way out. Records that fan out, wrong types
//! and the like are in `definitions.rs`, shares of credits in `credits.rs`, currencies without a rate in `money.rs`.

use crate::project::{LAST_NIGHT, Project};

fn formula(text: &str) -> String {
    format!(
        "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nunit = \"ratio\"\nbetter = \"higher\"\nformula = \"{text}\"\n---*/\n"
    )
}

fn project() -> Project {
    Project::generated(2, 13).formats(r#"["csv"]"#)
}

/// Everything that a stopped run has to say.
fn says(said: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(said.contains(part), "{part} is not in: {said}"));
}

#[test]
fn formulas_that_use_each_other_are_refused() {
    let project = project();
    project.write("queries/metrics/profit/alpha.sql", &formula("beta + 1"));
    project.write("queries/metrics/profit/beta.sql", &formula("previous(gamma)"));
    project.write("queries/metrics/profit/gamma.sql", &formula("alpha / bookings"));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    says(&said, &["in a circle: alpha -> beta -> gamma -> alpha", "profit/alpha.sql:7:1", "help"]);
    project.write("queries/metrics/profit/alpha.sql", &formula("alpha + 1"));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    says(&said, &["in a circle: alpha -> alpha"]);
}

#[test]
fn a_formula_over_no_metric_is_refused() {
    let project = project();
    project.write("queries/metrics/profit/share.sql", &formula("bookngs / target(bookings)"));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    says(&said, &["`bookngs` is no metric", "profit/share.sql:7:12", "did you mean `bookings`?"]);
    project.write("queries/metrics/profit/share.sql", &formula("bookings / goal(bookings)"));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    says(&said, &["a formula cannot call `goal`", "profit/share.sql:7:1"]);
}

#[test]
fn a_rep_in_two_teams_at_once_stops_the_run() {
    let project = project();
    project.run(&[]);
    let file = format!("sample_data/salesforce/{LAST_NIGHT}/assignments.csv");
    let mut rep = String::new();
    project.edit(&file, |text| {
        rep = text.lines().nth(1).unwrap().split('"').nth(1).unwrap().to_owned();
        format!("{text}\"{rep}\",\"T001\",\"Account Executive\",\"2026-09-01\",\"\"\n")
    });
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    says(
        &said,
        &[
            &format!("salesforce:{rep} has two assignments on 2026-09-01"),
            "end the earlier assignment on the day before",
        ],
    );
    // What was published stands.
    project.scorebook(&["verify"]).expect_code(0);
    assert_eq!(project.files("warehouse/ledger").len(), 1);
}

#[test]
fn targets_of_nobody_are_set_aside_and_those_of_nothing_stop_the_run() {
    let project = project();
    let file = format!("sample_data/salesforce/{LAST_NIGHT}/quotas.csv");
    project.edit(&file, |text| text + "Q9999,NOBODY,bookings,2026-09-01,2026-09-30,1000,EUR\n");
    project.run(&[]);
    let reasons = ["sql", "SELECT reason, path FROM quarantine_targets", "--format", "csv"];
    let said = project.scorebook(&reasons).expect_code(0).stdout;
    says(&said, &["rep_id: reps has no `salesforce:NOBODY`", "quotas.csv"]);
    project.edit(&file, |text| text.replace("Q9999,NOBODY,bookings", "Q9999,,bokings"));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    says(&said, &["a target is set for `bokings`, which is no metric", "salesforce:Q9999", "`bookings`"]);
}

#[test]
fn targets_that_cover_the_same_days_stop_the_run_and_both_are_shown() {
    let project = project();
    let file = format!("sample_data/salesforce/{LAST_NIGHT}/quotas.csv");
    let quotas = std::fs::read_to_string(project.path(&file)).unwrap();
    let cells: Vec<&str> = quotas.lines().nth(1).unwrap().split(',').map(|cell| cell.trim_matches('"')).collect();
    let (id, rep, starts_on) = (cells[0], cells[1], cells[3]);
    // A year's goal beside that of its parts.
    let year = &starts_on[..4];
    project.edit(&file, |text| {
        text + &format!("\"YEAR\",\"{rep}\",\"bookings\",\"{year}-01-01\",\"{year}-12-31\",\"120000.0\",\"EUR\"\n")
    });
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    says(&said, &[&format!("two targets of salesforce:{rep} on bookings cover the same days, {year}-")]);
    says(&said, &["salesforce:YEAR is 120000 from", &format!("{file}, record {}", quotas.lines().count())]);
    says(&said, &[&format!("salesforce:{id} is "), &format!("{file}, record 1"), "leave out one of them"]);
    // The same goal twice, under two ids.
    project.edit(&file, |_| quotas.clone() + &quotas.lines().nth(1).unwrap().replace(id, "AGAIN") + "\n");
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    says(&said, &["cover the same days", "salesforce:AGAIN"]);
}
