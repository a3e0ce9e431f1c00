//! SQL that is too deep, too large or without an end: an error within bounds, wherever SQL stands.

use crate::project::Project;
use std::fmt::Write;

/// SQL of one kind in any size.
type Kind = (&'static str, fn(usize) -> String);

fn around(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// `t1`, which reads `t0`, and so on, each as `each` says.
fn row(count: usize, each: impl Fn(usize) -> String) -> String {
    let mut text = "WITH t0 AS (SELECT 1 AS a)".to_owned();
    (1..=count).for_each(|n| write!(text, ", t{n} AS ({})", each(n - 1)).unwrap());
    format!("{text} SELECT COUNT(*) AS found FROM t{count}")
}

const KINDS: [Kind; 11] = [
    ("ORs", |n| {
        let parts: Vec<String> = (0..n).map(|i| format!("n = {i}")).collect();
        format!("SELECT 1 AS found FROM scores WHERE {}", parts.join(" OR "))
    }),
    ("sums", |n| format!("SELECT n{} AS found FROM scores LIMIT 1", " + 1".repeat(n))),
    ("parentheses", |n| format!("SELECT {} AS found", around("(", "1", ")", n))),
    ("calls", |n| format!("SELECT {} AS found", around("abs(", "1", ")", n))),
    ("calls that are wrong within", |n| format!("SELECT {} AS found", around("substring(", "FROM", " FROM 1)", n))),
    ("CASEs", |n| format!("SELECT {} AS found", around("CASE WHEN true THEN ", "1", " END", n))),
    ("subqueries", |n| format!("SELECT 1 AS found FROM {} LIMIT 1", around("(SELECT * FROM ", "scores", ") AS x", n))),
    ("UNIONs", |n| vec!["SELECT 1 AS found"; n + 1].join(" UNION ALL ")),
    ("tables in a row", |n| row(n, |before| format!("SELECT a FROM t{before}"))),
    ("tables that double", |n| row(n, |before| format!("SELECT x.a FROM t{before} AS x CROSS JOIN t{before} AS y"))),
    ("types", |n| format!("SELECT CAST(NULL AS {}) AS found", around("ARRAY<", "INT", ">", n))),
];

#[test]
fn deep_sql_is_answered_or_refused_within_bounds() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.run(&[]);
    for (kind, sql) in KINDS {
        // What people write is answered; the kind that is wrong within is an error of its own.
        let code = if kind.contains("wrong") { 3 } else { 0 };
        project.scorebook(&["sql", &sql(5)]).expect_code(code);
        for size in [20, 60, 250, 700, 3_000] {
            let text = sql(size);
            // One argument of a command may have 128 KiB.
            if text.len() > 120_000 {
                continue;
            }
            let said = project.scorebook(&["sql", &text]);
            assert!(said.code == 0 || said.code == 3, "{size} {kind}: {}{}", said.code, said.stderr);
            assert!(said.code == 0 || said.stderr.contains("error: "), "{size} {kind}: {}", said.stderr);
            let refused = size >= 700 && !kind.contains("types");
            assert!(!refused || said.code == 3, "{size} {kind} are answered: {}", said.stdout);
        }
    }
    let list: Vec<String> = (0..15_000).map(|n| n.to_string()).collect();
    project.scorebook(&["sql", &format!("SELECT COUNT(*) FROM scores WHERE n IN ({})", list.join(","))]).expect_code(0);
}

#[test]
fn a_recursion_without_an_end_is_an_error() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.run(&[]);
    let count = |condition: &str| {
        let step = format!("SELECT n + 1 FROM t {condition}");
        format!("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL {step}) SELECT COUNT(*) AS found FROM t")
    };
    let said = project.scorebook(&["sql", "--format", "csv", &count("WHERE n < 2000")]).expect_code(0);
    assert_eq!(said.stdout, "found\n2000\n");
    let said = project.scorebook(&["sql", &count("")]).expect_code(3);
    assert!(said.stderr.contains("more than 10000 steps"), "{}", said.stderr);
    // Each step twice as many as the one before: the rows are counted too.
    let doubling = "SELECT t.n FROM t CROSS JOIN (SELECT 1 UNION ALL SELECT 2) AS two";
    let doubling = count("").replace("SELECT n + 1 FROM t ", doubling);
    let said = project.scorebook(&["sql", &doubling]).expect_code(3);
    assert!(said.stderr.contains("more than 10000000 rows"), "{}", said.stderr);
    let definition = count("").replace("COUNT(*) AS found", "'x' AS record");
    project.write("queries/checks/endless.sql", &check(&definition));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3);
    assert!(said.stderr.contains("endless.sql") && said.stderr.contains("10000 steps"), "{}", said.stderr);
}

