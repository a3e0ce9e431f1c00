use super::*;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// Why a text is refused.
fn refused(text: &str) -> Option<String> {
    refuse(text, &GenericDialect {}).err().map(|(error, _)| error.notes[0].clone())
}

fn around(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("SELECT {}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn what_is_deep_is_refused_and_what_is_only_long_is_not() {
    let chain = |operator: &str, count: usize| format!("SELECT {}", vec!["n"; count + 1].join(operator));
    for operator in [" OR ", " AND ", " + ", " || ", " = ", "::int - ", " IS DISTINCT FROM "] {
        assert!(refused(&chain(operator, 290)).is_none(), "{operator}");
        assert!(refused(&chain(operator, 700)).unwrap().contains("600 operators"), "{operator}");
        assert!(refused(&chain(operator, 12_000)).is_some(), "{operator}");
    }
    for (open, close) in [("(", ")"), ("abs(", ")"), ("[", "]"), ("CASE WHEN a THEN ", " END"), ("{'a': ", "}")] {
        assert!(refused(&around(open, "1", close, 30)).is_none(), "{open}");
        assert!(refused(&around(open, "1", close, 40)).unwrap().contains("32 parentheses"), "{open}");
    }
    let groups = vec!["sum(a) WITHIN GROUP (ORDER BY b)"; 700].join(" + ");
    assert!(refused(&format!("SELECT {groups}")).is_some());
    // Chains within each other add up, and those beside each other do not.
    let nested = around(&format!("({}", "1 + ".repeat(22)), "1", ")", 30);
    assert!(refused(&nested).unwrap().contains("600 operators"));
    let beside = format!("SELECT {}", vec!["(a + b + c + d)"; 400].join(", "));
    assert!(refused(&beside).is_none());
    let list: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    assert!(refused(&format!("SELECT n IN ({})", list.join(","))).is_none());
    assert!(refused(&vec!["SELECT 1"; 50].join(" UNION ALL ")).is_none());
    assert!(refused(&vec!["SELECT 1"; 200].join(" UNION ALL ")).unwrap().contains("100 queries"));
    assert!(refused(&"SELECT 1, ".repeat(30_000)).unwrap().contains("50000 words"));
    assert!(refused(&" ".repeat(MOST_BYTES + 1)).unwrap().contains("1048576"));
    let prefixes = ["NOT ", "- ", "INTERVAL "].map(|prefix| format!("SELECT {} 1", prefix.repeat(2_000)));
    assert!(prefixes.iter().all(|text| refused(text).is_some()));
}

/// Why a query is refused once it is read.
fn expanded(text: &str) -> Option<String> {
    let statement = Parser::parse_sql(&GenericDialect {}, text).unwrap().remove(0);
    refuse_expansion(&statement).err().map(|(error, _)| error.notes[0].clone())
}

#[test]
fn tables_that_read_each_other_are_counted_where_they_are_used() {
    // Each reads the one before twice: a few lines come to a thousand million tables.
    let doubling = |count: usize| {
        let tables = (1..=count).map(|n| format!("t{n} AS (SELECT * FROM t{} a CROSS JOIN t{} b)", n - 1, n - 1));
        format!("WITH t0 AS (SELECT 1), {} SELECT * FROM t{count}", tables.collect::<Vec<_>>().join(", "))
    };
    assert!(expanded(&doubling(5)).is_none());
    assert!(expanded(&doubling(30)).unwrap().contains("200 tables"));
    let row = |count: usize| {
        let tables = (1..=count).map(|n| format!("t{n} AS (SELECT * FROM T{})", n - 1)).collect::<Vec<_>>();
        format!("WITH t0 AS (SELECT 1), {} SELECT * FROM t{count}", tables.join(", "))
    };
    assert!(expanded(&row(20)).is_none());
    assert!(expanded(&row(60)).unwrap().contains("in a row"));
    // Of the same name in another place is another table.
    let scoped = vec!["(WITH t AS (SELECT * FROM accounts) SELECT * FROM t) AS x"; 90].join(", ");
    assert!(expanded(&format!("SELECT * FROM {scoped}")).is_none());
    assert!(expanded(&format!("SELECT * FROM {}", vec!["accounts"; 201].join(", "))).is_some());
}

#[test]
fn what_never_ends_is_not_waited_for() {
    assert_eq!(read(|| 7).unwrap(), 7);
}
