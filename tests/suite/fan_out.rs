//! A join that multiplies what is added up is refused, and one that does not is not: docs/rules/honesty.md.

use crate::project::Project;

const HEAD: &str = r#"/*---
title      = "Worth"
question   = "What is it worth?"
definition = "What it is worth."
unit       = "money"
measure    = "flow"
aggregate  = "sum"
better     = "higher"
record     = "opportunities"
cadence    = ["month"]
---*/
"#;

/// Two deals. o1 has two lines of one product, worth 60 and 40, and two quotes; o2 has one of each.
const CASE: &str = r#"[[case]]
name = "lines and quotes"
as_of = "2026-09-30"
tables.reps = """
rep_id
ada
"""
tables.opportunities = """
opportunity_id | credited_rep_id | closed_as | amount | closed_on
o1             | ada             | won       | 100    | 2026-09-10
o2             | ada             | won       | 7      | 2026-09-11
"""
tables.products = """
product_id | name  | family
p1         | Valve | Valves
"""
tables.opportunity_lines = """
line_id | opportunity_id | product_id | quantity | amount
l1      | o1             | p1         | 6        | 60
l2      | o1             | p1         | 4        | 40
l3      | o2             | p1         | 1        | 7
"""
tables.quotes = """
quote_id | opportunity_id | status    | amount
q1       | o1             | presented | 90
q2       | o1             | accepted  | 100
q3       | o2             | accepted  | 7
"""
expect = """
level | entity | period  | value
rep   | ada    | 2026-09 | VALUE
"""
"#;

const WON: &str = "SELECT o.opportunity_id AS record_id, o.credited_rep_id AS rep_id, o.closed_on AS event_date, ";
const BY: &str = "GROUP BY o.opportunity_id, o.credited_rep_id, o.closed_on";

fn project(sql: &str, value: &str) -> Project {
    let project = Project::empty();
    project.write("queries/metrics/outcome/worth.sql", &format!("{HEAD}{sql}\n"));
    project.write("queries/tests/worth.toml", &CASE.replace("VALUE", value));
    project
}

fn refused(sql: &str) -> String {
    let said = project(sql, "0").scorebook(&["test", "worth"]).expect_code(3).stderr;
    assert!(said.contains("a join multiplies what"), "{said}");
    said
}

fn counts(sql: &str, value: &str) {
    project(sql, value).scorebook(&["test", "worth"]).expect_code(0);
}

#[test]
fn two_joins_that_multiply_each_other_are_refused_under_a_group_by() {
    insta::assert_snapshot!(refused(&format!(
        "{WON}SUM(l.amount) AS value\nFROM opportunities AS o\n\
         JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id\n\
         JOIN quotes AS q ON q.opportunity_id = o.opportunity_id\n{BY}"
    )));
    // The same in a CTE, in a window, and of what is counted.
    let lines = "FROM opportunity_lines AS l JOIN quotes AS q ON q.opportunity_id = l.opportunity_id";
    let of = "FROM opportunities AS o JOIN s ON s.opportunity_id = o.opportunity_id";
    for worth in [
        "SUM(l.amount)",
        "COUNT(*)",
        "COUNT(l.line_id)",
        "SUM(CASE WHEN q.status = 'presented' OR TRUE THEN l.amount END)",
    ] {
        refused(&format!(
            "WITH s AS (SELECT l.opportunity_id, {worth} AS value {lines} GROUP BY l.opportunity_id)\n{WON}s.value {of}"
        ));
    }
    // A condition on a number that was given before the join hides nothing.
    refused(&format!(
        "WITH p AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY quote_id) AS place FROM quotes)\n\
         {WON}SUM(l.amount) AS value FROM opportunities AS o \
         JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id \
         JOIN p ON p.opportunity_id = o.opportunity_id WHERE p.place <= 2 {BY}"
    ));
    refused(&format!(
        "WITH s AS (SELECT DISTINCT l.opportunity_id, SUM(l.amount) OVER (PARTITION BY l.opportunity_id) AS value {lines})\n\
         {WON}s.value {of}"
    ));
}

