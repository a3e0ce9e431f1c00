//! Money in several currencies: a small company of dollars, pounds and euros, whose amounts were worked out by hand.

use crate::project::Project;
use serde_json::Value;

const NIGHT: &str = "2026-09-30";

/// Id, stage, amount, close date, currency. Rates of the dollar are of 1, 15 and 30 September.
const DEALS: [(&str, &str, &str, &str, &str); 9] = [
    // Exactly seven days after the rate of 15 September: 1000.00 x 0.905.
    ("won-at-7-days", "Closed Won", "1000.00", "2026-09-22", "USD"),
    // Eight days after it: set aside.
    ("won-at-8-days", "Closed Won", "1000.00", "2026-09-23", "USD"),
    // The day before the next rate: 2026-09-08 is seven days after the first of the month. 33.35 x 0.92 = 30.682.
    ("lost", "Closed Lost", "33.35", "2026-09-08", "USD"),
    // Open, and due in a year without rates: the rate of the run's date, 0.95.
    ("open", "Proposal", "200.00", "2027-03-01", "USD"),
    // A credit note: -1.00 x 1.155 = -1.155, rounded away from zero.
    ("credit-note", "Closed Won", "-1.00", "2026-09-16", "GBP"),
    ("euro", "Closed Won", "70.10", "2026-09-23", "EUR"),
    ("no-currency", "Closed Won", "50.00", "2020-01-01", ""),
    ("no-amount", "Closed Won", "", "2020-01-01", "USD"),
    ("unknown", "Closed Won", "1.00", "2026-09-22", "CHF"),
];
const RATES: &str = "currency,day,rate,kind\nUSD,2026-09-15,0.905,market\nUSD,2026-09-01,0.92,market\n\
    USD,2026-09-30,0.95,market\nGBP,2026-09-15,1.155,market\nUSD,2026-01-01,0.9,plan\n\
    usd,2026-09-22,0.5,market\nUSD,2026-09-22,0,market\n";

