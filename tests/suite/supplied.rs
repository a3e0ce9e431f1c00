//! What no export supplies, or not yet: the worked examples of docs/rules/honesty.md.

use crate::project::Project;

const LOGGED: &str = r#"tables.reps = """
rep_id
ada
"""
tables.activities = """
activity_id | rep_id | kind | direction | is_completed | happened_on
c1 | ada | call | outbound | 1 | 2026-08-12
c2 | ada | call | outbound | 1 | 2026-08-14
c3 | ada | call | outbound | 1 | 2026-09-02
c4 | ada | call | outbound | 1 | 2026-09-03
c5 | ada | call | outbound | 1 | 2026-09-04
"""
since.activities = "2026-08-10"
"#;

fn case(as_of: &str, tables: &str, lines: &str) -> String {
    format!(
        "[[case]]\nname = \"as of {as_of}\"\nas_of = \"{as_of}\"\n{tables}expect = \"\"\"\n\
         level | entity | period | value | previous | at_start\n{lines}\n\"\"\"\n"
    )
}

fn metric(keys: &str, select: &str) -> String {
    format!(
        "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nbetter = \"higher\"\nunit = \"count\"\n\
         cadence = [\"month\", \"quarter\"]\nlevels = [\"rep\", \"company\"]\n{keys}\n---*/\n{select}\n"
    )
}

const CALLS: &str = "SELECT activity_id AS record_id, rep_id, happened_on AS event_date FROM activities";

fn calls(keys: &str) -> String {
    let keys =
        format!("record = \"activities\"\nmeasure = \"flow\"\naggregate = \"count\"\nneeds = [\"activities\"]\n{keys}");
    metric(&keys, CALLS)
}

#[test]
fn a_period_of_which_nothing_tells_has_no_score() {
    let project = Project::empty();
    let lines = "rep | ada | 2026-07 | | |\nrep | ada | 2026-08 | | |\nrep | ada | 2026-Q3 | | |\n\
                 rep | ada | 2026-09 | 3 | |\ncompany | company | 2026-09 | 3 | |";
    project.test_metric("calls", &calls(""), &case("2026-09-30", LOGGED, lines));
    // Nor is an unfinished month held against a part of one that is not supplied.
    project.test_metric("calls", &calls(""), &case("2026-09-03", LOGGED, "rep | ada | 2026-09 | 3 | |"));
    let october = "rep | ada | 2026-10 | 0 | 3 |";
    project.test_metric("calls", &calls(""), &case("2026-10-31", LOGGED, october));
    // A window is supplied once all of it is.
    let window = calls("window = \"3 months\"");
    let november = "rep | ada | 2026-10 | | |\nrep | ada | 2026-11 | 3 | |";
    project.test_metric("lately", &window, &case("2026-11-30", LOGGED, november));
}

#[test]
fn a_stock_is_supplied_on_its_day_of_measuring() {
    let project = Project::empty();
    let keys = "record = \"activities\"\nmeasure = \"stock\"\naggregate = \"count\"\nneeds = [\"activities\"]";
    let select = "SELECT activity_id AS record_id, rep_id, happened_on AS valid_from, CAST(NULL AS DATE) AS valid_to FROM activities";
    let lines = "rep | ada | 2026-07 | | |\nrep | ada | 2026-08 | 2 | |\nrep | ada | 2026-09 | 5 | 2 | 2\nrep | ada | 2026-Q3 | 5 | |";
    project.test_metric("logged", &metric(keys, select), &case("2026-09-30", LOGGED, lines));
}

#[test]
fn a_formula_is_supplied_as_long_as_all_that_it_takes() {
    let project = Project::empty();
    project.write("queries/metrics/outcome/calls.sql", &calls(""));
    let won = "record = \"opportunities\"\nmeasure = \"flow\"\naggregate = \"count\"";
    let select =
        "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date FROM opportunities";
    project.write("queries/metrics/outcome/wins.sql", &metric(won, select));
    let deals = "tables.opportunities = \"\"\"\nopportunity_id | credited_rep_id | closed_on\no1 | ada | 2026-08-20\n\
                 o2 | ada | 2026-09-20\no3 | ada | 2026-09-21\n\"\"\"\n";
    let tables = format!("{deals}{LOGGED}");
    let both = metric("formula = \"wins + calls\"", "");
    let lines = "rep | ada | 2026-08 | | |\nrep | ada | 2026-09 | 5 | |";
    project.test_metric("both", &both, &case("2026-09-30", &tables, lines));
    // What calls were in August is not known to be zero.
    let change = metric("formula = \"wins - previous(calls)\"", "");
    project.test_metric("change", &change, &case("2026-09-30", &tables, "rep | ada | 2026-09 | | |"));
    let october = "rep | ada | 2026-10 | -3 | |";
    project.test_metric("change", &change, &case("2026-10-31", &tables, october));
}

/// The pages of a run.
fn pages(project: &Project) -> Vec<String> {
    project.run(&[]);
    let pages = project.files("reports").into_iter().filter(|file| file.ends_with(".html"));
    pages.map(|page| std::fs::read_to_string(project.path("reports").join(page)).unwrap()).collect()
}

#[test]
fn a_scorecard_says_since_when_something_is_supplied() {
    let project = Project::generated(3, 14).formats(r#"["csv", "html"]"#);
    let first = pages(&project);
    assert!(first.iter().all(|page| !page.contains("no export supplies activities")));
    let since = "Task = { fold = \"upsert\", since = \"2026-08-10\"";
    project.edit("scorebook.toml", |text| text.replace("Task = { fold = \"upsert\"", since));
    let pages = pages(&project);
    assert_eq!(pages.len(), first.len());
    for page in pages {
        let page = page.replace('\u{a0}', " ");
        assert!(page.contains("no export supplies activities before 10 August 2026"), "{page}");
    }
    let query = "SELECT grain, CAST(MIN(period_start) AS VARCHAR) AS first FROM scores WHERE metric = 'calls_made' \
                 AND grain IN ('month', 'quarter') GROUP BY grain ORDER BY grain";
    let said = project.scorebook(&["sql", query, "--format", "csv"]).expect_code(0).stdout;
    assert_eq!(said, "grain,first\nmonth,2026-09-01\n");
}
