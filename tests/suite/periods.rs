//! Older periods on demand: `scorebook run --period`.

use crate::project::{LAST_NIGHT, Project};
use serde_json::Value;
use std::collections::BTreeMap;

/// The files of an entry's documents, by document.
fn documents(entry: &Value) -> BTreeMap<String, Value> {
    let documents = entry["documents"].as_array().unwrap();
    documents.iter().map(|one| (one["view"].as_str().unwrap().to_owned(), one["files"].clone())).collect()
}

/// The documents of a period as they stand in the view.
fn view(project: &Project, period: &str) -> BTreeMap<String, Vec<u8>> {
    let files = project.files(&format!("reports/{period}")).into_iter();
    files
        .map(|file| (file.clone(), std::fs::read(project.path(&format!("reports/{period}/{file}"))).unwrap()))
        .collect()
}

#[test]
fn an_older_period_is_what_a_run_on_its_last_day_would_have_made() {
    let project = Project::generated(4, 22);
    // What has stalled goes by the run's own date, as its definition says; here by one and the same.
    project.edit("queries/model/stalls.sql", |text| {
        text.replace("<= $as_of", "<= DATE '2025-12-31'").replace("> $as_of", "> DATE '2025-12-31'")
    });
    // Month, quarter and year end on this day.
    project.run(&["--as-of", "2025-12-31"]);
    let then = view(&project, "2025-12");
    project.run(&[]);
    let present = view(&project, "2026-09");
    let report = project.run(&["--period", "2025-12"]);
    assert_eq!(report["as_of"], LAST_NIGHT);
    assert_eq!(report["period"]["name"], "2025-12");
    assert_eq!(documents(&project.entry(3)), documents(&project.entry(1)));
    assert_eq!((report["documents"]["made"].as_u64(), report["documents"]["failed"].as_u64()), (Some(0), Some(0)));
    // The year and the quarter that end on the day ask for the same documents.
    project.run(&["--period", "2025-Q4"]);
    project.run(&["--period", "2025"]);
    assert_eq!(documents(&project.entry(5)), documents(&project.entry(4)));
    assert_eq!(documents(&project.entry(4)), documents(&project.entry(1)));
    assert!(!then.is_empty() && view(&project, "2025-12") == then, "the view of the period is the newest entry's");
    assert!(!present.is_empty() && view(&project, "2026-09") == present, "the others stay");
    // The view is made from the ledger: each period comes back from the newest entry that has it.
    std::fs::remove_dir_all(project.path("reports")).unwrap();
    project.run(&["--period", "2026-02"]);
    assert!(view(&project, "2025-12") == then && view(&project, "2026-09") == present);
    assert!(!view(&project, "2026-02").is_empty());
    // Nothing of the present is asked for by the present period's name, either.
    let again = project.run(&["--period", "2026-09"]);
    assert_eq!(documents(&project.entry(7)), documents(&project.entry(2)), "{again}");
}

#[test]
fn a_closed_month_says_nothing_of_what_goes_on_after_it() {
    let project = Project::generated(2, 22).formats(r#"["csv"]"#);
    project.run(&["--period", "2026-05"]);
    let file = project.files("reports").into_iter().find(|file| file.ends_with(".csv")).unwrap();
    let mut reader = csv::Reader::from_path(project.path("reports").join(file)).unwrap();
    let head = reader.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|head| head == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let ends: Vec<&str> = rows.iter().map(|row| &row[at("period_end")]).filter(|end| !end.is_empty()).collect();
    assert!(ends.iter().all(|end| *end <= "2026-05-31") && ends.contains(&"2026-05-31"), "{ends:?}");
    assert!(rows.iter().all(|row| row[at("grain")].is_empty() || row[at("grain")] == *"month"));
    // What it is compared with stands beside it: April, and May of the year before.
    let bookings = rows.iter().filter(|row| row[at("section")] == *"overview" && row[at("metric")] == *"bookings");
    let starts: Vec<&str> = bookings.map(|row| &row[at("period_start")]).collect();
    assert_eq!(starts[..3], ["2026-05-01", "2026-04-01", "2025-05-01"]);
}

#[test]
fn the_ledger_says_which_period_was_asked_for_and_replays_it() {
    let project = Project::generated(2, 20).formats(r#"["csv"]"#);
    project.run(&[]);
    let said = project.scorebook(&["run", "--quiet", "--period", "2026-03"]).expect_code(0);
    assert!(said.stdout.starts_with("Run 2 as of 2026-09-30, for 2026-03\n"), "{}", said.stdout);
    let asked = serde_json::json!({ "name": "2026-03", "grain": "month", "start": "2026-03-01", "end": "2026-03-31" });
    assert_eq!(project.entry(2)["period"], asked);
    assert!(project.entry(1).get("period").is_none(), "an entry without one is what it always was");
    let said = project.scorebook(&["show", "2"]).expect_code(0);
    assert!(said.stdout.starts_with("Run 2 as of 2026-09-30, for 2026-03\n"), "{}", said.stdout);
    let said = project.scorebook(&["runs", "--format", "json"]).expect_code(0);
    let runs: Value = serde_json::from_str(&said.stdout).unwrap();
    let periods: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["period"].as_str().unwrap_or("")).collect();
    assert_eq!(periods, ["", "2026-03"]);
    for run in ["1", "2"] {
        project.scorebook(&["replay", run, "--quiet"]).expect_code(0);
    }
    project.scorebook(&["verify"]).expect_code(0);
    // A number of the older document is explained by the run that made it.
    let csv = project.files("reports/2026-03").into_iter().find(|file| file.ends_with(".csv")).unwrap();
    let text = std::fs::read_to_string(project.path("reports/2026-03").join(csv)).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = reader.records().map(Result::unwrap).find(|row| row[5] == *"bookings").unwrap();
    let said = project.scorebook(&["explain", &row[4], "--format", "json"]).expect_code(0);
    assert!(said.stdout.contains("2026-03-01"), "{}", said.stdout);
}

#[test]
fn what_is_no_period_to_ask_for_is_refused_with_what_would_be_right() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    let refused = [
        (
            "2026-13",
            "`2026-13` names no period that is scored",
            "the month 2026-09, the quarter 2026-Q3, the year 2026",
        ),
        ("september", "`september` names no period", "month 2026-09"),
        ("2026-09-01", "`2026-09-01` names no period", "month 2026-09"),
        ("2026-10", "the month 2026-10 is still to come", "the newest is the month 2026-09"),
        ("2027", "the year 2027 is still to come", "it starts on 2027-01-01, and the run's date is 2026-09-30"),
    ];
    for (name, message, more) in refused {
        let said = project.scorebook(&["run", "--quiet", "--period", name]).expect_code(2);
        assert!(said.stderr.contains(message) && said.stderr.contains(more), "{}", said.stderr);
    }
    // A quarter that is not over stands on the run's date, and so does the month that is reported.
    project.run(&["--as-of", "2026-08-20", "--period", "2026-Q3"]);
    assert!(project.path("reports/2026-08").exists());
    // A week that ends within a month is printed nowhere.
    project.edit("report_templates/rep_scorecard/report.toml", |text| text.replace("also = [", "also = [\"week\", "));
    let said = project.scorebook(&["run", "--quiet", "--period", "2026-08-10"]).expect_code(2);
    assert!(said.stderr.contains("no report is made for the week 2026-08-10"), "{}", said.stderr);
    assert!(said.stderr.contains("ask for the month 2026-08 around it"), "{}", said.stderr);
    assert_eq!(project.files("warehouse/ledger").len(), 1);
}
