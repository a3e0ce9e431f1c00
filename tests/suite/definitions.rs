//! Definitions that are wrong: exit code 3, and an error that names the place and the way out.

use crate::project::Project;

/// What `scorebook check` says of a company whose `bookings` are defined so.
fn refused(change: impl FnOnce(String) -> String) -> String {
    let project = Project::generated(1, 2).formats(r#"["csv"]"#);
    project.edit("queries/metrics/outcome/bookings.sql", change);
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3);
    assert!(!project.path("warehouse/ledger").exists());
    said.stderr
}

#[test]
fn a_join_that_fans_out_is_refused() {
    insta::assert_snapshot!(refused(|sql| sql.replace(
        "LEFT JOIN accounts AS a ON a.account_id = o.account_id",
        "LEFT JOIN accounts AS a ON a.country IS NOT NULL",
    )));
}

#[test]
fn a_definition_that_writes_is_refused() {
    insta::assert_snapshot!(refused(|sql| {
        let header = sql.split_inclusive("---*/\n").next().unwrap().to_owned();
        header + "DELETE FROM opportunities\nWHERE closed_as = 'lost'\n"
    }));
}

#[test]
fn a_definition_that_reads_the_clock_is_refused() {
    insta::assert_snapshot!(
        refused(|sql| sql.replace("closed_as = 'won'", "closed_as = 'won' AND closed_on <= now()"))
    );
    insta::assert_snapshot!(refused(|sql| sql.replace("closed_as = 'won'", "closed_on <= CURRENT_DATE")));
}

#[test]
fn what_the_order_of_rows_decides_is_refused() {
    insta::assert_snapshot!(refused(|sql| sql.replace("o.closed_as = 'won'", "o.closed_as = 'won'\nLIMIT 10")));
    insta::assert_snapshot!(refused(
        |sql| sql.replace("o.credited_rep_id AS", "FIRST_VALUE(o.credited_rep_id) OVER () AS")
    ));
    // A word in a text is no order, nor is that of a list within; running sums and the first of each take one.
    for column in [
        "LAG(o.credited_rep_id, 1, 'order by') OVER (PARTITION BY o.closed_on)",
        "LAG(ARRAY_TO_STRING(ARRAY['x'], ' ORDER BY ')) OVER ()",
        "MAX(o.credited_rep_id) OVER (PARTITION BY o.closed_on ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    ] {
        let said = refused(|sql| sql.replace("o.credited_rep_id AS", &format!("{column} AS")));
        assert!(said.contains("without ORDER BY is refused"), "{column}: {said}");
    }
    let said = refused(|sql| sql.replacen("SELECT", "SELECT DISTINCT ON (o.opportunity_id)", 1));
    assert!(said.contains("DISTINCT ON without ORDER BY is refused"), "{said}");
}

#[test]
fn an_unknown_table_is_named() {
    insta::assert_snapshot!(refused(|sql| sql.replace("FROM opportunities", "FROM oportunities")));
}

#[test]
fn an_unknown_column_is_named() {
    insta::assert_snapshot!(refused(|sql| sql.replace("o.closed_on AS", "o.close_on AS")));
}

#[test]
fn a_wrong_type_is_named() {
    insta::assert_snapshot!(refused(|sql| sql.replace("COALESCE(o.amount, 0)", "CAST(o.amount AS DOUBLE)")));
    insta::assert_snapshot!(refused(|sql| sql.replace("o.closed_on AS", "CAST(o.closed_on AS VARCHAR) AS")));
}

#[test]
fn sql_and_headers_that_cannot_be_read_are_shown() {
    insta::assert_snapshot!(refused(|sql| sql.replace("LEFT JOIN accounts", "LEFT JOIM accounts")));
    insta::assert_snapshot!(refused(|sql| sql.replace("aggregate  =", "agregate  =")));
    insta::assert_snapshot!(refused(|sql| sql.replace("\"kind*segment\"", "\"kind*sector\"")));
}
