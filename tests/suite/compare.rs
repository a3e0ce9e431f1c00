//! `compare` says what changed between two runs: exactly that, and down to the cent why.

use crate::checks::{first_night, published, second_night};
use crate::project::{LAST_NIGHT, NIGHTS, Project, copy};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What two runs differ in, as JSON.
fn compared(project: &Project, arguments: &[&str]) -> Value {
    let said = project.scorebook(&[&["compare", "--format", "json"], arguments].concat()).expect_code(0);
    serde_json::from_str(&said.stdout).unwrap()
}

/// Metric, level, entity, grain, the period's first day, slice, its value.
type Key = Vec<String>;
/// Value, n, target and state; and the sides of a ratio.
type Cell = ((Option<i128>, i64, Option<i128>, String), [Option<i128>; 2]);

/// Trillionths.
fn units(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{rest:0<12}").parse::<i128>().unwrap()
}

/// All scores of a run, by what names them, asked of the program as anybody would.
fn scores(project: &Project, run: &str) -> BTreeMap<Key, Cell> {
    let sql = "SELECT metric, level, entity, grain, period_start, slice, slice_value, value, n, target, state, numerator, denominator \
               FROM scores";
    let said = project.scorebook(&["sql", sql, "--run", run, "--format", "csv"]).expect_code(0).stdout;
    let mut reader = csv::Reader::from_reader(said.as_bytes());
    let rows = reader.records().map(Result::unwrap).map(|row| {
        let cells: Vec<String> = row.iter().map(String::from).collect();
        let number = |i: usize| (!cells[i].is_empty()).then(|| units(&cells[i]));
        let cell = (number(7), cells[8].parse().unwrap(), number(9), cells[10].clone());
        (cells[..7].to_vec(), (cell, [number(11), number(12)]))
    });
    rows.collect()
}

/// Whether a metric without facts is zero rather than empty, as its header says.
fn is_zero_without_facts(project: &Project, metric: &str) -> bool {
    let name = format!("/{}.sql", metric.split("__").next().unwrap());
    let file = project.files("queries/metrics").into_iter().find(|file| file.ends_with(&name)).unwrap();
    let text = std::fs::read_to_string(project.path("queries/metrics").join(file)).unwrap();
    let line = text.lines().find(|line| line.starts_with("aggregate"));
    line.is_some_and(|line| ["\"sum\"", "\"count\"", "\"distinct\""].iter().any(|word| line.contains(word)))
}

/// The scores that differ in periods that both runs score, found without `compare`. A score that is not there says as much
/// as one of nothing.
fn differing(project: &Project, from: &str, to: &str) -> BTreeSet<Key> {
    let (from, to) = (scores(project, from), scores(project, to));
    let periods = |of: &BTreeMap<Key, Cell>| of.keys().map(|key| key[3..5].to_vec()).collect::<BTreeSet<_>>();
    let both: BTreeSet<_> = periods(&from).intersection(&periods(&to)).cloned().collect();
    let metrics: BTreeSet<&String> = from.keys().chain(to.keys()).map(|key| &key[0]).collect();
    let zeros: BTreeSet<&String> =
        metrics.into_iter().filter(|metric| is_zero_without_facts(project, metric)).collect();
    let of = |scores: &BTreeMap<Key, Cell>, key: &Key| {
        let nothing = || ((zeros.contains(&key[0]).then_some(0), 0, None, String::new()), [None; 2]);
        scores.get(key).cloned().unwrap_or_else(nothing)
    };
    let keys: BTreeSet<&Key> = from.keys().chain(to.keys()).collect();
    let differs = |key: &&Key| {
        let ((one, sides), (other, other_sides)) = (of(&from, key), of(&to, key));
        // A share of all may stay all, and be all of more.
        let mut pairs = sides.into_iter().zip(other_sides);
        one != other || pairs.any(|(one, other)| one.is_some() && other.is_some() && one != other)
    };
    keys.into_iter().filter(|key| both.contains(&key[3..5]) && differs(key)).cloned().collect()
}

fn key_of(score: &Value) -> Key {
    let names = ["metric", "level", "entity", "grain", "period_start", "slice", "slice_value"];
    names.iter().map(|name| score[*name].as_str().unwrap().to_owned()).collect()
}

