//! Formulas and what they take of their parts: the worked examples of docs/rules/formulas.md, targets.md and people.md.

use crate::project::Project;

fn metric(keys: &str, select: &str) -> String {
    format!(
        "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nbetter = \"higher\"\n\
         cadence = [\"month\", \"quarter\"]\nlevels = [\"rep\", \"company\"]\n{keys}\n---*/\n{select}\n"
    )
}

fn formula(keys: &str) -> String {
    metric(&format!("unit = \"ratio\"\n{keys}"), "")
}

fn flow(keys: &str, columns: &str) -> String {
    let keys = format!("record = \"opportunities\"\nmeasure = \"flow\"\n{keys}");
    let select = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, closed_on AS event_date";
    metric(&keys, &format!("{select}{columns} FROM opportunities WHERE closed_as = 'won'"))
}

/// A case of Ada and these opportunities, as of a day.
fn case(as_of: &str, opportunities: &str, further: &str, expect: &str) -> String {
    format!(
        r#"[[case]]
name = "as of {as_of}"
as_of = "{as_of}"
tables.reps = """
rep_id
ada
"""
tables.opportunities = """
{opportunities}
"""
{further}
expect = """
{expect}
"""
"#
    )
}

const DEALS: &str = "opportunity_id | credited_rep_id | closed_as | amount | closed_on";

#[test]
fn formulas_take_targets_and_what_was_before() {
    let project = Project::empty();
    let deals = format!("{DEALS}\no1 | ada | won | 800 | 2026-08-10\no2 | ada | won | 600 | 2026-09-10");
    let targets = "tables.targets = \"\"\"\ntarget_id | metric | rep_id | starts_on | ends_on | amount\n\
                   t1 | bookings | ada | 2026-09-01 | 2026-09-30 | 1000\nt2 | bookings | ada | 2026-10-01 | 2026-10-31 | 1500\n\"\"\"";
    let case_of =
        |expect: &str| case("2026-09-30", &deals, targets, &format!("level | entity | period | value\n{expect}"));
    project.test_metric(
        "growth",
        &formula("formula = \"bookings / previous(bookings) - 1\""),
        &case_of("rep | ada | 2026-09 | -0.25\ncompany | company | 2026-09 | -0.25"),
    );
    project.test_metric(
        "next_goal",
        &formula("formula = \"next_target(bookings)\""),
        &case_of("rep | ada | 2026-09 | 1500\nrep | ada | 2026-08 | 1000\nrep | ada | 2026-Q3 | 1500"),
    );
    // Nothing in September after 800 in August.
    let deals = format!("{DEALS}\no1 | ada | won | 800 | 2026-08-10");
    let nothing =
        case("2026-09-30", &deals, "", "level | entity | period | value | previous\nrep | ada | 2026-09 | -1 | ?");
    project.test_metric("growth", &formula("formula = \"bookings / previous(bookings) - 1\""), &nothing);
}

#[test]
fn what_was_zero_before_is_known_to_be() {
    let project = Project::empty();
    let lost = flow("unit = \"count\"\naggregate = \"count\"", "").replace("'won'", "'lost'");
    project.write("queries/metrics/outcome/deals_lost.sql", &lost);
    let deals = format!("{DEALS}\no1 | ada | lost | 5 | 2026-09-02\no2 | ada | lost | 5 | 2025-09-02");
    let case_of =
        |as_of: &str, lines: &str| case(as_of, &deals, "", &format!("level | entity | period | value\n{lines}"));
    let missed = formula("formula = \"deals_lost - previous(bookings)\"");
    let first = "rep | ada | 2026-09 | 1\nrep | ada | 2025-09 |";
    project.test_metric("missed", &missed, &case_of("2026-09-30", first));
    project.test_metric("missed", &missed, &case_of("2026-09-15", first));
    // Of what other metrics' scores add up to nothing is known in part.
    let select = "SELECT entity AS record_id, level, entity, grain, period_start, value FROM scores WHERE slice = ''";
    let keys = "unit = \"count\"\nmeasure = \"flow\"\naggregate = \"sum\"\nrecord = \"reps\"\nreads = [\"bookings\"]";
    project.write("queries/metrics/outcome/summed.sql", &metric(keys, select));
    let missed = formula("formula = \"deals_lost - previous(summed)\"");
    project.test_metric("missed", &missed, &case_of("2026-09-30", first));
    project.test_metric("missed", &missed, &case_of("2026-09-15", "rep | ada | 2026-09 |"));
}

/// What is open: from the day of creation to that of closing, due on the day in `competitor`.
const OPEN: &str = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, created_on AS valid_from, \
                    closed_on AS valid_to, amount AS value, CAST(next_step AS DATE) AS due_on FROM opportunities";

