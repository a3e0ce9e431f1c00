//! The smallest blast radius: one cell, one name and one document stop nobody else's night.

use crate::project::{LAST_NIGHT, Project};
use serde_json::Value;
use std::collections::BTreeMap;

/// Years that nobody means: typed with a digit too few or too many, or written by a program for "never" and "not yet".
const FAR: [&str; 5] = ["0206", "2926", "9999", "0001", "0000"];

/// A company whose documents are made quickly.
fn company() -> Project {
    Project::generated(8, 13).formats(r#"["csv"]"#)
}

/// The records of an export, with its header first: each byte a character, for some exports are no UTF-8 on purpose.
fn records(project: &Project, path: &str) -> Vec<Vec<String>> {
    let text: String = std::fs::read(project.path(path)).unwrap().into_iter().map(char::from).collect();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
}

fn write(project: &Project, path: &str, records: &[Vec<String>]) {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    records.iter().for_each(|record| writer.write_record(record).unwrap());
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(project.path(path), bytes).unwrap();
}

/// Changes a cell of the last night's export of Salesforce.
fn change(project: &Project, file: &str, column: &str, is_meant: impl Fn(&BTreeMap<&str, &str>) -> bool, to: &str) {
    let path = format!("sample_data/salesforce/{LAST_NIGHT}/{file}");
    let mut all = records(project, &path);
    let head = all[0].clone();
    let at = head.iter().position(|name| name == column).unwrap();
    let meant = |record: &&mut Vec<String>| {
        is_meant(&head.iter().map(String::as_str).zip(record.iter().map(String::as_str)).collect())
    };
    let mut rows = all[1..].iter_mut();
    rows.find(meant).unwrap()[at] = to.bytes().map(char::from).collect();
    write(project, &path, &all);
}

/// A large win of the month: it stands in the list of its rep, its team and the company.
fn is_big_win(record: &BTreeMap<&str, &str>) -> bool {
    record["StageName"] == "Closed Won"
        && record["CloseDate"] >= "2026-09-01"
        && record["Amount"].parse::<f64>().is_ok_and(|amount| amount > 20_000.0)
}

fn findings(report: &Value, check: &str) -> Vec<String> {
    let of_check = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    of_check.flat_map(|finding| finding["shown"].as_array().unwrap().clone()).map(|line| line.to_string()).collect()
}

/// A changed cell: the export, its record's number, and the column.
type Changed = (String, usize, String);

/// Gives some cells of every column of dates, in every export of the last night, another year.
fn far_dates(project: &Project, round: usize) -> Vec<Changed> {
    let mut changed = Vec::new();
    let files = project.files("sample_data");
    for file in files.iter().filter(|file| file.contains(LAST_NIGHT) && !file.starts_with("broken")) {
        let path = format!("sample_data/{file}");
        let mut all = records(project, &path);
        // An export of which no record is left stops the run by another rule.
        if all.len() < 5 {
            continue;
        }
        let is_date = |cell: &str| cell.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
        let dates =
            (0..all[0].len()).filter(|i| all[1..].iter().any(|record| record.get(*i).is_some_and(|c| is_date(c))));
        let dates: Vec<usize> = dates.collect();
        // Whose person is set aside is without targets: of people one at a time, so that the others' night goes on.
        let is_people = file.ends_with("User.csv") || file.ends_with("owners.csv");
        for (place, column) in dates.into_iter().enumerate().filter(|(place, _)| !is_people || place % 2 == round % 2) {
            let name = all[0][column].clone();
            let most = if all.len() < 40 { 1 } else { 2 };
            let filled: Vec<usize> = (1..all.len()).filter(|row| is_date(&all[*row][column])).collect();
            for i in 0..most.min(filled.len()) {
                // Not those of another column of the same export.
                let row = filled[(1 + 7 * place + 3 * i) % filled.len()];
                all[row][column].replace_range(..4, FAR[(2 * round + place + i) % FAR.len()]);
                changed.push((path.clone(), row, name.clone()));
            }
        }
        write(project, &path, &all);
    }
    changed
}

#[test]
fn a_far_date_sets_its_row_aside_and_stops_nobody() {
    // Two years at a time, so that three rounds bring every year to every column.
    for round in 0..3 {
        let project = company();
        let changed = far_dates(&project, round);
        assert!(changed.len() > 30, "{changed:?}");
        let report = project.run(&[]);
        assert_eq!(report["documents"]["failed"], 0);
        let staging: Vec<String> = (project.files("queries/staging").iter())
            .map(|file| std::fs::read_to_string(project.path(&format!("queries/staging/{file}"))).unwrap())
            .collect();
        let is_read = |path: &str, column: &str| {
            let export = path.rsplit('/').next().unwrap().trim_end_matches(".csv");
            let mut of_export = staging.iter().filter(|sql| sql.contains(&format!("from = \"{export}\"")));
            of_export.any(|sql| sql.contains(&format!("\"{column}\"")) || sql.contains(&format!("{column},")))
        };
        let model = project.path("queries/model.toml");
        let tables: toml::Table = std::fs::read_to_string(model).unwrap().parse().unwrap();
        let mut set_aside: BTreeMap<(String, usize), String> = BTreeMap::new();
        for table in tables["tables"].as_table().unwrap().keys() {
            let said = project.scorebook(&["sql", "--format", "json", &format!("SELECT * FROM quarantine_{table}")]);
            let rows: Vec<Value> =
                if said.code == 0 { serde_json::from_str(&said.stdout).unwrap() } else { Vec::new() };
            for row in rows {
                let text = |name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), String::from);
                set_aside.insert((text("path"), text("_row").parse().unwrap()), text("reason"));
            }
        }
        let mut told: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (path, row, column) in &changed {
            let reason = set_aside.get(&(path.clone(), *row));
            let is_told = reason.is_some_and(|reason| reason.contains("is out of range: days from 1900-01-01"));
            *told.entry((path.as_str(), column.as_str())).or_default() += usize::from(is_told);
        }
        for ((path, column), count) in told {
            // Of an end that may be open, only a year before all others is a slip.
            let is_open = ["Left_On__c", "Left On", "ends_on", "ExpirationDate"].contains(&column);
            assert!(count > 0 || !is_read(path, column) || is_open, "round {round}: {column} of {path} is not told");
        }
    }
}

