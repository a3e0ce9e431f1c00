//! Credits, roles and tenure as a company uses them: by an export of its own, and in metrics of its own.

use crate::project::{LAST_NIGHT, Project};
use std::collections::BTreeMap;

fn rows(project: &Project, query: &str) -> Vec<BTreeMap<String, Option<String>>> {
    let said = project.scorebook(&["sql", query, "--format", "json"]).expect_code(0);
    serde_json::from_str(&said.stdout).unwrap()
}

fn one(project: &Project, query: &str) -> String {
    rows(project, query).swap_remove(0).into_values().next().unwrap().unwrap()
}

const BOOKED: &str = "SELECT CAST(value AS DECIMAL(18, 2)) AS v FROM scores WHERE metric = 'bookings' \
     AND level = 'company' AND slice = '' AND grain = 'month' AND period_start = DATE '2026-09-01'";

fn write_credits(project: &Project, credits: &[(&str, &str, &str, &str)]) {
    let mut file = "table,record,user,share,kind\n".to_owned();
    for (record, user, share, kind) in credits {
        file.push_str(&format!("opportunities,{record},{user},{share},{kind}\n"));
    }
    project.write(&format!("sample_data/salesforce/{LAST_NIGHT}/credits.csv"), &file);
}

#[test]
fn an_export_of_credits_shares_deals() {
    let project = Project::generated(4, 14).formats(r#"["csv"]"#);
    project.run(&[]);
    let booked = one(&project, BOOKED);
    let deals = rows(
        &project,
        "SELECT SUBSTR(record_id, 12) AS record, SUBSTR(rep_id, 12) AS rep FROM facts_bookings \
         WHERE day BETWEEN DATE '2026-09-01' AND DATE '2026-09-30' AND a > 100 ORDER BY record_id",
    );
    let deals: Vec<(String, String)> = deals
        .into_iter()
        .map(|mut row| (row.remove("record").unwrap().unwrap(), row.remove("rep").unwrap().unwrap()))
        .collect();
    let (record, owner) = deals.first().expect("a deal").clone();
    let others = rows(&project, "SELECT DISTINCT SUBSTR(rep_id, 12) AS rep FROM targets ORDER BY rep");
    let others: Vec<String> = others.into_iter().map(|mut row| row.remove("rep").unwrap().unwrap()).collect();
    let [ben, cleo] = others.iter().filter(|rep| **rep != owner).take(2).collect::<Vec<_>>()[..] else { panic!() };
    project.edit("scorebook.toml", |text| text + "credits = { fold = \"full\" }\n");
    project.write(
        "queries/staging/salesforce/credits.sql",
        "/*---\nfrom = \"credits\"\ninto = \"credits\"\n---*/\n\
         SELECT \"_row\", \"table\" AS record_table, record AS record_id, \"user\" AS rep_id, share, kind\nFROM credits\n",
    );
    // Shares that lose something stop the run, and say whose.
    write_credits(&project, &[(&record, &owner, "0.333333", "revenue"), (&record, ben, "0.333333", "revenue")]);
    let said = project.scorebook(&["run", "--quiet"]).expect_code(4).stderr;
    assert!(said.contains(&format!("salesforce:{record} in opportunities add up to 0.666666, not to 1")), "{said}");
    assert!(said.contains(&format!("salesforce:{ben} 0.333333 revenue")), "{said}");
    // Credit for a deal that is not there is set aside; the others share theirs.
    write_credits(
        &project,
        &[
            (&record, &owner, "0.333334", "revenue"),
            (&record, ben, "0.333333", "revenue"),
            (&record, cleo, "0.333333", "revenue"),
            (&record, cleo, "0.1", "overlay"),
            ("nowhere", ben, "1", "revenue"),
        ],
    );
    project.run(&[]);
    let reason = one(&project, "SELECT reason FROM quarantine_credits");
    assert_eq!(reason, "record_id: opportunities has no `salesforce:nowhere`");
    assert_eq!(one(&project, BOOKED), booked);
    let lines = format!("SELECT COUNT(*) AS n FROM facts_bookings WHERE record_id = 'salesforce:{record}'");
    assert_eq!(one(&project, &lines), "4");
    let overlay = "SELECT COUNT(*) AS n FROM scores WHERE metric = 'bookings' AND slice = 'credit_kind' \
                   AND slice_value = 'overlay' AND level = 'rep' AND grain = 'month'";
    assert_eq!(one(&project, overlay), "1");
    explained(&project);
}

/// Every printed amount of bookings that is no longer whole euros is the sum of the facts that explain it.
fn explained(project: &Project) {
    let mut count = 0;
    for file in project.files("reports").into_iter().filter(|file| file.ends_with(".csv")) {
        let path = project.path("reports").join(file);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
        let head = reader.headers().unwrap().clone();
        let at = |name: &str| head.iter().position(|head| head == name).unwrap();
        for row in reader.records().map(Result::unwrap) {
            let cell = |name: &str| row.get(at(name)).unwrap_or_default().to_owned();
            let is_odd = cell("value").split_once('.').is_some_and(|(_, cents)| !cents.trim_matches('0').is_empty());
            if cell("metric") != "bookings" || !is_odd || cell("reference").is_empty() || count == 8 {
                continue;
            }
            let said = project
                .scorebook(&["explain", &cell("reference"), "--limit", "1000", "--format", "json"])
                .expect_code(0);
            let part = &serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["parts"]["bookings"];
            let cents = |text: &str| -> i64 {
                let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
                format!("{whole}{rest:0<2}").parse().unwrap()
            };
            let sum: i64 =
                part["rows"].as_array().unwrap().iter().map(|row| cents(row["value"].as_str().unwrap())).sum();
            assert_eq!(sum, cents(&cell("value")), "{part}");
            count += 1;
        }
    }
    assert!(count >= 3, "{count} explained");
}

const COMPANY: &str = r#"[[case]]
name = "case"
as_of = "2026-09-30"
tables.reps = """
rep_id | hired_on
ada    | 2026-03-16
ben    | 2020-01-01
"""
tables.teams = """
team_id | level
alpha   | team
"""
tables.assignments = """
rep_id | team_id | role   | starts_on  | ends_on
ada    | alpha   | Junior | 2020-01-01 | 2026-09-14
ada    | alpha   | Senior | 2026-09-15 |
ben    | alpha   |        | 2020-01-01 |
"""
"#;

fn metric(keys: &str, select: &str) -> String {
    format!(
        "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nbetter = \"higher\"\nrecord = \"opportunities\"\n\
         cadence = [\"month\"]\nlevels = [\"rep\", \"company\"]\n{keys}\n---*/\n{select}\n"
    )
}

#[test]
fn roles_and_tenure_are_those_of_the_day() {
    let project = Project::empty();
    // A flow takes them on the day of the fact: Ada is senior from the 15th on, and has six months from the 16th on.
    project.test_metric(
        "deals_won",
        &metric(
            "unit = \"count\"\nmeasure = \"flow\"\naggregate = \"count\"\nslices = [\"role\", \"tenure_band\"]\npairs = [\"role*tenure_band\"]",
            "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date FROM opportunities",
        ),
        &format!(
            r#"{COMPANY}
tables.opportunities = """
opportunity_id | credited_rep_id | closed_on
o1             | ada             | 2026-09-14
o2             | ada             | 2026-09-15
o3             | ada             | 2026-09-16
o4             | ben             | 2026-09-16
o5             |                 | 2026-09-16
"""
expect = """
level   | entity  | period  | slice            | slice_value        | value
company | company | 2026-09 |                  |                    | 5
company | company | 2026-09 | role             | Junior             | 1
company | company | 2026-09 | role             | Senior             | 2
company | company | 2026-09 | role             | (none)             | 2
company | company | 2026-09 | tenure_band      | 0-5 months         | 2
company | company | 2026-09 | tenure_band      | 6-11 months        | 1
company | company | 2026-09 | tenure_band      | 24+ months         | 1
company | company | 2026-09 | tenure_band      | (none)             | 1
rep     | ada     | 2026-09 | role*tenure_band | Senior*0-5 months  | 1
rep     | ada     | 2026-09 | role*tenure_band | Senior*6-11 months | 1
"""
"#
        ),
    );
    // A stock takes them on the measuring day: what stands since July is a junior's in August, a senior's in September.
    for (aggregate, august, september, junior) in [("sum", "110", "110", "0"), ("median", "55", "55", "")] {
        project.test_metric(
            &format!("standing_{aggregate}"),
            &metric(
                &format!(
                    "unit = \"money\"\nmeasure = \"stock\"\naggregate = \"{aggregate}\"\nslices = [\"kind\", \"role\", \"tenure_band\"]"
                ),
                "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS valid_from, \
                 CAST(NULL AS DATE) AS valid_to, amount AS value, kind FROM opportunities",
            ),
            &format!(
                r#"{COMPANY}
tables.opportunities = """
opportunity_id | credited_rep_id | closed_on  | amount | kind
o1             | ada             | 2026-07-01 | 100    | new
o2             | ben             | 2026-07-01 | 10     | new
"""
expect = """
level   | entity  | period  | slice       | slice_value | value
company | company | 2026-09 |             |             | {september}
company | company | 2026-08 |             |             | {august}
company | company | 2026-08 | role        | Junior      | 100
company | company | 2026-08 | role        | (none)      | 10
company | company | 2026-09 | role        | Senior      | 100
company | company | 2026-09 | role        | Junior      | {junior}
company | company | 2026-08 | tenure_band | 0-5 months  | 100
company | company | 2026-09 | tenure_band | 6-11 months | 100
company | company | 2026-09 | kind        | new         | {september}
"""
"#
            ),
        );
    }
}

#[test]
fn counts_means_and_stocks_are_shared_and_records_are_not() {
    let project = Project::empty();
    let flow = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date";
    let stock = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS valid_from, \
                 CAST(NULL AS DATE) AS valid_to";
    // Ada has 0.7 of o1 (100.00), all of o2 (10.00); Ben 0.3 of o1. Ada's mean: 80 / 1.7.
    for (id, keys, columns, ada, ben, all, n) in [
        ("c_count", "measure = \"flow\"\naggregate = \"count\"", "", "1.7", "0.3", "2", 3),
        ("c_distinct", "measure = \"flow\"\naggregate = \"distinct\"", "", "2", "1", "2", 3),
        ("c_mean", "measure = \"flow\"\naggregate = \"mean\"", ", amount AS value", "47.058823529412", "100", "55", 3),
        (
            "c_percentile",
            "measure = \"flow\"\naggregate = { percentile = 0.25 }",
            ", amount AS value",
            "32.5",
            "100",
            "55",
            3,
        ),
        ("c_median", "measure = \"flow\"\naggregate = \"median\"", ", amount AS value", "55", "100", "100", 3),
        ("c_stock", "measure = \"stock\"\naggregate = \"sum\"", ", amount AS value", "80", "30", "110", 3),
        ("c_stock_count", "measure = \"stock\"\naggregate = \"count\"", "", "1.7", "0.3", "2", 3),
    ] {
        let select = if keys.contains("stock") { stock } else { flow };
        project.test_metric(
            id,
            &metric(
                &format!("unit = \"money\"\ncredit = \"revenue\"\nslices = [\"role\"]\n{keys}"),
                &format!("{select}{columns} FROM opportunities"),
            ),
            &format!(
                r#"{COMPANY}
tables.opportunities = """
opportunity_id | credited_rep_id | closed_on  | amount
o1             | ada             | 2026-09-01 | 100
o2             | ada             | 2026-09-20 | 10
"""
tables.credits = """
record_table  | record_id | rep_id | share | kind
opportunities | o1        | ada    | 0.7   | revenue
opportunities | o1        | ben    | 0.3   | revenue
opportunities | o2        | ben    | 1     | overlay
"""
expect = """
level   | entity  | period  | slice       | slice_value | value | n
rep     | ada     | 2026-09 |             |             | {ada} | ?
rep     | ben     | 2026-09 |             |             | {ben} | 1
rep     | ben     | 2026-09 | role        | (none)      | {ben} | 1
rep     | ben     | 2026-09 | credit_kind | overlay     | ?     | 1
company | company | 2026-09 |             |             | {all} | {n}
"""
"#
            ),
        );
    }
}

#[test]
fn a_slice_of_several_values_counts_on_each_line_and_once_in_the_total() {
    let project = Project::empty();
    let flow = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date, kind";
    let stock = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS valid_from, \
                 CAST(NULL AS DATE) AS valid_to, kind";
    // Scales and lasers were sold together in o1; o2 names scales twice; o3 nothing, and o4 says so in words.
    for (id, keys, value, [all, scale, laser, none]) in [
        ("m_sum", "measure = \"flow\"\naggregate = \"sum\"", ", amount AS value", ["115", "110", "100", "5"]),
        ("m_distinct", "measure = \"flow\"\naggregate = \"distinct\"", "", ["4", "2", "1", "2"]),
        ("m_stock", "measure = \"stock\"\naggregate = \"sum\"", ", amount AS value", ["115", "110", "100", "5"]),
        (
            "m_percentile",
            "measure = \"stock\"\naggregate = { percentile = 0.9 }",
            ", amount AS value",
            ["73", "91", "100", "3.7"],
        ),
        ("m_median", "measure = \"stock\"\naggregate = \"median\"", ", amount AS value", ["7", "55", "100", "2.5"]),
    ] {
        let select = if keys.contains("stock") { stock } else { flow };
        project.test_metric(
            id,
            &metric(
                &format!(
                    "unit = \"money\"\ncredit = \"revenue\"\nslices = [\"product\", \"kind\", \"role\"]\nmulti = [\"product\"]\n{keys}"
                ),
                &format!("{select}{value}, STRING_TO_ARRAY(next_step, ';') AS product FROM opportunities"),
            ),
            &format!(
                r#"{COMPANY}
tables.opportunities = """
opportunity_id | credited_rep_id | closed_on  | amount | kind | next_step
o1             | ada             | 2026-09-01 | 100    | new  | scale;laser
o2             | ada             | 2026-09-20 | 10     | new  | scale;scale
o3             | ada             | 2026-09-20 | 4      |      |
o4             | ada             | 2026-09-20 | 1      |      | (none)
"""
tables.credits = """
record_table  | record_id | rep_id | share | kind
opportunities | o1        | ben    | 1     | overlay
"""
expect = """
level   | entity  | period  | slice   | slice_value | value
company | company | 2026-09 |         |             | {all}
company | company | 2026-09 | product | scale       | {scale}
company | company | 2026-09 | product | laser       | {laser}
company | company | 2026-09 | product | (none)      | {none}
rep     | ada     | 2026-09 | product | laser       | {laser}
rep     | ben     | 2026-09 | product | laser       |
"""
"#
            ),
        );
    }
}

#[test]
fn credit_that_cannot_be_is_refused() {
    let project = Project::generated(1, 2).formats(r#"["csv"]"#);
    let bookings = "queries/metrics/outcome/bookings.sql";
    project.edit(bookings, |sql| sql.replace("\"revenue\"", "\"overlay\""));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    assert!(said.contains("bookings.sql:11:14") && said.contains("expected `revenue`"), "{said}");
    project.edit(bookings, |sql| sql.replace("\"overlay\"", "\"revenue\""));
    project.edit(bookings, |sql| sql.replace("\"kind\", ", "\"credit_kind\", "));
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    assert!(said.contains("`credit_kind` cannot be a slice"), "{said}");
    project.edit(bookings, |sql| sql.replace("\"credit_kind\", ", "\"kind\", "));
    project.edit("queries/metrics/outcome/quota_attainment.sql", |sql| {
        sql.replace("slices ", "credit = \"revenue\"\nslices ")
    });
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    assert!(said.contains("a formula has no facts to share"), "{said}");
}
