//! The sample as its readers find it: the files parsed again, and nothing of what made them.

use crate::domain::digest::Digest;
use crate::sample::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

type Files = BTreeMap<String, Vec<u8>>;

fn files(options: &Options) -> Files {
    let mut files = Files::new();
    let written = generate(options, &mut |path, bytes| {
        assert!(files.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} is written twice");
        Ok(())
    });
    written.unwrap();
    files
}

static DEFAULT: LazyLock<Files> = LazyLock::new(|| files(&Options::default()));

/// A row's cells by column.
type Row = BTreeMap<String, String>;

const NIGHT: &str = "2026-09-30";
const NIGHTS: [&str; 3] = ["2026-09-28", "2026-09-29", NIGHT];

/// A file's records: those that can be read, and how many cannot.
fn rows(night: &str, table: &str) -> (Vec<Row>, usize) {
    rows_of("salesforce", night, table)
}

fn rows_of(source: &str, night: &str, table: &str) -> (Vec<Row>, usize) {
    let bytes = &DEFAULT[&format!("{source}/{night}/{table}.csv")][..];
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    let (mut rows, mut rejected) = (Vec::new(), 0);
    for record in reader.byte_records().map(|record| record.unwrap()) {
        match csv::StringRecord::from_byte_record(record) {
            Ok(record) if record.len() == header.len() => {
                rows.push(header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect());
            }
            _ => rejected += 1,
        }
    }
    (rows, rejected)
}

fn ids(rows: &[Row]) -> BTreeSet<&str> {
    rows.iter().map(|row| &*row["Id"]).collect()
}

/// The deals that can be read as what they are, and how many cannot.
fn deals(night: &str) -> (Vec<Row>, usize) {
    let (mut deals, _) = rows(night, "Opportunity");
    let (all, mut seen) = (deals.len(), BTreeSet::new());
    let readable = |text: &str| text.is_empty() || text.parse::<f64>().is_ok();
    deals.retain(|deal| {
        readable(&deal["Amount"])
            && deal["CloseDate"].parse::<jiff::civil::Date>().is_ok()
            && seen.insert(deal["Id"].clone())
    });
    let kept = deals.len();
    (deals, all - kept)
}

fn histories() -> BTreeMap<String, Vec<Row>> {
    let mut steps: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for night in NIGHTS {
        for row in rows(night, "OpportunityHistory").0 {
            steps.entry(row["OpportunityId"].clone()).or_default().push(row);
        }
    }
    steps
}

fn digest(files: &Files) -> String {
    let all: Vec<u8> = files.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes].concat()).collect();
    Digest::of(&all).to_string()
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let small = Options { reps: 6, months: 5, activities: 3, seed: 2 };
    assert_eq!(digest(&files(&small)), digest(&files(&small)));
    assert_ne!(digest(&files(&small)), digest(&files(&Options { seed: 3, ..small })));
}

/// The sample is committed, and its figures stand in tests and texts: to change a byte of it is a decision.
#[test]
fn the_default_sample_is_what_it_was() {
    assert_eq!(digest(&DEFAULT), "5b8b2507f3cdc86b92e687fdce23c1079cbc9ff510f37652f869f9f72ad89a2a");
}

#[test]
fn the_default_sample_is_small() {
    assert!(DEFAULT.values().map(Vec::len).sum::<usize>() < 9_000_000);
}

#[test]
fn one_rep_more_moves_nobody_elses_deals() {
    let small = Options { reps: 4, months: 3, activities: 1, seed: 9 };
    let (four, eight) = (files(&small), files(&Options { reps: 8, ..small }));
    let path = "salesforce/2026-09-30/OpportunityHistory.csv";
    let text = |files: &Files| String::from_utf8(files[path].clone()).unwrap();
    let lines = |files: &Files| text(files).lines().map(str::to_owned).collect::<BTreeSet<_>>();
    // A handful of deals are spoilt in other places: their owners are chosen modulo the number of reps.
    assert!(lines(&four).difference(&lines(&eight)).count() <= 4);
}

#[test]
fn a_sample_of_any_size_is_whole() {
    for (reps, months) in [(1, 1), (1, 30), (3, 2), (60, 3)] {
        let sample = files(&Options { reps, months, activities: 2, seed: 5 });
        assert_eq!(sample.len(), 93);
    }
    assert!(generate(&Options { reps: 0, ..Options::default() }, &mut |_, _| Ok(())).is_err());
}