#[test]
fn an_end_that_is_open_sets_nothing_aside() {
    let plain = company();
    let open = company();
    // As an assignment and a rep that have no end.
    let without_end = |record: &BTreeMap<&str, &str>| record["ends_on"].is_empty();
    change(&open, "assignments.csv", "ends_on", without_end, "9999-12-31");
    change(&open, "User.csv", "Left_On__c", |record| record["Left_On__c"].is_empty(), "9999-12-31");
    // A quota without one is known up to the next of its goal alone: the last one is left out and told.
    change(&open, "quotas.csv", "ends_on", |record| record["ends_on"] == "2026-08-31", "9999-12-31");
    let scores = |project: &Project| {
        project.run(&[]);
        project.entry(1)["scores"].clone()
    };
    assert_eq!(scores(&open), scores(&plain));
    assert_eq!(open.entry(1)["findings"], plain.entry(1)["findings"]);
    let is_last = |record: &BTreeMap<&str, &str>, metric| record["metric"] == metric && record["ends_on"] == LAST_NIGHT;
    change(&open, "quotas.csv", "ends_on", |record| is_last(record, "bookings"), "9999-12-31");
    change(&open, "quotas.csv", "ends_on", |record| is_last(record, "units_sold"), "2199-12-31");
    let told = findings(&open.run(&[]), "targets").join("\n");
    assert!(told.contains("has no end, and no later one of the same goal follows"), "{told}");
    assert!(told.contains("to 2199-12-31, more than ten years"), "{told}");
}

