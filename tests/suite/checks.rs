//! What is wrong with a night's exports stops the run or is told, as `sample_data/broken/README.md` says.
//!
//! `sample_data/broken/company/` is a small company with two nights that are in order. Each other folder there holds what is
//! damaged of the second one.

use crate::project::{Project, Said, copy};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The nights of the small company.
const FIRST_NIGHT: &str = "2026-09-29";
const SECOND_NIGHT: &str = "2026-09-30";

fn broken(within: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/broken").join(within)
}

/// The small company, its first night run and published: once, and then copied.
pub fn published() -> Project {
    static PUBLISHED: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("published");
        let _ = std::fs::remove_dir_all(&folder);
        let project = Project::empty().formats(r#"["csv"]"#);
        first_night(&project);
        project.run(&[]);
        copy(&project.path(""), &folder);
        folder
    });
    let project = Project::empty();
    copy(&PUBLISHED, &project.path(""));
    project
}

pub fn first_night(project: &Project) {
    std::fs::create_dir_all(project.path("sample_data/salesforce")).unwrap();
    let night = format!("salesforce/{FIRST_NIGHT}");
    copy(&broken("company").join(&night), &project.path("sample_data").join(&night));
}

pub fn second_night(project: &Project) {
    let night = format!("salesforce/{SECOND_NIGHT}");
    copy(&broken("company").join(&night), &project.path("sample_data").join(&night));
}

/// What is published: the ledger and the readable reports, byte for byte.
fn state(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let files = ["warehouse/ledger", "reports"].into_iter();
    let files = files.flat_map(|folder| project.files(folder).into_iter().map(move |file| format!("{folder}/{file}")));
    files.map(|file| (file.clone(), std::fs::read(project.path(&file)).unwrap())).collect()
}

/// Runs the second night with a defect, which must stop the run and leave what is published; gives what was said.
fn stopped(project: &Project, defect: &str) -> String {
    second_night(project);
    copy(&broken(defect), &project.path("sample_data"));
    refused(project)
}

fn refused(project: &Project) -> String {
    let before = state(project);
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
    assert_eq!(state(project), before, "something was published");
    assert!(said.stderr.contains("nothing was published; the last run stands as it was"), "{}", said.stderr);
    assert!(said.stdout.is_empty(), "{}", said.stdout);
    said.stderr
}

/// Runs the second night with a defect that is only told; gives the finding of that check, and what was said.
fn warned(project: &Project, defect: &str, check: &str) -> (serde_json::Value, String) {
    second_night(project);
    copy(&broken(defect), &project.path("sample_data"));
    let said = project.scorebook(&["run"]).expect_code(0).stderr;
    let findings = project.entry(2)["findings"].clone();
    let of_check: Vec<_> = findings.as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect();
    assert_eq!(of_check.len(), 1, "{findings}");
    assert_eq!(of_check[0]["severity"], "warning");
    (of_check[0].clone(), said)
}

/// Each of these stands in the text.
#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    // Lines are wrapped nowhere, so a part is on one line.
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn a_night_in_order_is_told_nothing() {
    let project = published();
    second_night(&project);
    let report = project.run(&[]);
    assert_eq!(report["findings"], serde_json::json!([]));
}

#[test]
fn a_source_that_fell_behind_stops_the_run() {
    let project = published();
    let said = stopped(&project, "stale_source");
    holds(
        &said,
        &[
            "error: the newest exports of salesforce are 6 days old: 2026-09-30",
            "the run is of 2026-10-06, and at most 3 days are allowed",
            "raise `max_age_days` of [sources.salesforce]",
            "go on with `scorebook run --accept freshness:salesforce`",
        ],
    );
    project.edit("scorebook.toml", |text| {
        text.replacen("[sources.salesforce]", "[sources.salesforce]\nmax_age_days = 6", 1)
    });
    project.run(&[]);
}