#[test]
fn few_words_that_come_to_much_are_refused() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.run(&[]);
    let columns: Vec<String> = (0..40).map(|n| format!("n + {n}")).collect();
    for (sql, why) in [
        (
            format!("SELECT COUNT(*) FROM scores GROUP BY CUBE({})", columns.join(", ")),
            "a CUBE of more than 10 columns",
        ),
        (format!("SELECT {}TRUE", "NOT ".repeat(40)), "more than 30 signs"),
        (
            "SELECT SUM(n) OVER (ORDER BY n ROWS BETWEEN 18446744073709551615 PRECEDING AND CURRENT ROW) FROM scores"
                .into(),
            "more than 999999999 rows",
        ),
    ] {
        let said = project.scorebook(&["sql", &sql]).expect_code(3);
        assert!(said.stderr.contains("too large to be read") && said.stderr.contains(why), "{}", said.stderr);
    }
    // One cell as large as the machine: no pool sees it, and the process ends before the machine does.
    let settings = std::fs::read_to_string(project.path("scorebook.toml")).unwrap();
    project.write("scorebook.toml", &format!("{settings}\n[engine]\nmemory_mib = 64\n"));
    if std::path::Path::new("/proc/self/status").exists() {
        let said = project.scorebook(&["sql", "SELECT LENGTH(REPEAT('x', 2000000000)) AS n"]).expect_code(3);
        assert!(
            said.stderr.contains("more memory than") && said.stderr.contains("memory_mib is 64"),
            "{}",
            said.stderr
        );
    }
}

/// A check that finds what a query returns.
fn check(sql: &str) -> String {
    format!("/*---\ntitle = \"T\"\nseverity = \"warning\"\nhelp = \"H\"\n---*/\n{sql}\n")
}

#[test]
fn deep_definitions_and_formulas_are_refused_at_their_place() {
    let project = Project::generated(2, 13);
    let deep = |n: usize| format!("bookings{}", " + 1".repeat(n));
    let formula = |text: &str| {
        format!(
            "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nunit = \"ratio\"\nbetter = \"higher\"\nformula = \"{text}\"\n---*/\n"
        )
    };
    for text in [deep(5_000), around("abs(", "bookings", ")", 2_000), around("(", "bookings", ")", 9_000)] {
        project.write("queries/metrics/profit/deep.sql", &formula(&text));
        let said = project.scorebook(&["check", "--quiet"]).expect_code(3);
        assert!(said.stderr.contains("profit/deep.sql") && said.stderr.contains("too large"), "{}", said.stderr);
    }
    project.write("queries/metrics/profit/deep.sql", &formula(&deep(100)));
    project.scorebook(&["check", "--quiet"]).expect_code(0);
    let ors: Vec<String> = (0..12_000).map(|n| format!("amount = {n}")).collect();
    project.write("queries/checks/deep.sql", &check(&format!("SELECT deal FROM deals WHERE {}", ors.join(" OR "))));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3);
    assert!(
        said.stderr.contains("queries/checks/deep.sql:") && said.stderr.contains("600 operators"),
        "{}",
        said.stderr
    );
}
