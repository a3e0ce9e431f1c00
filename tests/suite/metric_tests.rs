//! `scorebook test`: the metrics pass their tests, and a slip in a test is refused at its place.

use crate::project::Project;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn test(project: &Path, metric: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorebook"));
    command.arg("--project").arg(project).arg("test").args(metric).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn the_metrics_pass_their_tests() {
    let output = test(Path::new(env!("CARGO_MANIFEST_DIR")), None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One right case, and for each slip what is said of it and where.
#[test]
fn a_slip_is_refused_at_its_place() {
    const RIGHT: &str = r#"[[case]]
name = "one deal"
as_of = "2026-09-30"
tables.reps = """
rep_id
ada
"""
tables.opportunities = """
opportunity_id | credited_rep_id | closed_as | amount | closed_on
o1             | ada             | won       | 100    | 2026-09-10
"""
expect = """
level | entity     | period  | value | previous
rep   | ada        | 2026-09 | 100   | 0
rep   | ada        | 2026-Q3 | 100   | ?
rep   | ada        | 2026-08 |       |
rep   | unassigned | 2026    |       |
"""
"#;
    const SLIPS: [(&str, &str, &str, &str); 14] = [
        ("| 100   | 0", "| 120   | 0", "value is 100, expected 120", "14:32"),
        ("| 100   | 0", "| 100   |", "previous is 0, expected nothing", "14:39"),
        ("2026-08 |       |", "2026-08 | 0     |", "there is no such score", "16:1"),
        ("2026-08 |       |", "2026-08 | ?     |", "there is no such score", "16:1"),
        ("rep   | unassigned", "reps  | unassigned", "`reps` is no level of bookings", "17:1"),
        ("| 2026    |", "| 2026-13 |", "there is no scored period `2026-13`", "17:22"),
        ("ada        | 2026-08", "adda       | 2026-08", "the case has no rep `adda`", "16:9"),
        ("value | previous", "vlaue | previous", "scores have no column `vlaue`", "13:32"),
        ("tables.opportunities", "tables.oportunities", "`oportunities` is no table of the model", "8:8"),
        ("amount | closed_on", "amuont | closed_on", "opportunities has no column `amuont`", "9:48"),
        ("100    | 2026-09-10", "100    | 2026-09-10 | x", "the row has 6 cells, and its head 5", "10:70"),
        ("100    | 2026-09-10", "1,00   | 2026-09-10", "`1,00` is not a decimal number", "10:1"),
        ("o1             | ada", "o1             | adda", "the case has no `adda` among its reps", "10:18"),
        ("2026-09-30", "2026-09-31", "queries/tests/bookings.toml cannot be read", "3:9"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["queries", "report_templates"].iter().for_each(|part| copy(&root.join(part), &folder.path().join(part)));
    fs::copy(root.join("scorebook.toml"), folder.path().join("scorebook.toml")).unwrap();
    let file = folder.path().join("queries/tests/bookings.toml");
    fs::write(&file, RIGHT).unwrap();
    let output = test(folder.path(), Some("bookings"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (right, wrong, message, place) in SLIPS {
        let text = RIGHT.replacen(right, wrong, 1);
        assert_ne!(text, RIGHT, "{right}");
        fs::write(&file, text).unwrap();
        let output = test(folder.path(), Some("bookings"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{wrong}: {said}");
        assert!(said.contains(message) && said.contains(&format!("bookings.toml:{place}\n")), "{wrong}: {said}");
    }
}

/// The worked example of docs/rules/honesty.md.
#[test]
fn a_window_covers_the_time_up_to_a_periods_end() {
    let project = Project::generated(2, 13);
    let metric = "/*---\ntitle = \"Sales of three months\"\nquestion = \"How much did we sell lately?\"\n\
                  definition = \"Bookings of the three months up to the period's end.\"\nunit = \"money\"\n\
                  measure = \"flow\"\naggregate = \"sum\"\nbetter = \"higher\"\nrecord = \"opportunities\"\n\
                  facts = \"bookings\"\nwindow = \"3 months\"\ncadence = [\"month\"]\n---*/\n";
    let head = "opportunity_id | credited_rep_id | closed_as | amount | closed_on";
    let deals = [
        "o1 | ada | won | 1 | 2026-06-30",
        "o2 | ada | won | 10 | 2026-07-01",
        "o3 | ada | won | 100 | 2026-08-31",
        "o4 | ada | won | 1000 | 2026-09-30",
    ];
    let case = format!(
        "[[case]]\nname = \"three months\"\nas_of = \"2026-09-30\"\ntables.reps = \"\"\"\nrep_id\nada\n\"\"\"\n\
         tables.opportunities = \"\"\"\n{head}\n{}\n\"\"\"\nexpect = \"\"\"\n\
         level | entity | period | value | previous\nrep | ada | 2026-09 | 1110 | 111\nrep | ada | 2026-08 | 111 | 11\n\"\"\"\n",
        deals.join("\n")
    );
    project.test_metric("recent_sales", metric, &case);
    // The first half of September: the three months up to the 15th, against those up to August's eleventh working day.
    let case = case.replace("as_of = \"2026-09-30\"", "as_of = \"2026-09-15\"").replace(
        "rep | ada | 2026-09 | 1110 | 111\nrep | ada | 2026-08 | 111 | 11\n",
        "rep | ada | 2026-09 | 111 | 11\n",
    );
    project.test_metric("recent_sales", metric, &case);
}

/// The worked example of docs/rules/honesty.md.
#[test]
fn a_cohort_counts_what_converts_within_its_days() {
    let project = Project::generated(2, 13);
    let metric = "/*---\ntitle = \"Lead conversion\"\nquestion = \"How many leads become deals?\"\n\
                  definition = \"Leads converted within 90 days / leads, by the day they came.\"\nunit = \"percent\"\n\
                  measure = \"flow\"\naggregate = \"ratio\"\nbetter = \"higher\"\nrecord = \"leads\"\n\
                  cohort_days = 90\ncadence = [\"month\"]\nneeds = [\"leads\"]\n---*/\n\
                  SELECT lead_id AS record_id, rep_id, created_on AS event_date, converted_on FROM leads\n";
    let leads = [
        "l1 | ada | 2026-05-10 | 2026-08-08",
        "l2 | ada | 2026-05-10 | 2026-08-09",
        "l3 | ada | 2026-05-31 |",
        "l4 | ada | 2026-08-01 | 2026-08-02",
    ];
    let case = format!(
        "[[case]]\nname = \"ninety days\"\nas_of = \"2026-09-30\"\ntables.reps = \"\"\"\nrep_id\nada\n\"\"\"\n\
         tables.leads = \"\"\"\nlead_id | rep_id | created_on | converted_on\n{}\n\"\"\"\nexpect = \"\"\"\n\
         level | entity | period | value | numerator | denominator\nrep | ada | 2026-05 | ? | 1 | 3\n\
         rep | ada | 2026-08 | 1 | 1 | 1\n\"\"\"\n",
        leads
            .join("\n")
            .replace("2026-05-10 |", "2026-05-10 00:00:00 |")
            .replace("2026-05-31 |", "2026-05-31 00:00:00 |")
            .replace("2026-08-01 |", "2026-08-01 00:00:00 |")
    );
    project.test_metric("lead_conversion", metric, &case);
    // Two sides make no cohort.
    project.write("queries/metrics/outcome/lead_conversion.sql", &metric.replace("\"ratio\"", "\"count\""));
    let said = project.scorebook(&["test", "lead_conversion"]).expect_code(3);
    assert!(said.stderr.contains("cohort_days"), "{}", said.stderr);
}
