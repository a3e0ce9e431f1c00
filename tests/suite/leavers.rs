//! Who has left: which documents there are, and what becomes of the role. The numbers stand in `queries/tests`.

use crate::project::{LAST_NIGHT, Project};

/// The names of a period's scorecards.
fn cards(project: &Project, period: &str) -> Vec<String> {
    let files = project.files(&format!("reports/{period}/rep_scorecard"));
    // Behind the name stands the mark of the person.
    files.iter().map(|file| file.rsplit_once('-').unwrap().0.to_owned()).collect()
}

/// Gives the first rep of the exports a last day; says the file name of their scorecard.
fn leaves(project: &Project, day: &str) -> String {
    let first = regex::Regex::new(r#"(?m)^"(005[^"]*)","([^"]*)"(.*"Account Executive".*)$"#).unwrap();
    let path = format!("sample_data/salesforce/{LAST_NIGHT}/User.csv");
    let text = std::fs::read_to_string(project.path(&path)).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let left = head.iter().position(|name| name.contains("Left_On__c")).unwrap();
    let line = first.find(&text).unwrap().as_str();
    let mut cells: Vec<&str> = line.split("\",\"").collect();
    let name = cells[head.iter().position(|name| name.contains("\"Name\"")).unwrap()].to_owned();
    cells[left] = day;
    let changed = cells.join("\",\"");
    project.edit(&path, |text| text.replace(line, &changed));
    name.to_lowercase().replace(' ', "-")
}

#[test]
fn no_scorecard_for_a_period_in_which_the_rep_was_in_no_team() {
    let project = Project::generated(4, 14).formats(r#"["csv"]"#);
    // Nobody ended the assignment: the last day does.
    let gone = leaves(&project, "2026-08-03");
    project.run(&[]);
    assert_eq!(cards(&project, "2026-09").len(), 3);
    assert!(!cards(&project, "2026-09").contains(&gone));
    project.run(&["--period", "2026-08"]);
    assert!(cards(&project, "2026-08").contains(&gone), "{gone}: {:?}", cards(&project, "2026-08"));
    assert_eq!(cards(&project, "2026-08").len(), 4);
    let after =
        "SELECT COUNT(*) AS n FROM membership WHERE valid_from = DATE '2026-08-04' AND entity LIKE 'unassigned%'";
    let said = project.scorebook(&["sql", after, "--format", "csv"]).expect_code(0).stdout;
    assert_eq!(said.lines().nth(1), Some("4"), "rep, rep in team, team and region");
}

#[test]
fn where_there_are_no_teams_who_has_left_has_no_scorecard_either() {
    let project = Project::generated(3, 13).formats(r#"["csv"]"#);
    let path = format!("sample_data/salesforce/{LAST_NIGHT}/assignments.csv");
    project.edit(&path, |text| text.lines().next().unwrap().to_owned() + "\n");
    project.run(&["--accept", "row_counts"]);
    let before = cards(&project, "2026-09");
    let gone = leaves(&project, "2026-08-31");
    project.run(&[]);
    let after = cards(&project, "2026-09");
    assert!(before.contains(&gone) && !after.contains(&gone) && after.len() + 1 == before.len(), "{gone}: {before:?}");
}

#[test]
fn an_assignment_after_the_last_day_counts_for_nothing_and_is_told() {
    let project = Project::generated(3, 13).formats(r#"["csv"]"#);
    leaves(&project, "2016-12-31");
    let report = project.run(&[]);
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|found| found["check"] == "assigned_after_leaving" && found["rows"] == 1),
        "{findings:?}"
    );
    assert_eq!(cards(&project, "2026-09").len(), 2);
}

#[test]
fn a_role_ends_with_the_last_day() {
    let project = Project::empty();
    let metric = "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nbetter = \"higher\"\nrecord = \"opportunities\"\n\
        unit = \"count\"\nmeasure = \"flow\"\naggregate = \"count\"\nslices = [\"role\"]\ncadence = [\"month\"]\n---*/\n\
        SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date FROM opportunities\n";
    project.write("queries/metrics/outcome/deals.sql", metric);
    let case = r#"[[case]]
name = "case"
as_of = "2026-09-30"
tables.reps = """
rep_id | left_on
ada    | 2026-09-15
ben    |
"""
tables.teams = """
team_id | level
alpha   | team
"""
tables.assignments = """
rep_id | team_id | role   | starts_on  | ends_on
ada    | alpha   | Senior | 2020-01-01 | 2026-12-31
ben    | alpha   | Senior | 2020-01-01 |
"""
tables.opportunities = """
opportunity_id | credited_rep_id | closed_on
o1             | ada             | 2026-09-15
o2             | ada             | 2026-09-16
o3             | ben             | 2026-09-16
"""
expect = """
level   | entity     | period  | slice | slice_value | value
rep     | ada        | 2026-09 | role  | Senior      | 1
rep     | unassigned | 2026-09 | role  | (none)      | 1
rep     | ben        | 2026-09 | role  | Senior      | 1
company | company    | 2026-09 | role  | Senior      | 2
company | company    | 2026-09 | role  | (none)      | 1
"""
"#;
    project.write("queries/tests/deals.toml", case);
    project.scorebook(&["test", "deals"]).expect_code(0);
}
