//! The commands as people use them.

use crate::project::{LAST_NIGHT, Project, Said};
use std::collections::BTreeSet;

/// A reference of a report's first CSV: the code with its column, the metric, the printed value and n.
fn references(project: &Project, report: &str) -> Vec<(String, String, String, i64)> {
    let folder = format!("reports/2026-09/{report}");
    let file = project.files(&folder).into_iter().find(|file| file.ends_with(".csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(project.path(&folder).join(file)).unwrap();
    let head = reader.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|head| head == name).unwrap();
    let rows =
        reader.records().map(Result::unwrap).filter(|row| row.get(at("reference")).is_some_and(|r| !r.is_empty()));
    let cell = |row: &csv::StringRecord, name: &str| row.get(at(name)).unwrap_or_default().to_owned();
    rows.map(|row| {
        let n = cell(&row, "n").parse().unwrap_or(0);
        (cell(&row, "reference"), cell(&row, "metric"), cell(&row, "value"), n)
    })
    .collect()
}

#[test]
fn every_printed_number_is_explained_by_its_facts() {
    let project = Project::generated(3, 14).formats(r#"["csv"]"#);
    project.run(&[]);
    let mut seen = BTreeSet::new();
    for report in ["team_review", "board_pack", "rep_scorecard"] {
        let (explained, changes) = explain_all(&project, &references(&project, report), &mut seen);
        assert!(explained >= 12 && changes > 0, "{report}: {explained} explained, {changes} by the history");
    }
    assert!(seen.len() >= 40, "{}", seen.len());
    project.scorebook(&["explain", "0000-0000-0000-1"]).expect_code(2);
}

/// Those of which every row can be held against its export, and every place in a line is asked for.
const CORE: [&str; 4] = ["bookings", "win_rate", "open_pipeline", "calls_made"];

/// Explains one number of each metric, of those at the core one of each place in a line of each report, down to the rows of
/// the exports; says how many, and how many rows were changes of deals.
fn explain_all(
    project: &Project,
    references: &[(String, String, String, i64)],
    seen: &mut BTreeSet<(String, String)>,
) -> (usize, usize) {
    assert!(references.len() > 50, "{}", references.len());
    let (mut explained, mut changes) = (0, 0);
    let mut here = BTreeSet::new();
    for (reference, metric, value, n) in references {
        let column = reference.rsplit('.').next().unwrap().to_owned();
        let is_core = CORE.contains(&metric.as_str());
        let place = (metric.clone(), if is_core { column } else { String::new() });
        let is_new = if is_core { here.insert(place.clone()) } else { !seen.contains(&place) };
        if *n == 0 || !is_new {
            continue;
        }
        seen.insert(place);
        let said = project.scorebook(&["explain", reference, "--format", "json", "--limit", "100000"]).expect_code(0);
        let explained_by: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let parts = explained_by["parts"].as_object().unwrap();
        explained += 1;
        // A formula is explained by its parts.
        let Some(part) = parts.get(metric) else {
            assert!(!parts.is_empty(), "{reference} {metric}");
            continue;
        };
        assert_eq!(part["facts"].as_i64(), Some(*n), "{reference} {metric} {value}");
        let rows = part["rows"].as_array().unwrap();
        if metric == "bookings" || metric == "open_pipeline" {
            let cents = |text: &str| -> i128 {
                let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
                format!("{whole}{rest:0<2}").parse().unwrap()
            };
            let sum: i128 = rows.iter().map(|row| cents(row["value"].as_str().unwrap())).sum();
            assert_eq!(sum, cents(value), "{reference} {metric}");
        }
        for row in rows.iter().take(3).filter(|_| is_core) {
            let (export, number) = (row["export"].as_str().unwrap(), row["row"].as_str().unwrap());
            let record = row["record_id"].as_str().unwrap().split_once(':').unwrap().1.to_owned();
            // A change of a deal names the deal in its second column, and its amount in the fourth.
            let is_change = export.ends_with("OpportunityHistory.csv");
            let found = record_of(project, export, number.parse().unwrap());
            assert_eq!(found[usize::from(is_change)], record, "{export} {number}");
            if is_change && found.last().is_some_and(|currency| currency == "EUR") {
                let cents = |text: &str| (text.parse::<f64>().unwrap() * 100.0).round();
                assert_eq!(cents(&found[3]), cents(row["value"].as_str().unwrap()), "{export} {number}");
                changes += 1;
            }
        }
    }
    (explained, changes)
}

#[test]
fn a_target_is_explained_by_its_rows() {
    let project = Project::generated(3, 14).formats(r#"["csv"]"#);
    project.run(&[]);
    let entry = project.entry(1);
    let exports = entry["observations"].as_array().unwrap();
    let (mut explained, mut repeated) = (0, 0);
    for (reference, metric, ..) in references(&project, "rep_scorecard") {
        if metric != "bookings" && metric != "quota_attainment" {
            continue;
        }
        let said = project.scorebook(&["explain", &reference, "--format", "json"]).expect_code(0);
        let said: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let Some(rows) = said["targets"].get("bookings").and_then(|rows| rows.as_array()) else { continue };
        let mut sum = 0.0;
        for row in rows {
            let (export, number) = (row["export"].as_str().unwrap(), row["row"].as_str().unwrap());
            // Several nights have the same row: the newest of them is named.
            let raw = &exports.iter().find(|of| of["path"] == export).unwrap()["raw"];
            let nights = exports.iter().filter(|of| of["raw"] == *raw);
            let newest = nights.clone().map(|of| of["data_date"].as_str().unwrap()).max().unwrap();
            assert!(export.contains(newest), "{export} is not of {newest}");
            repeated += usize::from(nights.count() > 1);
            let amount = row["amount"].as_str().unwrap();
            let cells = record_of(&project, export, number.parse().unwrap());
            assert!(cells.iter().any(|cell| cell.trim_end_matches(".0") == amount), "{reference} {amount} {cells:?}");
            sum += amount.parse::<f64>().unwrap();
        }
        // Quotas are by the month, and the periods are made of months.
        if let Some(target) = said["cell"]["target"].as_str().filter(|_| metric == "bookings") {
            assert_eq!(target.parse::<f64>().unwrap(), sum, "{reference}");
        }
        explained += 1;
    }
    assert!(explained >= 10 && repeated >= 10, "{explained} {repeated}");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let project = Project::empty();
    let said = |variables: &[(&str, &str)]| {
        let mut command = project.command(&["show", "7"]);
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        Said::of(output).stderr.contains('\x1b')
    };
    assert!(!said(&[]));
    assert!(said(&[("CLICOLOR_FORCE", "1")]));
    assert!(!said(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

/// The cells of a record of an export, by its number. Records that cannot be read count too.
fn record_of(project: &Project, export: &str, number: usize) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(project.path(export)).unwrap();
    let record = reader.byte_records().nth(number - 1).unwrap().unwrap();
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

#[test]
fn sql_asks_every_kind_of_table() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let tables = project.scorebook(&["sql", "tables"]).expect_code(0).stdout;
    for table in ["opportunities", "scores", "facts_bookings", "raw_salesforce_opportunity", "quarantine_opportunities"]
    {
        assert!(tables.contains(table), "{table}: {tables}");
        let said = project.scorebook(&["sql", &format!("SELECT COUNT(*) AS n FROM {table}"), "--format", "csv"]);
        let said = said.expect_code(0).stdout;
        assert!(said.lines().nth(1).unwrap().parse::<u64>().unwrap() > 0, "{table}: {said}");
    }
    for wrong in ["SELECT * FROM opportunites", "DROP TABLE opportunities", "SELECT now()", "SELECT 1; SELECT 2"] {
        let said = project.scorebook(&["sql", wrong]).expect_code(3);
        assert!(said.stderr.contains("help:"), "{}", said.stderr);
    }
    project.scorebook(&["sql", "SELECT 1", "--run", "7"]).expect_code(2);
}

#[test]
fn bad_exports_stop_the_run_and_leave_the_last_one() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let published = project.files("reports");
    let stages = format!("sample_data/salesforce/{LAST_NIGHT}/stages.csv");
    project.edit(&stages, |text| text.replace("\"Closed Won\"", "\"Victory\""));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    assert!(said.stderr.contains("Closed Won") && said.stderr.contains("nothing was published"), "{}", said.stderr);
    project.edit(&stages, |text| text.replace("\"Victory\"", "\"Closed Won\""));
    std::fs::write(project.path(&format!("sample_data/salesforce/{LAST_NIGHT}/User.csv")), "").unwrap();
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    assert!(said.stderr.contains("User.csv"), "{}", said.stderr);
    assert_eq!(project.files("warehouse/ledger").len(), 1);
    assert_eq!(project.files("reports"), published);
}

#[test]
fn an_export_in_another_form_stops_the_run() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    // As a spreadsheet would save it again: 2026-09-30 becomes 30.09.2026.
    project.edit(&format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv"), |text| {
        let day = regex::Regex::new(r#""(\d{4})-(\d\d)-(\d\d)""#).unwrap();
        day.replace_all(&text, "\"$3.$2.$1\"").into_owned()
    });
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    assert!(
        said.stderr.contains("nothing of the 178 records") && said.stderr.contains("is no date"),
        "{}",
        said.stderr
    );
    assert_eq!(project.files("warehouse/ledger").len(), 1);
}

#[test]
fn text_from_the_crm_does_not_steer_the_terminal() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.edit(&format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv"), |text| {
        text.replacen("\"Closed Won\"", "\"\u{1b}]0;owned\u{7}\"", 1)
    });
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    assert!(said.stderr.contains("owned") && !said.stderr.contains('\u{1b}'), "{:?}", said.stderr);
}

#[test]
fn wrong_usage_says_what_to_do() {
    let nowhere = tempfile::tempdir().unwrap();
    let project = Project::empty();
    let said = project.scorebook(&["--project", nowhere.path().to_str().unwrap(), "runs"]);
    assert!(said.code == 2 || said.code == 3, "{}", said.stderr);
    let said = project.scorebook(&["run"]).expect_code(4);
    assert!(said.stderr.contains("there are no exports"), "{}", said.stderr);
    project.scorebook(&["sing"]).expect_code(2);
    project.edit("scorebook.toml", |text| text.replace("currency =", "curency ="));
    let said = project.scorebook(&["run"]).expect_code(3);
    assert!(said.stderr.contains("scorebook.toml:5"), "{}", said.stderr);
}

#[test]
fn what_a_command_cannot_do_it_refuses_before_it_works() {
    let project = Project::generated(2, 13);
    let said = project.scorebook(&["run", "--format", "csv"]).expect_code(2).stderr;
    assert!(said.contains("`run` says more than a table can") && said.contains("--format json"), "{said}");
    project.scorebook(&["check", "--format", "csv"]).expect_code(2);
    let said = project.scorebook(&["check", "--quiet", "--format", "json"]).expect_code(0).stdout;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(said["exports"].as_u64() > Some(10) && said["findings"].is_array(), "{said}");
    project.edit("scorebook.toml", |text| text + "\n[engine]\nmemory_mib = 0\n");
    let said = project.scorebook(&["check"]).expect_code(3).stderr;
    assert!(said.contains("a whole number from 64 to 16777216") && said.contains("scorebook.toml:"), "{said}");
    project.edit("scorebook.toml", |text| text.replace("memory_mib = 0", "memory_mib = 64"));
    project.edit("scorebook.toml", |text| text.replace("stages = { fold", "\"../stages\" = { fold"));
    let said = project.scorebook(&["check"]).expect_code(3).stderr;
    assert!(said.contains("`../stages` cannot name a source or a table") && said.contains("scorebook.toml:"), "{said}");
    project.edit("scorebook.toml", |text| text.replace("\"../stages\"", "stages"));
    project.edit("report_templates/rep_scorecard/report.toml", |text| text.replacen("\"win_rate\"", "\"win_rat\"", 1));
    let said = project.scorebook(&["check"]).expect_code(3).stderr;
    assert!(said.contains("`win_rat` is no metric") && said.contains("did you mean `win_rate`"), "{said}");
    assert!(said.contains("report.toml:") && said.contains("\"win_rat\""), "{said}");
}