#[test]
fn a_table_that_is_not_in_the_newest_night_stops_the_run() {
    let project = published();
    copy(&broken("missing_table"), &project.path("sample_data"));
    let said = refused(&project);
    holds(
        &said,
        &[
            "error: 2026-09-30 has no export of salesforce.Opportunity; its newest is of 2026-09-29",
            "sample_data/salesforce/2026-09-29/Opportunity.csv",
            "have it exported again",
            "`scorebook run --accept missing:salesforce.Opportunity`",
        ],
    );
    // It may be on purpose.
    project.edit("scorebook.toml", |text| {
        text.replacen("Opportunity = { fold = \"full\" }", "Opportunity = { fold = \"full\", max_age_days = 1 }", 1)
    });
    project.run(&[]);
}

#[test]
fn a_night_that_others_add_to_may_not_vanish() {
    let project = published();
    second_night(&project);
    let history = format!("sample_data/salesforce/{FIRST_NIGHT}/OpportunityHistory.csv");
    let kept = std::fs::read_to_string(project.path(&history)).unwrap();
    std::fs::remove_file(project.path(&history)).unwrap();
    let said = refused(&project);
    holds(&said, &["error: an export of salesforce.OpportunityHistory that the last run read is gone", &history]);
    holds(&said, &["without it 27 records leave the model", "put the files back"]);
    // A whole table's earlier nights are no loss.
    project.write(&history, &kept);
    std::fs::remove_file(project.path(&format!("sample_data/salesforce/{FIRST_NIGHT}/Account.csv"))).unwrap();
    project.run(&[]);
}

#[test]
fn a_file_that_is_still_written_stops_the_run() {
    let said = stopped(&published(), "cut_file");
    holds(
        &said,
        &[
            "error: sample_data/salesforce/2026-09-30/Opportunity.csv ends in the middle of a record",
            "record 10 is the last, and neither whole nor ended",
            "the CRM was still writing it, or it was cut off on its way",
            "run again when it is complete",
        ],
    );
}

#[test]
fn a_renamed_column_is_told_as_such() {
    let project = published();
    let amounts = || {
        let sum = "SELECT SUM(amount) AS sum FROM opportunity_versions WHERE valid_from < DATE '2026-09-30'";
        project.scorebook(&["sql", sum, "--format", "csv"]).expect_code(0).stdout
    };
    let before = amounts();
    let said = stopped(&project, "renamed_column");
    holds(
        &said,
        &[
            "error: salesforce.Opportunity has no column `Amount` any more, but has `Amount_EUR__c` now",
            "--> queries/staging/salesforce/opportunities.sql:",
            "the export has it no more",
            "sample_data/salesforce/2026-09-30/Opportunity.csv lacks it; the export of 2026-09-29 had it",
            "if it was renamed, write COALESCE(\"Amount_EUR__c\", \"Amount\") in queries/staging/salesforce/opportunities.sql",
            "optional = [\"Amount_EUR__c\", \"Amount\"]",
        ],
    );
    assert!(!said.contains("--accept"), "what staging needs cannot be accepted: {said}");
    project.scorebook(&["run", "--quiet", "--accept", "schema_drift"]).expect_code(2);
    // The way out that it names.
    project.edit("queries/staging/salesforce/opportunities.sql", |text| {
        text.replace("o.\"Amount\"", "COALESCE(o.\"Amount_EUR__c\", o.\"Amount\")").replacen(
            "lookups",
            "optional = [\"Amount_EUR__c\", \"Amount\"]\nlookups",
            1,
        )
    });
    let report = project.run(&[]);
    assert_eq!(amounts(), before, "earlier nights are read under the old name");
    let drift: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|f| f["check"] == "schema_drift").collect();
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert_eq!(drift[0]["severity"], "warning");
}

#[test]
fn a_new_column_is_told() {
    let (finding, said) = warned(&published(), "new_column", "schema_drift");
    assert_eq!(finding["of"], "salesforce.Account");
    holds(&said, &["warning: salesforce.Account has a new column: `VAT_Number__c`\n"]);
    holds(&said, &["Account = { columns = { VAT_Number__c = \"drop\" } }"]);
}