#[test]
fn what_stands_once_is_not_added_up_once_per_line() {
    let said = refused(&format!(
        "{WON}SUM(o.amount) AS value\nFROM opportunities AS o\n\
         JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id\n{BY}"
    ));
    assert!(said.contains("`l` has several rows for one of `o`") && said.contains("counts 2 times"), "{said}");
    // What else is added to it or stands instead of it hides nothing.
    for worth in [
        "SUM(o.amount - l.amount)",
        "SUM(COALESCE(NULLIF(l.quantity, l.quantity), o.amount - l.amount))",
        "SUM(o.amount + l.amount * 0)",
        "SUM(CASE WHEN l.quantity > 1 THEN o.amount ELSE l.amount END)",
        "SUM(NULLIF(o.amount, l.amount))",
        "SUM(GREATEST(o.amount, l.amount))",
        "SUM(ROUND((o.amount + l.amount) / 2, 2))",
    ] {
        refused(&format!(
            "{WON}{worth} AS value\nFROM opportunities AS o\n\
             JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id\n{BY}"
        ));
    }
    // A number that leaves several rows picks none out of them.
    for place in ["place < 100", "place >= 1"] {
        refused(&format!(
            "WITH p AS (SELECT o.*, ROW_NUMBER() OVER (PARTITION BY o.opportunity_id ORDER BY l.line_id) AS place\n\
             FROM opportunities AS o JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id)\n\
             SELECT o.opportunity_id AS record_id, o.credited_rep_id AS rep_id, o.closed_on AS event_date, \
             SUM(o.amount) AS value FROM p AS o WHERE {place} {BY}"
        ));
    }
    let lateral = "(SELECT * FROM opportunity_lines AS x WHERE x.opportunity_id = o.opportunity_id) AS l";
    for join in [format!("LEFT JOIN LATERAL {lateral} ON TRUE"), format!("CROSS JOIN LATERAL {lateral}")] {
        let sql = format!("{WON}SUM(o.amount) AS value\nFROM opportunities AS o\n{join}\n{BY}");
        let said = project(&sql, "0").scorebook(&["test", "worth"]).expect_code(3).stderr;
        assert!(said.contains("adds up over a LATERAL join") && said.contains("worth.sql:"), "{said}");
    }
    // A mean is weighed by it, and a condition on the lines makes no difference.
    for worth in ["CAST(AVG(o.amount) AS DECIMAL(18, 2))", "SUM(CASE WHEN l.quantity > 0 THEN o.amount ELSE 0 END)"] {
        refused(&format!(
            "{WON}{worth} AS value\nFROM opportunities AS o, opportunity_lines AS l\n\
             WHERE l.opportunity_id = o.opportunity_id\n{BY}"
        ));
    }
}

#[test]
fn what_is_not_multiplied_is_added_up() {
    let from = "FROM opportunities AS o JOIN opportunity_lines AS l ON l.opportunity_id = o.opportunity_id";
    // The lines of a deal, with what is known of their products.
    counts(
        &format!("{WON}SUM(l.amount) AS value {from} LEFT JOIN products AS p ON p.product_id = l.product_id {BY}"),
        "107",
    );
    // Each side added up by itself.
    counts(
        &format!(
            "WITH s AS (SELECT opportunity_id, SUM(amount) AS amount FROM opportunity_lines GROUP BY opportunity_id),\n\
             t AS (SELECT opportunity_id, COUNT(*) AS quotes FROM quotes GROUP BY opportunity_id)\n\
             {WON}SUM(s.amount * t.quotes) AS value FROM opportunities AS o JOIN s ON s.opportunity_id = o.opportunity_id \
             JOIN t ON t.opportunity_id = o.opportunity_id {BY}"
        ),
        "207",
    );
    // What repetition does not change; and each line on purpose.
    let quotes = "JOIN quotes AS q ON q.opportunity_id = o.opportunity_id";
    counts(&format!("{WON}MAX(o.amount) + COUNT(DISTINCT l.line_id) AS value {from} {quotes} {BY}"), "110");
    counts(&format!("{WON}SUM(o.amount * l.quantity) AS value {from} {BY}"), "1007");
    // Each summand stands once: of one line, of its product, and of a deal where there is one line.
    counts(&format!("{WON}SUM(l.amount + 2 * l.quantity - 1) AS value {from} {BY}"), "126");
    counts(&format!("{WON}SUM(COALESCE(l.amount, o.amount)) AS value {from} {BY}"), "107");
    counts(
        &format!("{WON}SUM(CASE WHEN o.opportunity_id = 'o2' THEN o.amount ELSE l.amount END) AS value {from} {BY}"),
        "107",
    );
    // One quote of each deal is picked: by a condition, by a number, and by what counts of it.
    counts(&format!("{WON}SUM(l.amount) AS value {from} {quotes} WHERE q.status = 'accepted' {BY}"), "107");
    counts(
        &format!(
            "WITH p AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY quote_id) AS place FROM quotes)\n\
             {WON}SUM(l.amount) AS value {from} JOIN p ON p.opportunity_id = o.opportunity_id AND p.place = 1 {BY}"
        ),
        "107",
    );
    counts(
        &format!(
            "WITH p AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY quote_id) AS place FROM quotes)\n\
             {WON}SUM(l.amount) AS value {from} JOIN p ON p.opportunity_id = o.opportunity_id WHERE p.place = 1 {BY}"
        ),
        "107",
    );
    counts(
        &format!("{WON}SUM(CASE WHEN q.status = 'accepted' THEN l.amount ELSE 0 END) AS value {from} {quotes} {BY}"),
        "107",
    );
    // The groups tell the quotes apart.
    counts(
        &format!(
            "WITH s AS (SELECT l.opportunity_id, q.quote_id, SUM(l.amount) AS amount {from} {quotes} GROUP BY l.opportunity_id, q.quote_id)\n\
             {WON}MAX(s.amount) AS value FROM opportunities AS o JOIN s ON s.opportunity_id = o.opportunity_id {BY}"
        ),
        "107",
    );
    // Rows are counted of an outer join, also where it finds none.
    counts(
        &format!(
            "WITH s AS (SELECT o.opportunity_id, COUNT(*) AS n FROM opportunities AS o LEFT JOIN quotes AS q \
             ON q.opportunity_id = o.opportunity_id AND q.status = 'presented' GROUP BY o.opportunity_id)\n\
             {WON}SUM(s.n) AS value FROM opportunities AS o JOIN s ON s.opportunity_id = o.opportunity_id {BY}"
        ),
        "2",
    );
}
