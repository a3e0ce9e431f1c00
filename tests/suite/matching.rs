//! Several sources in one model: the worked examples of docs/rules/sources.md.

use crate::project::Project;
use serde_json::Value;

const OLD: &str = "2026-09-29";
const NEW: &str = "2026-09-30";

/// A company with two CRMs, `main` and `other`, and files kept by hand, `desk`; nobody's exports yet.
fn project() -> Project {
    let project = Project::empty().formats(r#"["csv"]"#).for_reps();
    std::fs::remove_dir_all(project.path("queries/staging")).unwrap();
    std::fs::remove_dir_all(project.path("queries/checks")).unwrap();
    project.edit("scorebook.toml", |text| text[..text.find("[matching]").unwrap()].to_owned());
    project
}

/// Adds a source with these tables: name, how it folds, the model's table, and what its SQL selects besides `_row`.
fn source(project: &Project, name: &str, tables: &[(&str, &str, &str, &str)]) {
    let mut settings = format!("\n[sources.{name}]\npath = \"exports/{name}/{{date}}/{{table}}.csv\"\n");
    for (table, fold, into, select) in tables {
        settings.push_str(&format!("tables.{table} = {{ fold = \"{fold}\", max_age_days = 9 }}\n"));
        let sql =
            format!("/*---\nfrom = \"{table}\"\ninto = \"{into}\"\n---*/\nSELECT \"_row\", {select}\nFROM {table}\n");
        project.write(&format!("queries/staging/{name}/{table}.sql"), &sql);
    }
    project.edit("scorebook.toml", |text| text + &settings);
}

fn export(project: &Project, source: &str, night: &str, table: &str, rows: &str) {
    project.write(&format!("exports/{source}/{night}/{table}.csv"), rows);
}

fn asked(project: &Project, sql: &str) -> Vec<String> {
    let said = project.scorebook(&["sql", sql, "--format", "csv"]).expect_code(0);
    said.stdout.lines().skip(1).map(String::from).collect()
}

/// What became of an export's records: read, skipped, quarantined, current, superseded, deleted.
fn balance(project: &Project, number: u64, path: &str) -> [u64; 6] {
    let entry = project.entry(number);
    let of_path = |balance: &&Value| balance["path"] == path;
    let balance = entry["balance"].as_array().unwrap().iter().find(of_path).unwrap().clone();
    ["read", "skipped", "quarantined", "current", "superseded", "deleted"].map(|name| balance[name].as_u64().unwrap())
}

const REPS: &str = "id AS rep_id, name, email";

#[test]
fn several_sources_and_files_fill_one_table() {
    let project = project();
    source(&project, "main", &[("people", "upsert", "reps", REPS)]);
    let more = "CONCAT('b', id) AS rep_id, name, email";
    source(&project, "other", &[("owners", "full", "reps", REPS), ("bots", "full", "reps", more)]);
    export(&project, "main", OLD, "people", "id,name,email\n1,Ada,a@x\n2,Ben,b@x\n");
    export(&project, "main", NEW, "people", "id,name,email\n2,Benno,b@x\n");
    export(&project, "other", OLD, "owners", "id,name,email\n1,Cleo,c@x\n2,Dora,d@x\n");
    export(&project, "other", NEW, "owners", "id,name,email\n1,Cleo,c@x\n");
    export(&project, "other", OLD, "bots", "id,name,email\n1,Bot,e@x\n");
    project.run(&[]);
    // The new full export of one source ends that source's Dora, and nobody of the other.
    let reps = ["main:1,Ada", "main:2,Benno", "other:1,Cleo", "other:b1,Bot"];
    assert_eq!(asked(&project, "SELECT rep_id, name FROM reps ORDER BY rep_id"), reps);
    assert_eq!(balance(&project, 1, "exports/main/2026-09-29/people.csv"), [2, 0, 0, 1, 1, 0]);
    assert_eq!(balance(&project, 1, "exports/other/2026-09-29/owners.csv"), [2, 0, 0, 0, 2, 0]);
    assert_eq!(balance(&project, 1, "exports/other/2026-09-30/owners.csv"), [1, 0, 0, 1, 0, 0]);
}

#[test]
fn files_kept_by_hand_name_people_of_every_source() {
    let project = project();
    source(&project, "main", &[("people", "full", "reps", REPS)]);
    source(&project, "other", &[("owners", "full", "reps", REPS)]);
    let seats = "user_id AS rep_id, tool, used_on";
    source(&project, "desk", &[("logins", "append", "tool_use", seats), ("people", "full", "reps", REPS)]);
    export(&project, "main", NEW, "people", "id,name,email\n1,Ada,a@x\n");
    export(&project, "other", NEW, "owners", "id,name,email\n1,Cleo,c@x\n");
    export(&project, "desk", NEW, "people", "id,name,email\n1,Dora,d@x\n");
    let logins = "user_id,tool,used_on\nmain:1,dialler,2026-09-30\nother:1,dialler,2026-09-30\n1,dialler,2026-09-30\n\
                  crm:1,dialler,2026-09-30\n";
    export(&project, "desk", NEW, "logins", logins);
    project.run(&[]);
    let found = asked(&project, "SELECT rep_id FROM tool_use ORDER BY rep_id");
    assert_eq!(found, ["desk:1", "main:1", "other:1"]);
    // `crm` is no source, so this is what `desk` calls somebody.
    let reasons = asked(&project, "SELECT reason FROM quarantine_tool_use");
    assert_eq!(reasons, ["rep_id: reps has no `desk:crm:1`"]);
}

const ACCOUNTS: &str = "id AS account_id, name, parent AS parent_account_id, country, domain, owner AS rep_id";
const DEALS: &str = "id AS opportunity_id, name, account AS account_id, owner AS credited_rep_id, stage AS source_stage, \
     amount, closes AS closed_on, created AS created_on, shared AS shared_key";

/// The two CRMs of docs/rules/sources.md, and the files kept by hand.
fn two_crms() -> Project {
    let project = project();
    let people = ("people", "full", "reps", REPS);
    let accounts = ("accounts", "full", "accounts", ACCOUNTS);
    let deals = ("deals", "full", "opportunities", DEALS);
    let calls = (
        "calls",
        "append",
        "activities",
        "id AS activity_id, 'call' AS kind, day AS happened_on, who AS rep_id, account AS account_id, deal AS opportunity_id",
    );
    let lines = ("lines", "full", "opportunity_lines", "id AS line_id, deal AS opportunity_id, quantity, amount");
    source(&project, "main", &[people, accounts, deals, calls, lines]);
    source(&project, "other", &[people, accounts, deals, calls, lines]);
    let mappings = ("mappings", "full", "mappings", "record_table, record_id, same_as, is_same, note");
    let credits = (
        "credits",
        "full",
        "credits",
        "'opportunities' AS record_table, deal AS record_id, who AS rep_id, share, 'revenue' AS kind",
    );
    source(&project, "desk", &[mappings, credits]);
    let write = |source: &str, table: &str, rows: &str| export(&project, source, NEW, table, rows);
    write("main", "people", "id,name,email\n1,Ada,ada@alder.example\n2,Ben,ben@alder.example\n3,Cleo,\n");
    write("other", "people", "id,name,email\n51,Ada A.,Ada@Alder.example \n52,Dora,dora@brack.example\n53,C. Fox,\n");
    write(
        "main",
        "accounts",
        "id,name,parent,country,domain,owner\nA1,Quarry Ltd,,UK,quarry.example,1\nA2,Mill GmbH,,DE,,2\n\
         A3,Kiln,,UK,kiln.example,1\nA4,Forge,,UK,,1\nA5,Forge,,UK,,2\n",
    );
    write(
        "other",
        "accounts",
        "id,name,parent,country,domain,owner\n7,Quarry Limited,,UK,QUARRY.example,51\n8,mill gmbh,7,DE,mill.example,52\n\
         9,Kiln UK,7,UK,kiln.example,52\n10,Forge,,UK,,51\n",
    );
    let deals = "id,name,account,owner,stage,amount,closes,created,shared\n";
    write(
        "main",
        "deals",
        &format!(
            "{deals}O1,Pumps,A1,1,Won,1000,2026-09-10,2026-08-01,HS-701\nO2,Valves,A2,2,Won,300,2026-09-11,2026-08-02,\n"
        ),
    );
    write(
        "other",
        "deals",
        &format!(
            "{deals}701,Pumps (old),7,51,Won,900,2026-09-09,2026-07-01,HS-701\n702,Gauges,8,52,Won,50,2026-09-12,2026-08-03,\n"
        ),
    );
    let calls = "id,day,who,account,deal\n";
    write("main", "calls", &format!("{calls}c1,2026-09-01,1,A1,O1\n"));
    write("other", "calls", &format!("{calls}c1,2026-09-02,51,7,701\nc2,2026-09-03,52,8,702\n"));
    let lines = "id,deal,quantity,amount\n";
    write("main", "lines", &format!("{lines}l1,O1,2,1000\n"));
    write("other", "lines", &format!("{lines}l1,701,2,900\nl2,702,1,50\n"));
    write("desk", "credits", "deal,who,share\nmain:O1,main:1,0.5\nmain:O1,other:52,0.5\nother:701,other:51,1\n");
    write(
        "desk",
        "mappings",
        "record_table,record_id,same_as,is_same,note\nreps,other:53,main:3,true,married\naccounts,other:9,main:A3,0,a namesake\n",
    );
    project
}

#[test]
fn what_stands_in_two_crms_counts_once() {
    let project = two_crms();
    let report = project.run(&[]);
    let matches = asked(&project, "SELECT * FROM matches ORDER BY record_table, record_id");
    let expected = [
        "accounts,other:7,main:A1,domain,quarry.example",
        "accounts,other:8,main:A2,name + country,\"mill gmbh, de\"",
        "opportunities,other:701,main:O1,shared_key,hs-701",
        "reps,other:51,main:1,email,ada@alder.example",
        "reps,other:53,main:3,mapping,",
    ];
    assert_eq!(matches, expected);
    // The canonical record stays as it is: Mill has no domain, and Pumps is worth what the main CRM says.
    let accounts =
        asked(&project, "SELECT account_id, name, domain, parent_account_id FROM accounts ORDER BY account_id");
    let expected = [
        "main:A1,Quarry Ltd,quarry.example,",
        "main:A2,Mill GmbH,,",
        "main:A3,Kiln,kiln.example,",
        "main:A4,Forge,,",
        "main:A5,Forge,,",
        "other:10,Forge,,",
        "other:9,Kiln UK,kiln.example,main:A1",
    ];
    assert_eq!(accounts, expected);
    let deals = asked(
        &project,
        "SELECT opportunity_id, account_id, credited_rep_id, amount FROM opportunities ORDER BY opportunity_id",
    );
    let expected =
        ["main:O1,main:A1,main:1,1000.00", "main:O2,main:A2,main:2,300.00", "other:702,main:A2,other:52,50.00"];
    assert_eq!(deals, expected);
    // Who belongs to whom follows across the CRMs.
    let customers = "SELECT customer_id FROM customers WHERE account_id = 'other:9'";
    assert_eq!(asked(&project, customers), ["main:A1"]);
    // What somebody did counts, wherever it was logged; what a deal is made of goes with its record.
    let calls =
        asked(&project, "SELECT activity_id, rep_id, account_id, opportunity_id FROM activities ORDER BY activity_id");
    let expected =
        ["main:c1,main:1,main:A1,main:O1", "other:c1,main:1,main:A1,main:O1", "other:c2,other:52,main:A2,other:702"];
    assert_eq!(calls, expected);
    let lines = asked(&project, "SELECT line_id, opportunity_id FROM opportunity_lines ORDER BY line_id");
    assert_eq!(lines, ["main:l1,main:O1", "other:l2,other:702"]);
    let credits = asked(&project, "SELECT record_id, rep_id FROM credits ORDER BY rep_id");
    assert_eq!(credits, ["main:O1,main:1", "main:O1,other:52"]);
    // The records balance: what another one stands for is superseded.
    assert_eq!(balance(&project, 1, "exports/other/2026-09-30/deals.csv"), [2, 0, 0, 1, 1, 0]);
    assert_eq!(balance(&project, 1, "exports/other/2026-09-30/lines.csv"), [2, 0, 0, 1, 1, 0]);
    assert_eq!(balance(&project, 1, "exports/desk/2026-09-30/credits.csv"), [3, 0, 0, 2, 1, 0]);
    // A key that stands twice in one CRM is told, and matches nothing.
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == "matches").expect("a finding");
    let told = "accounts by name + country, `forge, uk`: main has 2 of this key: `main:A4`, `main:A5`";
    assert_eq!(found["shown"], serde_json::json!([told]));
    // An unchanged night makes nothing; another order of the sources makes the matches anew.
    let report = project.run(&[]);
    assert_eq!(report["stages"]["stage"]["made"], 0, "{report}");
    project.edit("scorebook.toml", |text| text + "\n[matching]\norder = [\"other\"]\n");
    project.run(&[]);
    let deals = asked(&project, "SELECT opportunity_id, account_id, amount FROM opportunities ORDER BY opportunity_id");
    assert_eq!(deals, ["main:O2,other:8,300.00", "other:701,other:7,900.00", "other:702,other:8,50.00"]);
    project.scorebook(&["replay", "1"]).expect_code(0);
    project.scorebook(&["verify"]).expect_code(0);
}