#[test]
fn an_export_that_lost_most_records_stops_the_run_until_it_is_accepted() {
    let project = published();
    let said = stopped(&project, "short_export");
    holds(
        &said,
        &[
            "error: salesforce.Opportunity of 2026-09-30 has 7 records, and had 16 on 2026-09-29",
            "that is 43 %; under 50 % a run stops",
            "`rows_error_percent`",
            "go on with `scorebook run --accept row_counts:salesforce.Opportunity`",
        ],
    );
    // The sums are off too: both must be accepted.
    project.scorebook(&["run", "--quiet", "--accept", "row_counts:salesforce.Opportunity"]).expect_code(4);
    let accepted = ["--accept", "row_counts:salesforce.Opportunity", "--accept", "control_sums"];
    let report = project.run(&accepted);
    let found = report["findings"].as_array().unwrap();
    let of = |check: &str| found.iter().find(|finding| finding["check"] == check).unwrap();
    assert_eq!(of("row_counts")["accepted"], true);
    assert_eq!(of("row_counts")["severity"], "warning");
    assert_eq!(project.entry(2)["overrides"]["accept"], "control_sums row_counts:salesforce.Opportunity");
    // What was accepted stops no later run of the same exports, and a replay finds the same.
    let report = project.run(&[]);
    assert!(report["findings"].as_array().unwrap().iter().any(|f| f["check"] == "row_counts" && f["accepted"] == true));
    project.scorebook(&["replay", "2", "--quiet"]).expect_code(0);
    project.scorebook(&["replay", "3", "--quiet"]).expect_code(0);
    let said = project.scorebook(&["run", "--quiet", "--accept", "row_count"]).expect_code(2).stderr;
    holds(&said, &["`row_count` is nothing that can be accepted", "did you mean `row_counts`?"]);
}

#[test]
fn an_export_that_lost_some_records_is_told() {
    let (finding, said) = warned(&published(), "shorter_export", "row_counts");
    assert_eq!(finding["of"], "salesforce.Account");
    holds(&said, &["warning: salesforce.Account of 2026-09-30 has 4 records, and had 6 on 2026-09-29\n"]);
    holds(&said, &["that is 66 %; under 80 % a run says so"]);
}

#[test]
fn a_broken_night_that_was_never_published_is_no_measure() {
    let project = published();
    stopped(&project, "short_export");
    // The night after is as short as the one that was refused.
    let third = "sample_data/salesforce/2026-10-01";
    copy(&project.path(&format!("sample_data/salesforce/{SECOND_NIGHT}")), &project.path(third));
    let said = refused(&project);
    holds(&said, &["salesforce.Opportunity of 2026-10-01 has 7 records, and had 16 on 2026-09-29"]);
}

#[test]
fn wins_of_closed_months_that_were_restated_stop_the_run() {
    let said = stopped(&published(), "restated_wins");
    // 47,000 became 4,700 and 36,400 became 3,640, of 197,250.50 that was won before September.
    holds(
        &said,
        &[
            "error: opportunities.amount of closed months moved by 75060.00 in all: it added up to 197250.50 in run 1, and is 122190.50 now",
            "the limit is 10 % of them all; 2 months moved: 2026-08 -32760.00, 2026-07 -42300.00",
            "salesforce:006Bk0000000005AAA: 47000.00 on 2026-07-21, then 4700.00 on 2026-07-21",
            "`sums_error_percent` under [checks]",
            "go on with `scorebook run --accept control_sums:opportunities.amount`",
        ],
    );
}

#[test]
fn a_win_that_was_reopened_is_told() {
    let project = published();
    let (finding, said) = warned(&project, "reopened_win", "control_sums");
    assert_eq!(finding["of"], "opportunities.amount");
    holds(&said, &["warning: opportunities.amount of closed months moved by 12800.00 in all"]);
    holds(&said, &["salesforce:006Bk0000000006AAA: 12800.00 on 2026-07-29, then nothing"]);
    project.scorebook(&["replay", "2", "--quiet"]).expect_code(0);
}

