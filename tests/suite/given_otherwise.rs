//! The same facts given in other ways: rows in other files, targets by SQL, a calendar with holidays and hours.

use crate::project::{LAST_NIGHT, NIGHTS, Project};

fn digests(project: &Project, part: &str) -> serde_json::Value {
    let entry = project.entry(1);
    let tables = entry[part].as_object().unwrap();
    tables.iter().map(|(name, table)| (name.clone(), table["digest"].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn how_rows_are_split_over_files_changes_no_score() {
    let (one, other) = (Project::generated(4, 14), Project::generated(4, 14));
    one.run(&[]);
    let night = |night: &str, table: &str| format!("sample_data/salesforce/{night}/{table}.csv");
    for table in ["OpportunityHistory", "Task", "Event"] {
        // A third of the first night's records comes with the second, and a third in a second file.
        let text = std::fs::read_to_string(other.path(&night(NIGHTS[0], table))).unwrap();
        let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let head = records.headers().unwrap().clone();
        let write = |rows: Vec<&csv::StringRecord>| {
            let mut to =
                csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            to.write_record(&head).unwrap();
            rows.iter().for_each(|row| to.write_record(*row).unwrap());
            String::from_utf8(to.into_inner().unwrap()).unwrap()
        };
        let rows: Vec<csv::StringRecord> = records.records().map(Result::unwrap).collect();
        let newer = |date: &str| -> Vec<csv::StringRecord> {
            let text = std::fs::read_to_string(other.path(&night(date, table))).unwrap();
            let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
            records.records().map(Result::unwrap).collect()
        };
        let (second, last) = (newer(NIGHTS[1]), newer(LAST_NIGHT));
        let newer: Vec<&csv::StringRecord> = second.iter().chain(&last).collect();
        // What a later night has anew stays where it is.
        let is_later = |i: usize, row: &csv::StringRecord| i % 3 == 1 && newer.iter().all(|new| new[0] != row[0]);
        let part = |fits: &dyn Fn(usize, &csv::StringRecord) -> bool| -> Vec<&csv::StringRecord> {
            rows.iter().enumerate().filter(|(i, row)| fits(*i, row)).map(|(_, row)| row).collect()
        };
        other.write(&night(NIGHTS[0], table), &write(part(&|i, row| i % 3 < 2 && !is_later(i, row))));
        other.write(&night(NIGHTS[0], &format!("{table}-2")), &write(part(&|i, _| i % 3 == 2)));
        let later = part(&is_later);
        assert!(!later.is_empty());
        other.write(&night(NIGHTS[1], table), &write(later.into_iter().chain(&second).collect()));
    }
    other.edit("scorebook.toml", |text| {
        text.replace(
            "OpportunityHistory = {",
            "OpportunityHistory = { path = \"sample_data/salesforce/{date}/{table}*.csv\",",
        )
        .replace("Task = {", "Task = { path = \"sample_data/salesforce/{date}/{table}*.csv\",")
        .replace("Event = {", "Event = { path = \"sample_data/salesforce/{date}/{table}*.csv\",")
    });
    other.run(&[]);
    assert!(
        other.entry(1)["observations"].as_array().unwrap().len()
            > one.entry(1)["observations"].as_array().unwrap().len()
    );
    assert_eq!(digests(&one, "model"), digests(&other, "model"));
    assert_eq!(digests(&one, "scores"), digests(&other, "scores"));
}

#[test]
fn targets_may_come_from_sql() {
    let project = Project::generated(2, 14).formats(r#"["csv"]"#);
    std::fs::remove_file(project.path("queries/staging/salesforce/targets.sql")).unwrap();
    project.edit("scorebook.toml", |text| text.replace("quotas = { fold = \"full\" }\n", ""));
    // A tenth more than a year before.
    project.write(
        "queries/model/targets.sql",
        "/*---\nreads = [\"opportunities\"]\n---*/\n\
         SELECT 'growth-' || credited_rep_id AS target_id, 'bookings' AS metric, credited_rep_id AS rep_id,\n\
         DATE '2026-09-01' AS starts_on, DATE '2026-09-30' AS ends_on,\n\
         CAST(SUM(amount) * 1.1 AS DECIMAL(38, 6)) AS amount\n\
         FROM opportunities WHERE credited_rep_id IS NOT NULL AND closed_as = 'won' AND closed_on BETWEEN DATE '2025-09-01' AND DATE '2025-09-30'\n\
         GROUP BY credited_rep_id\n",
    );
    project.run(&[]);
    let query = "SELECT COUNT(*) AS n FROM scores WHERE metric = 'bookings' AND level = 'rep' AND slice = '' AND grain = 'month' \
                 AND period_start = DATE '2026-09-01' AND ABS(target - 1.1 * year_before) <= 0.01 AND year_before > 0";
    let said = project.scorebook(&["sql", query, "--format", "csv"]).expect_code(0).stdout;
    assert_eq!(said, "n\n2\n");
}

/// The worked example of docs/rules/time.md.
#[test]
fn the_calendar_has_holidays_and_hours() {
    let project = Project::generated(1, 2).formats(r#"["csv"]"#);
    project.edit("scorebook.toml", |text| {
        text.replace("[people]", "opening_hours = [\"08:30\", \"16:30\"]\n\n[people]")
            + "holidays = { fold = \"full\" }\n"
    });
    project.write(
        &format!("sample_data/salesforce/{LAST_NIGHT}/holidays.csv"),
        "region,day\nnorth,2026-09-07\nall,2026-09-08\n",
    );
    project.write(
        "queries/staging/salesforce/holidays.sql",
        "/*---\nfrom = \"holidays\"\ninto = \"holidays\"\n---*/\nSELECT \"_row\", region, day FROM holidays\n",
    );
    project.run(&[]);
    let query = "SELECT region, day, opens_minute, closes_minute, working_day_of_month AS place FROM calendar \
                 WHERE day BETWEEN DATE '2026-09-07' AND DATE '2026-09-09' ORDER BY day, region";
    let said = project.scorebook(&["sql", query, "--format", "csv"]).expect_code(0).stdout;
    let rows = [
        "region,day,opens_minute,closes_minute,place",
        "all,2026-09-07,510,990,5",
        "north,2026-09-07,,,4",
        "all,2026-09-08,,,5",
        "north,2026-09-08,,,4",
        "all,2026-09-09,510,990,6",
        "north,2026-09-09,510,990,5",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), rows);
    project.edit("scorebook.toml", |text| text.replace("\"16:30\"", "\"08:00\""));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3).stderr;
    assert!(said.contains("opening hours end after they begin") && said.contains("scorebook.toml"), "{said}");
}