/// Checks that the facts beneath each score are what it moved by; gives how many scores were explained.
fn facts_explain_their_scores(compared: &Value, counts: &[&str], sums: &[&str]) -> usize {
    let mut explained = 0;
    for score in compared["scores"].as_array().unwrap() {
        let Some(facts) = score["facts"].as_array() else { continue };
        let metric = score["metric"].as_str().unwrap();
        let of = |side: &Value, name: &str| side[name].as_str().map_or(0, units);
        let moved = |name: &str| of(&score["after"], name) - of(&score["before"], name);
        let side = |fact: &Value, i: usize| {
            let worth = |side: &str| fact[side][i].as_str().map_or(0, units);
            worth("after") - worth("before")
        };
        let add = |i: usize| facts.iter().map(|fact| side(fact, i)).sum::<i128>();
        let is_ratio = !score["after"]["denominator"].is_null() || !score["before"]["denominator"].is_null();
        if is_ratio && sums.iter().chain(counts).all(|id| *id != metric) {
            if ["before", "after"].iter().all(|side| score[*side].is_null() || !score[*side]["numerator"].is_null()) {
                assert_eq!(add(0), moved("numerator"), "{score:#}");
                assert_eq!(add(1), moved("denominator"), "{score:#}");
                explained += 1;
            }
        } else if sums.contains(&metric) || counts.contains(&metric) {
            assert_eq!(add(0), moved("value"), "{score:#}");
            explained += 1;
        }
    }
    explained
}

/// The small company with both its nights run.
fn two_nights() -> Project {
    let project = published();
    second_night(&project);
    project.run(&[]);
    project
}