#[test]
fn control_totals_are_held_against_the_exports() {
    let project = Project::empty().formats(r#"["csv"]"#);
    project.edit("scorebook.toml", |text| {
        let text =
            text.replacen("[sources.salesforce]", "[sources.salesforce]\ncontrol_totals = \"control_totals\"", 1);
        text.replacen(
            "[sources.salesforce.tables]",
            "[sources.salesforce.tables]\ncontrol_totals = { fold = \"full\" }",
            1,
        )
    });
    first_night(&project);
    let totals = format!("salesforce/{FIRST_NIGHT}/control_totals.csv");
    copy(&broken("control_totals").join(&totals), &project.path("sample_data").join(&totals));
    project.run(&[]);
    let said = stopped(&project, "control_totals");
    holds(
        &said,
        &[
            "error: salesforce.Opportunity of 2026-09-30 has 16 records, and its control total is 17",
            "the total is record 1 of sample_data/salesforce/2026-09-30/control_totals.csv",
            "and: Amount of salesforce.Opportunity of 2026-09-30 adds up to 499850.5, and its control total is 505350.5",
            "ask the CRM's owner which of the two is right",
            "--accept control_totals:salesforce.Opportunity",
        ],
    );
    assert!(!said.contains("User"), "{said}");
    let totals = format!("sample_data/salesforce/{SECOND_NIGHT}/control_totals.csv");
    project.edit(&totals, |text| text.replace("\"17\"", "\"16\"").replace("505350.50", "499850.50"));
    project.run(&[]);
    project.edit(&totals, |text| text.replace("sum Amount", "summe Betrag"));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    holds(&said, &["control_totals.csv", "`sum` and a column"]);
    project.edit("scorebook.toml", |text| text.replacen("= \"control_totals\"", "= \"control_total\"", 1));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3).stderr;
    holds(&said, &["`control_totals` names `control_total`", "did you mean `control_totals`?", "scorebook.toml:"]);
}

#[test]
fn a_win_that_is_dated_to_another_month_is_told() {
    let (finding, said) = warned(&published(), "cut_off", "cut_off");
    assert_eq!(finding["rows"], 1);
    holds(
        &said,
        &[
            "warning: wins were recorded in another month than the one they are dated to: 1 row",
            "opportunity_id salesforce:006Bk0000000014AAA, closed_on 2026-08-31, recorded_on 2026-09-30, amount 8000.00",
        ],
    );
}

#[test]
fn assignments_that_overlap_stop_the_run() {
    let said = stopped(&published(), "overlapping_assignments");
    holds(
        &said,
        &[
            "error: salesforce:005Bk0000000002AAA has two assignments on 2026-07-01: in salesforce:T1 and in salesforce:R1",
            "in salesforce:T1 from 2022-05-02 for good: record 2 of sample_data/salesforce/2026-09-30/assignments.csv",
            "in salesforce:R1 from 2026-07-01 for good: record 4 of sample_data/salesforce/2026-09-30/assignments.csv",
        ],
    );
}

#[test]
fn a_stage_that_is_not_mapped_stops_the_run() {
    let said = stopped(&published(), "unmapped_stage");
    holds(
        &said,
        &[
            "error: opportunities stand in a stage that the table stages does not know: 1 row",
            "source salesforce, stage Verbal Agreement, opportunities 1, first_one salesforce:006Bk0000000015AAA",
            "add the stage to the source's stages.csv",
        ],
    );
}

#[test]
fn findings_come_as_json_too() {
    let project = published();
    second_night(&project);
    copy(&broken("new_column"), &project.path("sample_data"));
    let Said { stdout, .. } = project.scorebook(&["check", "--quiet", "--format", "json"]).expect_code(0);
    let said: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(said["findings"][0]["check"], "schema_drift");
    assert_eq!(said["findings"][0]["of"], "salesforce.Account");
}

#[test]
fn every_broken_export_stands_in_the_readme() {
    let readme = std::fs::read_to_string(broken("README.md")).unwrap();
    for folder in std::fs::read_dir(broken("")).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let name = folder.file_name().into_string().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}
