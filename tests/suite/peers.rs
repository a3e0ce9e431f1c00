//! What is said of a rep beside others, and what may not be said of a single rep: the worked examples of docs/rules/people.md.

use crate::project::Project;
use std::fmt::Write;

const BOOKED: [i64; 8] = [90, 80, 70, 60, 60, 40, 30, 0];

/// A case of eight account executives of one team, and two who are not their peers.
fn case(people: &str, quartiles: [&str; 8]) -> String {
    let mut text = format!("[[case]]\nname = \"eight\"\nas_of = \"2026-09-30\"\n{people}\n");
    let (mut reps, mut assignments) = (String::new(), String::new());
    let (mut deals, mut expect) = (String::new(), String::new());
    for (i, (booked, quartile)) in BOOKED.into_iter().zip(quartiles).enumerate() {
        writeln!(reps, "r{i} | 2020-01-01 | bavaria").unwrap();
        writeln!(assignments, "r{i} | alpha | AE | 2020-01-01").unwrap();
        writeln!(deals, "o{i} | r{i} | won | {booked} | 2026-09-10").unwrap();
        writeln!(expect, "rep | r{i} | 2026-09 | | | {booked} | {quartile}").unwrap();
    }
    // A manager, and one whose tenure is short.
    reps.push_str("boss | 2020-01-01 |\nnew | 2026-08-01 |\n");
    assignments.push_str("boss | alpha | Manager | 2020-01-01\nnew | alpha | AE | 2026-08-01\n");
    deals.push_str("o8 | boss | won | 1000 | 2026-09-10\no9 | new | won | 1000 | 2026-09-10\n");
    expect.push_str(
        "rep | boss | 2026-09 | | | 1000 |\nrep | new | 2026-09 | | | 1000 |\nteam | alpha | 2026-09 | | | 2430 |\n",
    );
    for (name, head, rows) in [
        ("reps", "rep_id | hired_on | holiday_region", reps),
        ("teams", "team_id | level", "alpha | team\n".to_owned()),
        ("assignments", "rep_id | team_id | role | starts_on", assignments),
        ("opportunities", "opportunity_id | credited_rep_id | closed_as | amount | closed_on", deals),
    ] {
        write!(text, "tables.{name} = \"\"\"\n{head}\n{rows}\"\"\"\n").unwrap();
    }
    text + "expect = \"\"\"\nlevel | entity | period | slice | slice_value | value | quartile\n" + &expect + "\"\"\"\n"
}

#[test]
fn reps_are_ranked_among_peers_in_groups_that_are_large_enough() {
    let project = Project::empty();
    let test = |case: String| {
        project.write("queries/tests/bookings.toml", &case);
        project.scorebook(&["test", "bookings"]).expect_code(0);
    };
    test(case("", ["1", "1", "2", "2", "2", "3", "4", "4"]));
    test(case("people = { minimum_group = 9 }", [""; 8]));
    // Less is better, and of those who have some: who sold nothing at all has no place, and is not the first.
    let bookings = "queries/metrics/outcome/bookings.sql";
    project.edit(bookings, |sql| sql.replace("\"higher\"", "\"lower\""));
    test(case("", ["4", "4", "3", "2", "2", "2", "1", "1"]));
    let idle = case("", ["4", "3", "3", "2", "2", "1", "1", ""]).replace("o7 | r7 | won | 0 | 2026-09-10\n", "");
    test(idle.replace("rep | r7 | 2026-09 | | | 0 |", "rep | r7 | 2026-09 | | | |"));
    project.edit(bookings, |sql| sql.replace("\"lower\"", "\"neither\""));
    test(case("", [""; 8]));
}

#[test]
fn what_may_not_be_shown_of_a_rep_is_scored_for_teams_alone() {
    let project = Project::empty();
    let rule = "people = { minimum_group = 1, only_for_teams = [{ region = \"bavaria\", metrics = [\"bookings\"] }] }";
    let mut case = case(rule, [""; 8]);
    for (i, booked) in BOOKED.into_iter().enumerate() {
        case =
            case.replace(&format!("rep | r{i} | 2026-09 | | | {booked} |"), &format!("rep | r{i} | 2026-09 | | | |"));
    }
    // The two elsewhere are alone in their groups.
    case = case.replace("boss | 2026-09 | | | 1000 |", "boss | 2026-09 | | | 1000 | 1");
    let case = case.replace("new | 2026-09 | | | 1000 |", "new | 2026-09 | | | 1000 | 1");
    project.write("queries/tests/bookings.toml", &case);
    project.scorebook(&["test", "bookings"]).expect_code(0);
    let everyone = case.replace("\"bavaria\"", "\"all\"").replace("1000 | 1\n", "|\n");
    project.write("queries/tests/bookings.toml", &everyone);
    project.scorebook(&["test", "bookings"]).expect_code(0);
}

#[test]
fn a_scorecard_says_what_is_measured_for_teams_only() {
    let project = Project::generated(3, 14).for_reps();
    let settings = |metric: &str| format!("\n[[people.only_for_teams]]\nregion = \"all\"\nmetrics = [\"{metric}\"]\n");
    project.edit("scorebook.toml", |text| text + &settings("calls_mad"));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3).stderr;
    assert!(
        said.contains("`calls_mad` in [[people.only_for_teams]] is no metric") && said.contains("calls_made"),
        "{said}"
    );
    project.edit("scorebook.toml", |text| text.replace("\"calls_mad\"", "\"calls_made\""));
    project.run(&[]);
    let count = |level: &str| {
        let query = format!(
            "SELECT COUNT(*) AS n FROM scores WHERE metric = 'calls_made' AND level = '{level}' AND entity <> 'unassigned'"
        );
        project
            .scorebook(&["sql", &query, "--format", "csv"])
            .expect_code(0)
            .stdout
            .replace("n\n", "")
            .trim()
            .to_owned()
    };
    assert_eq!(count("rep"), "0");
    assert_ne!(count("team"), "0");
    let mut pages = 0;
    for file in project.files("reports").into_iter().filter(|file| file.ends_with(".html")) {
        let page = std::fs::read_to_string(project.path("reports").join(file)).unwrap();
        assert!(page.contains("measured for teams only"), "{page}");
        pages += 1;
    }
    assert_eq!(pages, 3);
    for file in project.files("warehouse/documents").into_iter().filter(|file| file.ends_with(".json")) {
        let text = std::fs::read(project.path("warehouse/documents").join(file)).unwrap();
        let context: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let facts = context["facts"].as_array().unwrap();
        assert!(!facts.is_empty() && facts.iter().all(|fact| fact["metric"] != "calls_made"));
        assert!(context["facts_total"].get("calls_made").is_none());
    }
}