#[test]
fn two_nights_differ_in_exactly_what_was_changed() {
    let project = two_nights();
    let said = compared(&project, &[]);
    assert_eq!((&said["basis"]["from"]["run"], &said["basis"]["to"]["run"]), (&json!(1), &json!(2)));
    assert_eq!(said["basis"]["run"], json!([{ "name": "as of", "before": "2026-09-29", "after": "2026-09-30" }]));
    assert_eq!((&said["basis"]["definitions"], &said["basis"]["settings"]), (&json!([]), &json!([])));

    // Deal 12 was won, deal 14 qualified, and there was a call.
    let tables = said["records"].as_array().unwrap();
    let table = |name: &str| tables.iter().find(|table| table["table"] == name).unwrap();
    let deals = table("opportunities");
    assert_eq!((&deals["new"], &deals["gone"], &deals["changed"]), (&json!(0), &json!(0), &json!(2)));
    let won = &deals["rows"][0];
    assert_eq!(won["key"], json!(["salesforce:006Bk0000000012AAA"]));
    let exports = [("before", "2026-09-29"), ("after", "2026-09-30")];
    for (side, night) in exports {
        let origin = json!({ "export": format!("sample_data/salesforce/{night}/Opportunity.csv"), "row": 12 });
        assert_eq!(won[side], origin);
    }
    let column = |name: &str| won["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).cloned();
    let is = |name: &str, before: Value, after: Value| {
        assert_eq!(column(name), Some(json!({ "name": name, "before": before, "after": after })), "{won:#}");
    };
    is("stage", json!("proposal"), json!("won"));
    is("closed_on", json!("2026-10-15"), json!("2026-09-30"));
    is("closed_as", Value::Null, json!("won"));
    assert_eq!(column("amount"), None);
    let calls = table("activities");
    assert_eq!((&calls["new"], &calls["gone"], &calls["changed"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!(table("opportunity_history")["new"], 2);

    // Exactly the scores that an independent look finds.
    let told: BTreeSet<Key> = said["scores"].as_array().unwrap().iter().map(key_of).collect();
    assert_eq!(told.len(), said["scores"].as_array().unwrap().len());
    assert_eq!(told, differing(&project, "1", "2"));
    assert!(told.len() > 20, "{}", told.len());

    // And why: one deal of 33,000.
    let of = |metric: &str| {
        let whole = |score: &&Value| {
            score["metric"] == metric
                && score["level"] == "company"
                && score["period"] == "2026-09"
                && score["slice"] == ""
        };
        said["scores"].as_array().unwrap().iter().find(whole).unwrap()
    };
    let bookings = of("bookings");
    assert_eq!((&bookings["before"]["value"], &bookings["after"]["value"]), (&json!("63100"), &json!("96100")));
    let facts = bookings["facts"].as_array().unwrap();
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0]["change"], "new");
    assert_eq!(facts[0]["record"], "salesforce:006Bk0000000012AAA");
    assert_eq!(facts[0]["after"][0], "33000");
    assert_eq!(facts[0]["origin"]["export"], "sample_data/salesforce/2026-09-30/Opportunity.csv");
    assert_eq!(facts[0]["origin"]["row"], 12);
    let pipeline = of("open_pipeline");
    assert_eq!((&pipeline["before"]["value"], &pipeline["after"]["value"]), (&json!("172000"), &json!("139000")));
    let gone: Vec<_> =
        pipeline["facts"].as_array().unwrap().iter().map(|fact| (&fact["change"], &fact["record"])).collect();
    assert_eq!(gone, [(&json!("gone"), &json!("salesforce:006Bk0000000012AAA"))]);
    assert!(of("quota_attainment")["facts"].is_null());
    assert!(of("quota_attainment")["parts"].as_array().unwrap().contains(&json!("bookings")));
    assert!(facts_explain_their_scores(&said, &["calls_made"], &["bookings", "open_pipeline"]) > 15);

    what_people_read(&project);
    damage_is_noticed(&project);
}

fn what_people_read(project: &Project) {
    let said =
        project.scorebook(&["compare", "--metric", "bookings", "--level", "company", "--limit", "1"]).expect_code(0);
    for part in [
        "Run 1 as of 2026-09-29, and run 2 as of 2026-09-30",
        "opportunities that differ: 2",
        "changed  salesforce:006Bk0000000012AAA  (sample_data/salesforce/2026-09-30/Opportunity.csv, record 12)",
        "stage: proposal -> won",
        "and 1 more: --limit 0 shows all",
        "Bookings, the company, 2026-09\n  €63,100 -> €96,100   n 2 -> 3   target €120,000\n",
        "new      salesforce:006Bk0000000012AAA  Ines Carvalheda  2026-09-30  €33,000  (sample_data/salesforce/2026-09-30/Opportunity.csv, record 12)",
        "as of: 2026-09-29 -> 2026-09-30",
    ] {
        assert!(said.stdout.contains(part), "`{part}` is not in\n{}", said.stdout);
    }
    let csv = project.scorebook(&[
        "compare",
        "1",
        "2",
        "--entity",
        "Ines Carvalheda",
        "--period",
        "2026-09",
        "--format",
        "csv",
    ]);
    let csv = csv.expect_code(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("metric,level,entity,name,grain,period"), "{csv}");
    assert!(lines.len() > 3 && lines[1..].iter().all(|line| line.contains("Ines Carvalheda,month,2026-09,")), "{csv}");
    let same = project.scorebook(&["compare", "2", "2"]).expect_code(0).stdout;
    assert!(same.contains("Nothing differs"), "{same}");
    let unknown = project.scorebook(&["compare", "--metric", "booking"]).expect_code(2).stderr;
    assert!(unknown.contains("did you mean `bookings`?"), "{unknown}");
    project.scorebook(&["compare", "1", "7"]).expect_code(2);
}

fn damage_is_noticed(project: &Project) {
    let digest = project.entry(1)["scores"]["bookings"]["digest"].as_str().unwrap().to_owned();
    let path = project.path(&format!("warehouse/scores/bookings/{digest}.parquet"));
    let sound = std::fs::read(&path).unwrap();
    let mut damaged = sound.clone();
    damaged[20] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let said = project.scorebook(&["compare"]).expect_code(6).stderr;
    assert!(said.contains(&digest) && said.contains("is damaged") && said.contains("run 1 wrote it"), "{said}");
    std::fs::write(&path, sound).unwrap();
}

#[test]
fn one_run_has_nothing_to_be_compared_with() {
    let said = published().scorebook(&["compare"]).expect_code(2).stderr;
    assert!(said.contains("there is only one run"), "{said}");
}

#[test]
fn another_definition_is_named_and_its_facts_explain_the_scores() {
    let project = Project::empty().formats(r#"["csv"]"#);
    first_night(&project);
    project.run(&[]);
    project.edit("queries/metrics/outcome/bookings.sql", |text| {
        text.replacen(
            "WHERE o.closed_as = 'won'",
            "WHERE o.closed_as = 'won' AND o.opportunity_id <> 'salesforce:006Bk0000000010AAA'",
            1,
        )
    });
    project
        .edit("scorebook.toml", |text| text.replacen("name = \"Alderbrook Instruments\"", "name = \"Alderbrook\"", 1));
    project.run(&[]);
    let said = compared(&project, &[]);
    let changed = json!([
        { "change": "changed", "path": "queries/metrics/outcome/bookings.sql" },
        { "change": "changed", "path": "scorebook.toml" }
    ]);
    assert_eq!(said["basis"]["definitions"], changed);
    let name = json!([{ "name": "company.name", "before": "\"Alderbrook Instruments\"", "after": "\"Alderbrook\"" }]);
    assert_eq!(said["basis"]["settings"], name);
    assert_eq!((&said["records"], &said["basis"]["exports"]), (&json!([]), &json!([])));
    let told: BTreeSet<Key> = said["scores"].as_array().unwrap().iter().map(key_of).collect();
    assert_eq!(told, differing(&project, "1", "2"));
    let bookings = said["scores"].as_array().unwrap().iter().find(|score| score["metric"] == "bookings").unwrap();
    assert_eq!(bookings["facts"].as_array().unwrap().len(), 1);
    assert_eq!(bookings["facts"][0]["change"], "gone");
    assert_eq!(bookings["facts"][0]["before"][0], "22100");
    assert!(facts_explain_their_scores(&said, &[], &["bookings"]) > 5);
}

/// The rows of an export by their first column, in the columns that the model reads.
fn deals(path: &Path) -> BTreeMap<String, Vec<String>> {
    let unread = ["LastModifiedDate", "IsClosed", "IsWon", "Description"];
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let head = reader.headers().unwrap().clone();
    let mut deals = BTreeMap::new();
    for row in reader.records().map(Result::unwrap) {
        let cells = head.iter().zip(row.iter()).filter(|(name, _)| !unread.contains(name));
        // Of a record that stands twice the first counts.
        deals.entry(row[0].to_owned()).or_insert_with(|| cells.map(|(_, cell)| cell.to_owned()).collect());
    }
    deals
}

#[test]
fn the_sample_s_third_night_changes_the_deals_that_its_exports_change() {
    let project = Project::sample().formats(r#"["csv"]"#);
    let later = project.path("third");
    for source in ["salesforce", "hubspot", "operations"] {
        let night = project.path("sample_data").join(source).join(LAST_NIGHT);
        copy(&night, &later.join(source));
        std::fs::remove_dir_all(night).unwrap();
    }
    project.run(&[]);
    for source in ["salesforce", "hubspot", "operations"] {
        copy(&later.join(source), &project.path("sample_data").join(source).join(LAST_NIGHT));
    }
    project.run(&[]);

    let metrics = ["bookings", "open_pipeline", "calls_made", "win_rate"].into_iter();
    let said = compared(&project, &metrics.flat_map(|metric| ["--metric", metric]).collect::<Vec<_>>());
    let export = |night: &str| deals(&project.path(&format!("sample_data/salesforce/{night}/Opportunity.csv")));
    let (before, after) = (export(NIGHTS[1]), export(LAST_NIGHT));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: BTreeSet<String> = ids.into_iter().filter(|id| before.get(*id) != after.get(*id)).cloned().collect();
    assert!(changed.len() > 10, "{changed:?}");
    let table = said["records"].as_array().unwrap().iter().find(|table| table["table"] == "opportunities").unwrap();
    let (mut told, mut deleted) = (BTreeSet::new(), 0);
    for row in table["rows"].as_array().unwrap() {
        let Some(id) = row["key"][0].as_str().unwrap().strip_prefix("salesforce:") else { continue };
        // An open deal in another currency is worth what its money is worth on the run's day.
        let columns = row["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap());
        if columns.collect::<Vec<_>>() == ["amount"] {
            continue;
        }
        told.insert(id.to_owned());
        let change = match (before.contains_key(id), after.contains_key(id)) {
            (false, true) => "new",
            _ if row["change"] == "gone" => "gone",
            _ => "changed",
        };
        assert_eq!(row["change"], change, "{row:#}");
        // The export row that it names is the deal's; of a deal that was deleted it says so.
        let path = project.path(row["after"]["export"].as_str().unwrap());
        let number = usize::try_from(row["after"]["row"].as_u64().unwrap()).unwrap();
        let mut reader = csv::Reader::from_path(path).unwrap();
        let flag = reader.headers().unwrap().iter().position(|name| name == "IsDeleted").unwrap();
        let record = reader.byte_records().nth(number - 1).unwrap().unwrap();
        assert_eq!(&record[0], id.as_bytes());
        let is_deleted = row["why"] == "deleted";
        assert_eq!((change == "gone", &record[flag] == b"1"), (is_deleted, is_deleted), "{row:#}");
        deleted += usize::from(is_deleted);
    }
    assert!(deleted > 0, "no deal was deleted");
    assert_eq!(told, changed);

    // All scores; the facts are only looked at of those above.
    let csv = project.scorebook(&["compare", "--format", "csv"]).expect_code(0).stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let key = |row: csv::StringRecord| [0, 1, 2, 4, 6, 7, 8].map(|i| row[i].to_owned()).to_vec();
    let told: BTreeSet<Key> = reader.records().map(Result::unwrap).map(key).collect();
    assert_eq!(told, differing(&project, "1", "2"));
    let explained = facts_explain_their_scores(&said, &["calls_made"], &["bookings", "open_pipeline"]);
    assert!(explained > 500, "{explained}");
}