#[test]
fn the_documented_faults_are_there_and_no_others() {
    let rejected = |night, table| rows(night, table).1;
    for (night, tasks) in [(NIGHTS[0], 1), (NIGHTS[1], 0), (NIGHT, 0)] {
        let others = FILES.iter().filter(|file| file.1 == "salesforce" && !["Account", "Task"].contains(&file.2));
        assert_eq!((rejected(night, "Account"), rejected(night, "Task")), (1, tasks));
        assert!(others.map(|file| file.2).all(|table| rejected(night, table) == 0));
        assert_eq!(deals(night).1, 3);
    }
    let (deals, _) = deals(NIGHT);
    let (accounts, steps) = (rows(NIGHT, "Account").0, histories());
    let accounts = ids(&accounts);
    let count = |fault: &dyn Fn(&Row) -> bool| deals.iter().filter(|deal| fault(deal)).count();
    assert_eq!(count(&|deal| !accounts.contains(&*deal["AccountId"])), 1);
    assert_eq!(count(&|deal| deal["Amount"].is_empty()), 1);
    assert_eq!(count(&|deal| deal["CloseDate"][..] < deal["CreatedDate"][..10]), 1);
    assert_eq!(count(&|deal| !steps.contains_key(&deal["Id"])), 1);
    assert_eq!(count(&|deal| deal["IsDeleted"] == "1"), 1);
    let users = rows(NIGHT, "User").0;
    let users = ids(&users);
    let strangers: BTreeSet<_> = deals.iter().map(|deal| &*deal["OwnerId"]).filter(|id| !users.contains(id)).collect();
    assert_eq!(strangers.len(), 1, "the house account");
    let (tasks, _) = rows(NIGHT, "Task");
    assert_eq!(tasks.iter().filter(|task| !users.contains(&*task["OwnerId"])).count(), 1);
    assert_eq!(tasks.iter().filter(|task| task["IsDeleted"] == "1").count(), 1);
}

#[test]
fn stages_flags_and_histories_agree() {
    let stages: BTreeMap<_, _> =
        rows(NIGHT, "stages").0.into_iter().map(|stage| (stage["stage_name"].clone(), stage)).collect();
    let steps = histories();
    let mut reopened = Vec::new();
    for deal in deals(NIGHT).0 {
        let stage = &stages[&deal["StageName"]];
        assert_eq!(deal["Probability"], stage["probability"]);
        assert_eq!(deal["IsClosed"] == "1", !stage["closed_as"].is_empty());
        assert_eq!(deal["IsWon"] == "1", stage["closed_as"] == "won");
        assert_eq!(deal["Loss_Reason__c"].is_empty(), stage["closed_as"] != "lost");
        let Some(steps) = steps.get(&deal["Id"]) else { continue };
        assert!(steps.is_sorted_by_key(|step| &step["CreatedDate"]));
        let moves_on = steps.is_sorted_by_key(|step| stages[&step["StageName"]]["position"].clone());
        reopened.extend((!moves_on).then(|| deal["Name"].clone()));
        assert_eq!(steps[0]["CreatedDate"], deal["CreatedDate"]);
        for column in ["StageName", "Amount", "CloseDate", "Probability"] {
            assert_eq!(steps[steps.len() - 1][column], deal[column], "{column} of {}", deal["Id"]);
        }
    }
    assert_eq!(reopened, ["Tallbergs cold chain"]);
}

#[test]
fn references_lead_somewhere() {
    for night in NIGHTS {
        let known = ["User", "Account", "Lead", "Opportunity", "Product2"].map(|table| rows(night, table).0);
        let known: BTreeSet<_> = known.iter().flat_map(|rows| ids(rows)).collect();
        let mut unknown = BTreeSet::new();
        let told =
            ["OpportunityHistory", "OpportunityFieldHistory", "OpportunityLineItem", "OpportunitySplit", "Quote"];
        for table in ["Account", "Lead", "Opportunity", "Task", "Event"].into_iter().chain(told) {
            for row in rows(night, table).0 {
                let columns = row.iter().filter(|(column, _)| column.ends_with("Id") && *column != "Id");
                unknown.extend(columns.map(|(_, id)| id.clone()).filter(|id| !id.is_empty() && !known.contains(&**id)));
            }
        }
        // The house account, the deal's unknown account, and on the second night the task's unknown owner.
        assert_eq!(unknown.len(), if night == NIGHT { 3 } else { 2 }, "{unknown:?}");
    }
}

#[test]
fn the_acquired_companys_records_lead_somewhere_but_for_two_faults() {
    let of = |table| rows_of("hubspot", NIGHT, table).0;
    let record_ids = |rows: &[Row]| rows.iter().map(|row| row["Record ID"].clone()).collect::<BTreeSet<_>>();
    let owners: BTreeSet<_> =
        of("owners").iter().map(|owner| format!("{} {}", owner["First Name"], owner["Last Name"])).collect();
    let (companies, deals) = (of("companies"), of("deals"));
    let (known, all) = (record_ids(&companies), record_ids(&deals));
    assert_eq!((known.len(), all.len()), (companies.len(), deals.len()), "a record stands twice");
    assert!(deals.iter().all(|deal| known.contains(&deal["Associated Company IDs (Primary)"])));
    assert_eq!(deals.iter().filter(|deal| deal["Amount"].parse::<f64>().is_err()).count(), 1);
    assert_eq!(deals.iter().filter(|deal| !owners.contains(&deal["Deal owner"])).count(), 1);
    assert!(of("line_items").iter().all(|line| all.contains(&line["Associated Deal ID"])));
    let elsewhere: Vec<_> = companies
        .iter()
        .map(|company| &company["Parent Company ID"])
        .filter(|parent| !parent.is_empty() && !known.contains(*parent))
        .collect();
    assert!(elsewhere.len() == 1 && elsewhere[0].starts_with("salesforce:001"), "{elsewhere:?}");
}

