//! Several sources in one model: the worked examples of docs/rules/sources.md.

use crate::project::Project;
use serde_json::Value;

const OLD: &str = "2026-09-29";
const NEW: &str = "2026-09-30";

/// A company with two CRMs, `main` and `other`, and files kept by hand, `desk`; nobody's exports yet.
fn project() -> Project {
    let project = Project::empty().formats(r#"["csv"]"#);
    std::fs::remove_dir_all(project.path("queries/staging")).unwrap();
    std::fs::remove_dir_all(project.path("queries/checks")).unwrap();
    project.edit("scorebook.toml", |text| text[..text.find("[sources").unwrap()].to_owned());
    project
}

/// Adds a source with these tables: name, how it folds, the model's table, and what its SQL selects besides `_row`.
fn source(project: &Project, name: &str, tables: &[(&str, &str, &str, &str)]) {
    let mut settings = format!("\n[sources.{name}]\npath = \"exports/{name}/{{date}}/{{table}}.csv\"\n");
    for (table, fold, into, select) in tables {
        settings.push_str(&format!("tables.{table} = {{ fold = \"{fold}\" }}\n"));
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