/// The company, with these exchange rates.
fn project(rates: Option<&str>) -> Project {
    let project = Project::empty().formats(r#"["csv"]"#);
    let export = |table: &str, text: &str| project.write(&format!("sample_data/salesforce/{NIGHT}/{table}.csv"), text);
    export("User", "Id,Name,Email,Title,IsActive,Hired_On__c,Left_On__c\nada,Ada,,,1,2020-01-01,\n");
    export("teams", "team_id,name,level,parent_team_id,leader_user_id\nalpha,Alpha,team,,\n");
    export("assignments", "user_id,team_id,role,starts_on,ends_on\nada,alpha,,2020-01-01,\n");
    export(
        "stages",
        "stage_name,common_stage,position,probability,closed_as,entry_criteria\nProposal,proposal,1,50,,\n\
         Closed Won,won,2,100,won,\nClosed Lost,lost,3,0,lost,\n",
    );
    let head = "Id,Name,StageName,Amount,CloseDate,CurrencyIsoCode,OwnerId,CreatedDate,AccountId,Probability,Type,\
        LeadSource,Competitor__c,Loss_Reason__c,ForecastCategoryName,NextStep,Sourced_By__c,HubSpot_Deal_Id__c,IsDeleted\n";
    let row = |(id, stage, amount, day, currency): (&str, &str, &str, &str, &str)| {
        format!("{id},{id},{stage},{amount},{day},{currency},ada,2019-12-01 09:00:00,,,,,,,,,,,0\n")
    };
    export("Opportunity", &(head.to_owned() + &DEALS.map(row).concat()));
    let Some(rates) = rates else { return project };
    project.write(&format!("sample_data/treasury/{NIGHT}/rates.csv"), rates);
    project.edit("scorebook.toml", |text| {
        text + "\n[sources.treasury]\npath = \"sample_data/treasury/{date}/{table}.csv\"\n\
            tables = { rates = { fold = \"append\" } }\n"
    });
    project.write(
        "queries/staging/treasury/exchange_rates.sql",
        "/*---\nfrom = \"rates\"\ninto = \"exchange_rates\"\n---*/\n\
         SELECT \"_row\", currency AS from_currency, day AS valid_on, rate, kind FROM rates\n",
    );
    project
}

fn asked(project: &Project, sql: &str) -> Vec<String> {
    let said = project.scorebook(&["sql", sql, "--format", "csv"]).expect_code(0);
    said.stdout.lines().skip(1).map(String::from).collect()
}

const AMOUNTS: &str = "SELECT name, amount, amount_original, amount_at_plan FROM opportunities ORDER BY name";

#[test]
fn every_deal_is_converted_by_its_own_currency_and_day() {
    let project = project(Some(RATES));
    let report = project.run(&[]);
    let expected = [
        "credit-note,-1.16,-1.00,",
        "euro,70.10,70.10,70.10",
        "lost,30.68,33.35,30.02",
        "no-amount,,,",
        "no-currency,50.00,50.00,50.00",
        "open,190.00,200.00,180.00",
        "won-at-7-days,905.00,1000.00,900.00",
    ];
    assert_eq!(asked(&project, AMOUNTS), expected);
    let quarantined = asked(&project, "SELECT _row, reason FROM quarantine_opportunities ORDER BY _row");
    let start =
        "amount: USD cannot be converted on 2026-09-23: the newest market rate is of 2026-09-15, which is 8 days";
    assert!(quarantined[0].contains(start) && quarantined[0].starts_with('2'), "{quarantined:?}");
    assert!(quarantined[1].contains("CHF") && quarantined.len() == 2, "{quarantined:?}");
    // So are rates that are none: they convert nothing.
    let rates = asked(&project, "SELECT reason FROM quarantine_exchange_rates ORDER BY reason");
    assert!(
        rates[0].contains("`usd` is no currency code") && rates[1] == "rate: a rate is more than zero",
        "{rates:?}"
    );
    // The run goes on, and says so.
    let findings = report["findings"].as_array().unwrap();
    let told = |finding: &&Value| finding["check"] == "set_aside" && finding["rows"] == 2;
    assert!(findings.iter().any(|finding| told(&finding)), "{findings:?}");
    // 905.00 - 900.00; the euros add zero.
    let effect = "SELECT value FROM scores WHERE metric = 'exchange_rate_effect' AND level = 'company' \
        AND grain = 'month' AND slice = '' AND period_start = DATE '2026-09-01'";
    assert_eq!(asked(&project, effect)[0].trim_end_matches('0'), "5.");
}

#[test]
fn the_model_is_made_again_when_rates_or_their_age_limit_change() {
    let project = project(Some(RATES));
    let digest = |number: u64| project.entry(number)["model"]["opportunities"]["digest"].as_str().unwrap().to_owned();
    project.run(&[]);
    project.run(&[]);
    assert_eq!(digest(1), digest(2));
    // Open deals are worth what they are on the date of the run; the closed ones stand.
    project.run(&["--as-of", "2026-09-20"]);
    let amounts = asked(&project, AMOUNTS);
    assert!(amounts.contains(&"open,181.00,200.00,180.00".into()), "{amounts:?}");
    assert!(amounts.contains(&"won-at-7-days,905.00,1000.00,900.00".into()), "{amounts:?}");
    // A looser limit converts the deal of 23 September, too.
    project.edit("scorebook.toml", |text| text + "\n[money]\nrate_max_age_days = 8\n");
    project.run(&[]);
    let amounts = asked(&project, AMOUNTS);
    assert!(amounts.contains(&"won-at-8-days,905.00,1000.00,900.00".into()), "{amounts:?}");
    // A rate that is corrected changes what it converted. The order of rates does not matter.
    let rates = format!("sample_data/treasury/{NIGHT}/rates.csv");
    project.edit(&rates, |text| text.replace("0.905", "0.91"));
    project.run(&[]);
    assert!(asked(&project, AMOUNTS).contains(&"won-at-7-days,910.00,1000.00,900.00".into()));
    project.edit(&rates, |text| {
        let (head, rows) = text.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().rev().collect();
        format!("{head}\n{}\n", rows.join("\n"))
    });
    project.run(&[]);
    assert_eq!(digest(5), digest(6));
    project.scorebook(&["replay", "3"]).expect_code(0);
    project.scorebook(&["verify"]).expect_code(0);
}

#[test]
fn without_rates_the_companys_currency_alone_is_converted() {
    let project = project(None);
    project.run(&[]);
    assert_eq!(asked(&project, AMOUNTS)[..1], ["euro,70.10,70.10,70.10"]);
    let reasons = asked(&project, "SELECT DISTINCT reason FROM quarantine_opportunities ORDER BY reason");
    assert!(reasons.iter().all(|reason| reason.contains("there are no exchange rates")), "{reasons:?}");
    // No rate can depend on the date of the run, so another date makes nothing anew but what asks for it: who has stalled.
    let report = project.run(&["--as-of", "2026-09-20"]);
    assert_eq!(report["stages"]["stage"]["made"], 1, "{report:#}");
    let made_again =
        |table: &str| project.entry(1)["model"][table]["digest"] != project.entry(2)["model"][table]["digest"];
    assert!(!made_again("opportunities") && !made_again("opportunity_history"));
    project.scorebook(&["replay", "2"]).expect_code(0);
}

#[test]
fn contracts_settings_and_staging_that_contradict_are_refused() {
    let refused = |file: &str, from: &str, to: &str| {
        let project = project(Some(RATES));
        project.edit(file, |text| text.replace(from, to));
        project.scorebook(&["check", "--quiet"]).expect_code(3).stderr
    };
    let model = "queries/model.toml";
    insta::assert_snapshot!(refused(model, "converts_on = \"rate_on\"", "converts_on = \"rated_on\""));
    insta::assert_snapshot!(refused(model, "at_plan = \"amount_at_plan\"", "at_plan = \"name\""));
    insta::assert_snapshot!(refused(model, "type = \"rate\"", "type = \"decimal\""));
    insta::assert_snapshot!(refused(
        "queries/staging/salesforce/opportunities.sql",
        "o.\"Amount\" AS amount,",
        "o.\"Amount\" AS amount, o.\"Amount\" AS amount_at_plan,",
    ));
    insta::assert_snapshot!(refused("scorebook.toml", "[people]", "[money]\nrate_max_age_days = 400\n\n[people]"));
    insta::assert_snapshot!(refused("scorebook.toml", "[people]", "[money]\nmax_age_days = 4\n\n[people]"));
    let project = project(None);
    project.write("queries/model/exchange_rates.sql", "/*---\nreads = []\n---*/\nSELECT 'USD' AS from_currency\n");
    let said = project.scorebook(&["check", "--quiet"]).expect_code(3).stderr;
    assert!(said.contains("so it cannot be derived") && said.contains("help: stage it"), "{said}");
}