#[test]
fn stocks_have_a_start_and_are_due() {
    let project = Project::empty();
    let keys = "unit = \"money\"\nmeasure = \"stock\"\naggregate = \"sum\"\nrecord = \"opportunities\"";
    let deals = "opportunity_id | credited_rep_id | created_on | closed_on | amount | next_step\n\
                 o1 | ada | 2026-07-01 00:00:00 | 2027-01-01 | 100 | 2026-09-20\n\
                 o2 | ada | 2026-09-05 00:00:00 | 2027-01-01 | 30 | 2026-10-10\n\
                 o3 | ada | 2026-07-01 00:00:00 | 2026-09-03 | 7 |";
    project.test_metric(
        "standing",
        &metric(keys, OPEN),
        &case(
            "2026-09-30",
            deals,
            "",
            "level | entity | period | value | at_start | due\nrep | ada | 2026-09 | 130 | 107 | 100\n\
             rep | ada | 2026-Q3 | 130 | 0 | 100\nrep | ada | 2026-08 | 107 | 107 | 0",
        ),
    );
    let formula_of = |text: &str| formula(&format!("formula = \"{text}\""));
    let expect = |value: &str| format!("level | entity | period | value\nrep | ada | 2026-09 | {value}");
    let at_start = formula_of("standing / at_start(standing)");
    project.test_metric("kept", &at_start, &case("2026-09-30", deals, "", &expect("1.214953271028")));
    project.test_metric("due_now", &formula_of("due(standing)"), &case("2026-09-30", deals, "", &expect("100")));
    let october = "level | entity | period | value\nrep | ada | 2026-10 | 30";
    project.test_metric("due_now", &formula_of("due(standing)"), &case("2026-10-31", deals, "", october));
    // The first scored month, and one that has just begun, on a Sunday: what stood before.
    let first = "level | entity | period | value | at_start\nrep | ada | 2026-09 | 130 | 107";
    project.test_metric("standing", &metric(keys, OPEN), &case("2027-09-30", deals, "", first));
    let sunday = "level | entity | period | value | previous\nrep | ada | 2026-11 | 130 | 130";
    project.test_metric("standing", &metric(keys, OPEN), &case("2026-11-01", deals, "", sunday));
    // What does not say when it is due, does not stand, or does not add up, has no part that is due.
    let without = metric(keys, &OPEN.replace(", CAST(next_step AS DATE) AS due_on", ""));
    project.write("queries/metrics/outcome/standing.sql", &without);
    let said = project.scorebook(&["test", "due_now"]).expect_code(3).stderr;
    assert!(
        said.contains("the facts of standing do not say when they are due") && said.contains("due_now.sql"),
        "{said}"
    );
    project.write("queries/metrics/outcome/due_now.sql", &formula_of("due(bookings)"));
    let said = project.scorebook(&["test", "due_now"]).expect_code(3).stderr;
    assert!(said.contains("`due` cannot be taken of bookings"), "{said}");
}

#[test]
fn a_stock_may_say_since_when_it_stands() {
    let project = Project::empty();
    let deals = "opportunity_id | credited_rep_id | created_on\n\
                 o1 | ada | 2026-09-01 00:00:00\no2 | ada | 2026-09-21 00:00:00";
    for (aggregate, september) in [("mean", "19"), ("median", "19"), ("sum", "38")] {
        let keys =
            format!("unit = \"days\"\nmeasure = \"stock\"\naggregate = \"{aggregate}\"\nrecord = \"opportunities\"");
        let select = "SELECT opportunity_id AS record_id, credited_rep_id AS rep_id, created_on AS valid_from, \
                      CAST(NULL AS DATE) AS valid_to, created_on AS since FROM opportunities";
        let expect = format!("level | entity | period | value | n\nrep | ada | 2026-09 | {september} | 2");
        project.test_metric(
            &format!("age_{aggregate}"),
            &metric(&keys, select),
            &case("2026-09-30", deals, "", &expect),
        );
    }
}