/// Lines add up to what their deal is worth.
#[test]
fn products_add_up_to_their_deals() {
    let mut newest: BTreeMap<String, Row> = BTreeMap::new();
    for night in NIGHTS {
        newest.extend(rows(night, "OpportunityLineItem").0.into_iter().map(|line| (line["Id"].clone(), line)));
    }
    let cents = |text: &str| (text.parse::<f64>().unwrap() * 100.0).round() as i64;
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for line in newest.values() {
        *sums.entry(&line["OpportunityId"]).or_default() += cents(&line["TotalPrice"]);
        assert!(cents(&line["UnitPrice"]) <= cents(&line["ListPrice"]), "{line:?}");
    }
    let (deals, _) = deals(NIGHT);
    let with_lines = deals.iter().filter(|deal| sums.contains_key(&*deal["Id"]));
    assert!(with_lines.clone().count() * 100 > deals.len() * 90);
    for deal in with_lines.filter(|deal| !deal["Amount"].is_empty()) {
        assert_eq!(sums[&*deal["Id"]], cents(&deal["Amount"]), "{}", deal["Name"]);
    }
}

/// What a comparison of the last two nights has to find, as sample_data/README.md tells it.
#[test]
fn the_last_night_brings_what_is_told() {
    let of = |night: &str| -> BTreeMap<String, Row> {
        deals(night).0.into_iter().map(|deal| (deal["Name"].clone(), deal)).collect()
    };
    let (before, after) = (of(NIGHTS[1]), of(NIGHT));
    let changed = |name: &str, column: &str| (before[name][column].clone(), after[name][column].clone());
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(changed("Tallbergs cold chain", "StageName"), pair("Closed Won", "Negotiation"));
    assert_eq!(changed("Mørkevold O₂ monitoring", "StageName"), pair("Negotiation", "Closed Won"));
    assert_eq!(changed("Mørkevold O₂ monitoring", "CloseDate"), pair("2026-10-09", "2026-08-28"));
    assert_eq!(changed("Quendorf turbidity line", "IsDeleted"), pair("0", "1"));
    assert_eq!(changed("Hallwyl gas sensors", "Amount"), pair("110000.0", "84000.0"));
    assert_eq!(changed("Arvelund cold chain", "CloseDate"), pair("2026-09-30", "2026-12-15"));
    let (from, to) = changed("Brückner & Tochter calibration", "OwnerId");
    assert_ne!(from, to);
    assert!(!before.contains_key("Kistrand data gateway") && after.contains_key("Kistrand data gateway"));
    assert_eq!(after["Pinecrest gas sensors"]["CurrencyIsoCode"], "USD");
    let splits = rows(NIGHT, "OpportunitySplit").0;
    let shares: Vec<_> = splits.iter().map(|split| (&*split["SplitPercentage"], &*split["SplitType"])).collect();
    assert_eq!(shares, [("60", "Revenue"), ("40", "Revenue"), ("100", "Overlay")]);
}

#[test]
fn the_second_night_knows_all_that_the_first_knew() {
    for table in ["User", "Account", "Lead", "Opportunity"] {
        let (before, after) = (rows("2026-09-29", table).0, rows(NIGHT, table).0);
        assert!(ids(&before).is_subset(&ids(&after)), "{table}");
    }
    for table in ["quotas", "teams", "assignments", "stages"] {
        assert_eq!(
            DEFAULT[&format!("salesforce/{}/{table}.csv", NIGHTS[1])],
            DEFAULT[&format!("salesforce/{NIGHT}/{table}.csv")]
        );
    }
    // What a night appends, or changes, was entered after the night before: 22 o'clock in UTC.
    for (table, column) in [("OpportunityHistory", "CreatedDate"), ("Task", "LastModifiedDate")] {
        let news = rows(NIGHT, table).0;
        assert!(
            news.iter()
                .all(|row| row[column][..] >= *"2026-09-29 22:00:00" && row[column][..] < *"2026-09-30 22:00:00")
        );
    }
}

#[test]
fn nobody_is_in_two_teams_on_a_day() {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for row in rows(NIGHT, "assignments").0 {
        if let Some(until) = last.insert(row["user_id"].clone(), row["ends_on"].clone()) {
            assert!(!until.is_empty() && until < row["starts_on"]);
        }
    }
    assert_eq!(last.len(), 28);
}

#[test]
fn groups_are_three_levels_high_somewhere() {
    let (accounts, _) = rows(NIGHT, "Account");
    let parents: BTreeMap<_, _> = accounts.iter().map(|account| (&*account["Id"], &*account["ParentId"])).collect();
    let grandparent = |id: &str| parents.get(parents.get(id)?).copied().filter(|id| !id.is_empty());
    assert!(accounts.iter().any(|account| grandparent(&account["Id"]).is_some()));
}