#[test]
fn a_sign_that_no_font_has_is_a_box_and_told_with_its_record() {
    let project = Project::generated(3, 13);
    change(&project, "Opportunity.csv", "Name", is_big_win, "Big deal \u{1f680} 日本");
    change(
        &project,
        "Opportunity.csv",
        "NextStep",
        |record| record["StageName"] == "Proposal",
        "call\u{7} \u{feff}them",
    );
    let report = project.run(&[]);
    assert_eq!(report["documents"]["failed"], 0);
    let told = findings(&report, "unprinted").join("\n");
    for part in
        ["U+65E5 U+672C U+1F680 in `Big deal \u{1f680} 日本`", "opportunities.name of salesforce:006", "more documents"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let csv = project.files("reports/2026-09").into_iter().filter(|file| file.ends_with(".csv"));
    let has = |file: String| std::fs::read_to_string(project.path(&format!("reports/2026-09/{file}"))).unwrap();
    assert!(csv.map(has).any(|text| text.contains("Big deal \u{1f680} 日本")), "the CSV twin has the name as it is");
    // Told again by a night that makes nothing; and a replay, which finds nothing, compares what was told.
    let again = project.run(&[]);
    assert_eq!((&again["documents"]["made"], &again["findings"]), (&Value::from(0), &report["findings"]));
    project.scorebook(&["replay"]).expect_code(0);
}

#[test]
fn a_name_of_thousands_of_letters_prints_with_an_ellipsis() {
    for name in ["Ä".repeat(33_000), "x".repeat(70_000), "日".repeat(3_000)] {
        let project = Project::generated(2, 13);
        change(&project, "Opportunity.csv", "Name", is_big_win, &name);
        project.run(&[]);
        let files = project.files("reports/2026-09");
        let read = |file: &String| std::fs::read_to_string(project.path(&format!("reports/2026-09/{file}"))).unwrap();
        let with = |ending: &str| files.iter().filter(|file| file.ends_with(ending)).map(read).collect::<String>();
        assert!(with(".csv").contains(&name), "the CSV twin has the whole name");
        let first = name.chars().next().unwrap().to_string();
        assert!(with(".html").contains(&(first.repeat(200) + "…")) && !with(".html").contains(&first.repeat(201)));
    }
}

/// Makes the template of a report fail for whom the condition holds, as `fail` says.
fn fail(project: &Project, report: &str, condition: &str, fail: &str) {
    project.edit(&format!("report_templates/{report}/report.typ"), |text| {
        text + &format!("\n#let c = json(\"/context.json\")\n#if {condition} [#{fail}]\n")
    });
}

const PANIC: &str = r#"("Ä" * 33000)"#;

#[test]
fn a_document_that_fails_is_held_back_alone() {
    let project = Project::generated(2, 13);
    // The typesetter panics over a word that never ends. The first is the only document of its report.
    fail(&project, "board_pack", "true", PANIC);
    fail(
        &project,
        "rep_scorecard",
        "c.entity.id == \"unassigned\" or c.entity.name.starts-with(\"A\")",
        "panic(\"no\")",
    );
    let said = project.scorebook(&["run", "--quiet"]).expect_code(5);
    let entry = project.entry(1);
    let failures = entry["failures"].as_array().unwrap();
    let of = |report: &str| failures.iter().filter(|failure| failure["report"] == report).count();
    assert_eq!(of("board_pack"), 1, "{}", said.stderr);
    assert_eq!(of("team_review"), 0);
    assert!(said.stderr.contains("Scorebook itself failed at the board_pack of"), "{}", said.stderr);
    assert!(!said.stderr.contains("thread '") && !said.stderr.contains("RUST_BACKTRACE"), "{}", said.stderr);
    let files = project.files("reports");
    assert!(files.iter().any(|file| file.contains("team_review") && file.ends_with(".pdf")));
    assert!(!files.iter().any(|file| file.contains("board_pack")));
    // The lock is free, and what is mended is made.
    project.edit("report_templates/board_pack/report.typ", |text| text.replace(PANIC, "\"Ä\""));
    project.scorebook(&["run", "--quiet"]);
    assert!(project.files("reports").iter().any(|file| file.contains("board_pack") && file.ends_with(".pdf")));
}

#[test]
fn a_night_without_any_document_is_not_published() {
    let project = Project::generated(2, 13).for_reps();
    fail(&project, "rep_scorecard", "true", "unknwon()");
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    assert!(said.stderr.contains("none of the") && said.stderr.contains("#unknwon()"), "{}", said.stderr);
    assert!(project.files("warehouse/ledger").is_empty());
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let project = Project::empty();
    let settings = std::fs::read_to_string(project.path("scorebook.toml")).unwrap();
    let people = |line: &str| settings.replacen("[people]\n", &format!("[people]\n{line}\n"), 1);
    let bands = |bands: &str| {
        settings.replace("tenure_bands_months = [0, 6, 12, 24]", &format!("tenure_bands_months = {bands}"))
    };
    let checks = |from: &str, to: &str| settings.replace(from, to);
    let engine = |line: &str| format!("{settings}\n[engine]\n{line}\n");
    let cases = [
        (engine("threads = 1000000"), "a whole number from 0 to 512"),
        (engine("threads = -1"), "a whole number from 0 to 512"),
        (engine("memory_mib = 0"), "a whole number from 64 to 16777216"),
        (engine("memory_mib = 9223372036854775807"), "a whole number from 64 to 16777216"),
        (engine("memory_mib = 1.5"), "a whole number from 64 to 16777216"),
        (format!("{settings}\n[money]\nrate_max_age_days = 4000000000\n"), "a whole number from 0 to 366"),
        (checks("\nmax_age_days = 3", "\nmax_age_days = 4000000000"), "a whole number from 0 to 3660"),
        (checks("\nmax_age_days = 3", "\nmax_age_days = -3"), "a whole number from 0 to 3660"),
        (checks("rows_error_percent = 50", "rows_error_percent = 101"), "a whole number from 0 to 100"),
        (checks("sums_error_percent = 10", "sums_error_percent = 10001"), "a whole number from 0 to 10000"),
        (checks("name = \"Alderbrook Instruments\"", &format!("name = \"{}\"", "Ä".repeat(201))), "1 to 200 letters"),
        (people("minimum_group = 0"), "a whole number from 1 to 10000"),
        (settings.replacen("[sources.hubspot]\n", "[sources.hubspot]\nmax_age_days = 99999\n", 1), "from 0 to 3660"),
        (bands("[0, 6, 6]"), "tenure bands start at 0 and ascend"),
        (bands("[0, 4000000000]"), "none begins after 1200 months"),
        (bands(&format!("{:?}", (0..61).collect::<Vec<_>>())), "at most 60 tenure bands"),
        (people(&format!("ramp = {:?}", vec!["0.5"; 61])), "a ramp has at most 60 months"),
        (people("ramp = [\"1.5\"]"), "from 0 to 1"),
    ];
    for (text, range) in cases {
        assert_ne!(text, settings, "{range}");
        project.write("scorebook.toml", &text);
        let said = project.scorebook(&["check"]).expect_code(3);
        assert!(said.stderr.contains(range) && said.stderr.contains("scorebook.toml:"), "{range}: {}", said.stderr);
    }
    project.write("scorebook.toml", &settings);
    for threads in ["1000000", "-1", "99999999999999999999", "x"] {
        let said = project.scorebook(&[&format!("--threads={threads}"), "runs"]).expect_code(2);
        assert!(said.stderr.contains("from 0 to 512"), "{}", said.stderr);
    }
    for day in ["9999-12-31", "0206-09-30"] {
        let said = project.scorebook(&["run", "--as-of", day]).expect_code(2);
        assert!(said.stderr.contains("from 2000-01-01 to 2049-12-31"), "{}", said.stderr);
    }
}

#[test]
fn a_folder_of_a_far_day_is_no_night() {
    for (day, reason) in
        [("9999-12-31", "out of range"), ("2150-01-01", "a run's date is from 2000-01-01 to 2049-12-31")]
    {
        let project = Project::generated(2, 13);
        let from = project.path(&format!("sample_data/salesforce/{LAST_NIGHT}"));
        std::fs::rename(from, project.path(&format!("sample_data/salesforce/{day}"))).unwrap();
        let said = project.scorebook(&["run", "--quiet"]).expect_code(4);
        assert!(said.stderr.contains(reason) && said.stderr.contains("rename the folder"), "{}", said.stderr);
    }
}