#[test]
fn a_state_stands_for_a_number() {
    let project = Project::empty();
    let keys = "unit = \"money\"\nmeasure = \"stock\"\naggregate = \"sum\"\nrecord = \"opportunities\"";
    project.write(
        "queries/metrics/outcome/standing.sql",
        &metric(keys, &OPEN.replace(" FROM opportunities", " FROM opportunities WHERE closed_as IS NULL")),
    );
    let coverage = formula(
        "formula = \"standing / (target(bookings) - bookings)\"\nstates = { met = \"bookings >= target(bookings)\" }",
    );
    let deals = "opportunity_id | credited_rep_id | created_on | closed_on | closed_as | amount\n\
                 o1 | ada | 2026-07-01 00:00:00 | 2027-01-01 | | 300\n\
                 o2 | ada | 2026-07-01 00:00:00 | 2026-09-03 | won | SOLD";
    let targets = "tables.targets = \"\"\"\ntarget_id | metric | rep_id | starts_on | ends_on | amount\n\
                   t1 | bookings | ada | 2026-09-01 | 2026-09-30 | 1000\n\"\"\"";
    for (sold, value, state) in [("900", "3", ""), ("1000", "", "met"), ("1200", "", "met")] {
        let expect = format!("level | entity | period | value | state\nrep | ada | 2026-09 | {value} | {state}");
        let case = case("2026-09-30", &deals.replace("SOLD", sold), targets, &expect);
        project.test_metric("coverage", &coverage, &case);
    }
    project.write("queries/metrics/outcome/coverage.sql", &coverage.replace("{ met", "{ Met"));
    let said = project.scorebook(&["test", "coverage"]).expect_code(3).stderr;
    assert!(said.contains("a state is a word of lower-case letters"), "{said}");
}

#[test]
fn a_formulas_window_is_that_of_its_parts() {
    let project = Project::empty();
    let deals_won = flow("unit = \"count\"\naggregate = \"count\"", "");
    project.write("queries/metrics/outcome/deals_won.sql", &deals_won);
    let deals = format!(
        "{DEALS}\no1 | ada | won | 1 | 2026-06-30\no2 | ada | won | 10 | 2026-07-01\n\
         o3 | ada | won | 100 | 2026-08-31\no4 | ada | won | 1000 | 2026-09-30"
    );
    let size = formula("formula = \"bookings / deals_won\"\nwindow = \"3 months\"");
    let expect = "level | entity | period | value | n\nrep | ada | 2026-09 | 370 | 3\nrep | ada | 2026-08 | 37 | 3";
    project.test_metric("deal_size", &size, &case("2026-09-30", &deals, "", expect));
    // A formula over it, with months: 1,110 in three months.
    let monthly = formula("formula = \"deal_size * deals_won / months()\"\nwindow = \"3 months\"");
    let expect = "level | entity | period | value\nrep | ada | 2026-09 | 370";
    project.test_metric("monthly", &monthly, &case("2026-09-30", &deals, "", expect));
    let months = formula("formula = \"bookings / months()\"");
    let expect = "level | entity | period | value\nrep | ada | 2026-09 | 1000\nrep | ada | 2026-Q3 | 370";
    project.test_metric("monthly", &months, &case("2026-09-30", &deals, "", expect));
}

#[test]
fn targets_may_be_meant_at_the_plans_rates() {
    let project = Project::empty();
    // As staging leaves a deal of USD 1,000.
    let deals = "opportunity_id | credited_rep_id | closed_as | amount | amount_at_plan | closed_on\n\
                 o1 | ada | won | 900 | 1000 | 2026-09-10";
    let rates = "tables.exchange_rates = \"\"\"\nfrom_currency | valid_on | rate | kind\nUSD | 2026-09-10 | 0.90 | market\n\
                 USD | 2026-01-01 | 1.00 | plan\n\"\"\"\n";
    for (basis, attainment) in [("", "0.45"), ("plan", "0.5")] {
        let targets = format!(
            "{rates}tables.targets = \"\"\"\ntarget_id | metric | rep_id | starts_on | ends_on | amount | basis\n\
             t1 | bookings | ada | 2026-09-01 | 2026-09-30 | 2000 | {basis}\n\"\"\""
        );
        let expect = format!(
            "level | entity | period | value | plan | target | attainment\nrep | ada | 2026-09 | 900 | 1000 | 2000 | {attainment}"
        );
        project.write("queries/tests/bookings.toml", &case("2026-09-30", deals, &targets, &expect));
        project.scorebook(&["test", "bookings"]).expect_code(0);
        let expect = format!("level | entity | period | value\nrep | ada | 2026-09 | {attainment}");
        project.write("queries/tests/quota_attainment.toml", &case("2026-09-30", deals, &targets, &expect));
        project.scorebook(&["test", "quota_attainment"]).expect_code(0);
    }
    let refused = |targets: &str, what: &str| {
        let targets = format!(
            "tables.targets = \"\"\"\ntarget_id | metric | rep_id | starts_on | ends_on | amount | basis\n{targets}\n\"\"\""
        );
        let expect = "level | entity | period | value\nrep | ada | 2026-09 | ?";
        project.write(
            "queries/tests/quota_attainment.toml",
            &case("2026-09-30", deals, &format!("{rates}{targets}"), expect),
        );
        let said = project.scorebook(&["test", "quota_attainment"]).expect_code(3).stderr;
        assert!(said.contains(what), "{said}");
    };
    refused("t1 | quota_attainment | ada | 2026-09-01 | 2026-09-30 | 1 | plan", "at which it has no value");
    refused(
        "t1 | bookings | ada | 2026-09-01 | 2026-09-30 | 1 | plan\nt2 | bookings | ada | 2026-10-01 | 2026-10-30 | 1 |",
        "meant at different exchange rates",
    );
}

