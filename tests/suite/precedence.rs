//! `a IS DISTINCT FROM b AND c` means what the SQL standard says, wherever SQL stands; and what databases read differently is
//! refused with its place. What the parser makes of each form is in `src/engine/dialect.rs` and `chained.rs`.

use crate::checks::published;
use crate::project::Project;

fn metric(sql: &str) -> String {
    format!(
        "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nunit = \"count\"\nmeasure = \"flow\"\naggregate = \"count\"\n\
         better = \"higher\"\nrecord = \"opportunities\"\n---*/\n{sql}"
    )
}

const FACTS: &str =
    "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date\nFROM opportunities\n";

fn counted(project: &Project, condition: &str) -> String {
    project.write("queries/metrics/outcome/odd.sql", &metric(&format!("{FACTS}WHERE {condition}\n")));
    project.run(&[]);
    let query = "SELECT COUNT(*) AS n FROM facts_odd";
    project.scorebook(&["sql", query, "--format", "csv"]).expect_code(0).stdout
}

#[test]
fn a_definition_and_a_question_count_as_with_parentheses() {
    let project = published();
    let given = "kind IS DISTINCT FROM 'expansion' AND closed_as = 'won'";
    let meant = "(kind IS DISTINCT FROM 'expansion') AND closed_as = 'won'";
    let counts = [given, meant].map(|condition| counted(&project, condition));
    assert_eq!(counts[0], counts[1]);
    let asked = |condition: &str| {
        let query = format!("SELECT COUNT(*) AS n FROM opportunities WHERE {condition}");
        project.scorebook(&["sql", &query, "--format", "csv"]).expect_code(0).stdout
    };
    assert_eq!([asked(given), asked(meant)], [counts[0].clone(), counts[0].clone()]);
    assert_ne!(asked("closed_as = 'won'"), "n\n0\n", "there are deals that count");
    assert_ne!(asked("closed_as = 'won'"), asked("TRUE"), "and others");
    let said = project.scorebook(&["sql", "SELECT TRUE IS DISTINCT FROM TRUE AND FALSE AS x", "--format", "csv"]);
    assert_eq!(said.expect_code(0).stdout, "x\nfalse\n");
}

#[test]
fn what_databases_read_differently_is_refused_with_its_place() {
    let project = published();
    let refused = |path: &str, change: &dyn Fn(String) -> String, parts: &[&str]| {
        let before = std::fs::read_to_string(project.path(path)).unwrap();
        project.edit(path, change);
        let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
        parts.iter().for_each(|part| assert!(said.contains(part), "{part} is not in: {said}"));
        project.write(path, &before);
    };
    let chain = "(1 = 1) = FALSE = TRUE";
    refused(
        "queries/metrics/outcome/bookings.sql",
        &|sql| sql.replace("closed_as = 'won'", &format!("closed_as = 'won' AND ({chain})")),
        &["compares a comparison", "it would be read as", "outcome/bookings.sql:", "parentheses"],
    );
    refused(
        "queries/staging/salesforce/leads.sql",
        &|sql| sql.replace("FROM \"Lead\"", "FROM \"Lead\" WHERE \"Status\" = 'x' IS NULL"),
        &["`\"Status\" = 'x' IS NULL` is refused", "salesforce/leads.sql:"],
    );
    refused(
        "queries/checks/won_without_amount.sql",
        &|sql| sql.replacen("WHERE ", "WHERE 1 < 2 < 3 AND ", 1),
        &["`1 < 2 < 3` is refused", "won_without_amount.sql:"],
    );
    refused(
        "queries/metrics/outcome/quota_attainment.sql",
        &|sql| sql.replace("bookings / target(bookings)", "CASE WHEN 1 < bookings < 3 THEN 1 END"),
        &["`1 < bookings < 3` is refused", "quota_attainment.sql:"],
    );
}