/// The worked examples of docs/rules/people.md.
#[test]
fn parts_of_a_fact_stand_on_lines_that_add_up() {
    let project = Project::empty();
    let parts = "ARRAY_AGG(NAMED_STRUCT('name', SPLIT_PART(l, ' ', 1), 'value', CAST(SPLIT_PART(l, ' ', 2) AS DECIMAL(18, 2))) ORDER BY l)";
    let allocated = |keys: &str, columns: &str| {
        format!(
            "/*---\ntitle = \"T\"\nquestion = \"Q\"\ndefinition = \"D\"\nbetter = \"higher\"\nunit = \"money\"\naggregate = \"sum\"\n\
             record = \"opportunities\"\ncadence = [\"month\"]\nlevels = [\"rep\", \"company\"]\nslices = [\"product\", \"kind\"]\n\
             allocated = [\"product\"]\n{keys}\n---*/\n\
             WITH lines AS (SELECT opportunity_id, {parts} AS product FROM (SELECT opportunity_id, UNNEST(STRING_TO_ARRAY(next_step, ';')) AS l \
             FROM opportunities) AS each GROUP BY opportunity_id)\n\
             SELECT o.opportunity_id AS record_id, o.credited_rep_id AS rep_id, {columns}, o.amount AS value, o.kind, l.product \
             FROM opportunities AS o LEFT JOIN lines AS l ON l.opportunity_id = o.opportunity_id\n"
        )
    };
    let deals = "opportunity_id | credited_rep_id | closed_on | amount | next_step\n\
                 o1 | ada | 2026-09-01 | 100 | scale 60;laser 30\no2 | ada | 2026-09-02 | 10 | scale 4;scale 6\no3 | ada | 2026-09-03 | 4 |";
    let expect = "level | entity | period | slice | slice_value | value | n\ncompany | company | 2026-09 | product | scale | 70 | 2\n\
                  rep | ada | 2026-09 | product | laser | 30 | 1\nrep | ada | 2026-09 | product | (unallocated) | 14 | 2\n\
                  rep | ada | 2026-09 | | | 114 | 3";
    let flow = "measure = \"flow\"\ncredit = \"revenue\"";
    let (happened, stood) = ("o.closed_on AS event_date", "o.closed_on AS valid_from, CAST(NULL AS DATE) AS valid_to");
    project.test_metric("sales", &allocated(flow, happened), &case("2026-09-30", deals, "", expect));
    project.test_metric("stood", &allocated("measure = \"stock\"", stood), &case("2026-09-30", deals, "", expect));
    // Split, with the cents of each rep's lines adding up to what the rep has.
    let deals = "opportunity_id | credited_rep_id | closed_on | amount | next_step\no1 | ada | 2026-09-01 | 100.01 | scale 50.01";
    let credits = "tables.credits = \"\"\"\nrecord_table | record_id | rep_id | share | kind\nopportunities | o1 | ada | 0.7 | revenue\n\
                   opportunities | o1 | ben | 0.3 | revenue\n\"\"\"";
    let expect = "level | entity | period | slice | slice_value | value\nrep | ada | 2026-09 | | | 70.01\n\
                  rep | ada | 2026-09 | product | scale | 35.01\nrep | ada | 2026-09 | product | (unallocated) | 35\n\
                  rep | ben | 2026-09 | | | 30\nrep | ben | 2026-09 | product | scale | 15\n\
                  rep | ben | 2026-09 | product | (unallocated) | 15";
    let split = case("2026-09-30", deals, credits, expect).replace("rep_id\nada\n", "rep_id\nada\nben\n");
    project.test_metric("sales", &allocated(flow, happened), &split);
    // What is no list of parts is refused.
    let wrong = allocated(flow, happened).replace("l.product", "'scale' AS product");
    project.write("queries/metrics/outcome/sales.sql", &wrong);
    let said = project.scorebook(&["test", "sales"]).expect_code(3).stderr;
    assert!(said.contains("the slice `product` of sales is no list of parts"), "{said}");
}
