//! The independent calculation against tiny exports whose scores were worked out by hand.

use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

use super::SOURCES;
use super::csv::records;
use super::facts::Aggregate;
use super::numbers::{CENT, ONE, decimal, to_cents};
use super::people::LEVELS;
use super::periods::{GRAINS, Period};
use super::rows::{date as read_date, timestamp};
use super::scores::{Line, Scores};
use super::sums::{Number, Sum, What};

/// Nights of exports in a temporary folder. Columns that a test does not write are there, and empty.
struct Exports {
    folder: tempfile::TempDir,
    nights: Vec<&'static str>,
    source: &'static str,
}

const STAGES: &[&str] =
    &["Proposal,4,60,", "Closed Won,6,100,won", "Closed Lost,6,0,lost", "Closed Duplicate,6,0,duplicate"];
const OPPORTUNITY: &str =
    "Id,AccountId,StageName,Amount,Probability,CloseDate,Type,OwnerId,Competitor__c,CreatedDate,IsDeleted";
const TASK: &str = "Id,OwnerId,Status,ActivityDate,TaskSubtype,CallType,CreatedDate,IsDeleted";

/// What each export has besides.
const COLUMNS: &[(&str, &str)] = &[
    ("User", "Name,Email"),
    ("Account", "Name,Website,Segment__c,Industry,BillingCountry,OwnerId,CreatedDate"),
    (
        "Opportunity",
        "LeadSource,Loss_Reason__c,ForecastCategoryName,NextStep,CurrencyIsoCode,Sourced_By__c,HubSpot_Deal_Id__c",
    ),
    ("OpportunityHistory", "CurrencyIsoCode"),
    ("Task", "CompletedDateTime,AccountId,WhatId,WhoId,Purpose__c,CallDisposition"),
    ("stages", "common_stage"),
    ("assignments", "role"),
];

impl Exports {
    /// One night with the stages, two teams of one region, and reps A and B, in team T1 for ever.
    fn new() -> Exports {
        let folder = tempfile::tempdir().unwrap();
        let mut exports = Exports { folder, nights: Vec::new(), source: "salesforce" };
        exports.night("2026-09-29");
        exports.table("stages", "stage_name,position,probability,closed_as", STAGES);
        exports.table("teams", "team_id,level,parent_team_id", &["T1,team,R", "T2,team,R", "R,region,"]);
        exports.users(&["A,2020-01-01,", "B,,"]);
        exports.assignments(&["A,T1,2020-01-01,", "B,T1,2020-01-01,"]);
        exports
    }

    fn night(&mut self, name: &'static str) {
        for source in SOURCES {
            std::fs::create_dir_all(self.folder.path().join(source).join(name)).unwrap();
        }
        self.nights.push(name);
    }

    /// A file of the newest night.
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(self.source).join(self.nights.last().unwrap()).join(format!("{name}.csv"))
    }

    /// Writes a table of the newest night, every value quoted. No value of these tests holds a comma.
    fn table(&self, name: &str, header: &str, rows: &[&str]) {
        let more: Vec<&str> = COLUMNS.iter().find(|(table, _)| *table == name).map_or(Vec::new(), |(_, more)| {
            more.split(',').filter(|column| !header.split(',').any(|own| own == *column)).collect()
        });
        let quote = |cells: &mut dyn Iterator<Item = &str>| {
            cells.map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",")
        };
        let mut text = quote(&mut header.split(',').chain(more.iter().copied())) + "\n";
        for row in rows {
            text += &(quote(&mut row.split(',').chain(more.iter().map(|_| ""))) + "\n");
        }
        std::fs::write(self.file(name), text).unwrap();
    }

    fn users(&self, rows: &[&str]) {
        self.table("User", "Id,Hired_On__c,Left_On__c", rows);
    }

    fn assignments(&self, rows: &[&str]) {
        self.table("assignments", "user_id,team_id,starts_on,ends_on", rows);
    }

    fn opportunities(&self, rows: &[&str]) {
        self.table("Opportunity", OPPORTUNITY, rows);
    }

    fn quotas(&self, rows: &[&str]) {
        self.table("quotas", "quota_id,user_id,metric,starts_on,ends_on,amount", rows);
    }

    fn history(&self, rows: &[&str]) {
        self.table("OpportunityHistory", "Id,OpportunityId,StageName,Amount,CloseDate,CreatedDate", rows);
    }

    fn tasks(&self, rows: &[&str]) {
        self.table("Task", TASK, rows);
    }

    /// The scores as of 30 September 2026.
    fn scores(&self) -> Scores<'static> {
        self.scores_of(date(2026, 9, 30))
    }

    fn scores_of(&self, as_of: Date) -> Scores<'static> {
        let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/metrics");
        Scores::read(self.folder.path(), &self.nights, as_of, &definitions)
    }
}

impl Scores<'_> {
    /// `place` as `rep salesforce:A`, `period` as `month 2026-09-01`.
    fn get(&self, metric: &str, place: &str, period: &str) -> Line {
        self.slice(metric, place, period, "", "")
    }

    fn slice(&self, metric: &str, place: &str, period: &str, slice: &str, slice_value: &str) -> Line {
        let (level, entity) = place.split_once(' ').unwrap();
        let (grain, start) = period.split_once(' ').unwrap();
        let known = self.company().people.all_entities();
        assert!(known.contains(&(level.to_owned(), entity.to_owned())), "{place} is no entity");
        let level = LEVELS.iter().position(|name| *name == level).unwrap();
        let grain = GRAINS.into_iter().find(|name| *name == grain).unwrap();
        let period = Period { grain, start: start.parse().unwrap() };
        assert!(self.is_scored(period), "{period:?} is not scored");
        self.line(metric, &(level, entity.to_owned()), period, &(slice.to_owned(), slice_value.to_owned()), What::Own)
    }

    fn cents(&self, metric: &str, place: &str, period: &str) -> i128 {
        cents(self.get(metric, place, period))
    }
}

/// An exact number in hundredths.
fn cents(line: Line) -> i128 {
    match line.value {
        Some(Number::Exact(number)) => number / CENT,
        other => panic!("{other:?} is not exact"),
    }
}

fn number(line: Line) -> f64 {
    line.value.unwrap().to_f64()
}

const SEPTEMBER: &str = "month 2026-09-01";
const COMPANY: &str = "company company";

/// Both sides of a ratio.
fn sides(line: &Line) -> (i128, i128) {
    line.sides.map_or((0, 0), |(above, below)| (above / ONE, below / ONE))
}

#[test]
fn a_months_deals() {
    let exports = Exports::new();
    exports.opportunities(&[
        "6a,,Closed Won,100.10,100,2026-09-01,New Customer,A,Rival,2026-08-30 22:30:00,0", // 31 August in Berlin: 1 day
        "6b,,Closed Won,200.2,100,2026-09-30,Existing Customer - Renewal,A,,2026-09-20 08:00:00,0", // 10 days
        "6c,,Closed Won,,100,2026-09-10,,gone,,2026-09-20 08:00:00,0", // closed before created; nobody's
        "6d,,Closed Lost,5,0,2026-09-10,New Customer,A,,2026-09-01 08:00:00,0",
        "6e,,Closed Duplicate,5,0,2026-09-10,New Customer,A,,2026-09-01 08:00:00,0",
        "6f,,Closed Won,7,100,2026-10-01,New Customer,A,,2026-09-01 08:00:00,0", // the next month
        "6g,,Closed Won,12.500.00,100,2026-09-10,,A,,2026-09-01 08:00:00,0",     // no plain decimal
        "6h,,Closed Won,9,100,2026-09-10,,A,,2026-09-01 08:00:00,1",             // deleted
        "6a,,Closed Won,9,100,2026-09-10,,A,,2026-09-01 08:00:00,0",             // its key stands already
        "6i,,Closed Won,9,100,,,A,,2026-09-01 08:00:00,0",                       // a required cell is empty
    ]);
    let scores = exports.scores();
    let rep = scores.get("bookings", "rep salesforce:A", SEPTEMBER);
    assert_eq!((cents(rep), rep.n, rep.target), (30030, 2, None));
    assert_eq!(scores.get("bookings", "rep unassigned", SEPTEMBER).n, 1);
    assert_eq!(scores.get("bookings", "region unassigned", SEPTEMBER).n, 1);
    assert_eq!(scores.get("bookings", COMPANY, SEPTEMBER).n, 3);
    assert_eq!(scores.cents("bookings", COMPANY, "year 2026-01-01"), 30730);
    assert_eq!(scores.cents("bookings", COMPANY, "month 2026-08-01"), 0);
    let renewals = scores.slice("bookings", COMPANY, SEPTEMBER, "kind", "renewal");
    assert_eq!((cents(renewals), renewals.n), (20020, 1));
    assert_eq!(scores.slice("bookings", COMPANY, SEPTEMBER, "kind", "(none)").n, 1);
    // Won 6a and 6c, lost 6d; neither the renewal nor the duplicate counts.
    assert_eq!(sides(&scores.get("win_rate", COMPANY, SEPTEMBER)), (2, 3));
    assert_eq!(sides(&scores.get("win_rate", "rep salesforce:A", SEPTEMBER)), (1, 2));
    assert_eq!(sides(&scores.slice("win_rate", COMPANY, SEPTEMBER, "competitor", "(none)")), (1, 2));
    assert_eq!(sides(&scores.slice("win_rate", COMPANY, SEPTEMBER, "competitor", "Rival")), (1, 1));
    let cycle = scores.get("sales_cycle_days", COMPANY, SEPTEMBER);
    assert_eq!((number(cycle), cycle.n), (5.5, 2));
    assert_eq!(scores.get("sales_cycle_days", "rep salesforce:B", SEPTEMBER).value, None);
}

#[test]
fn a_mover_counts_in_each_team_for_their_days() {
    let exports = Exports::new();
    exports.assignments(&["A,T1,2020-01-01,2026-09-15", "A,T2,2026-09-16,2026-09-28"]);
    exports.opportunities(&[
        "6a,,Closed Won,10,100,2026-09-15,,A,,2026-09-01 08:00:00,0",
        "6b,,Closed Won,20,100,2026-09-16,,A,,2026-09-01 08:00:00,0",
        "6c,,Closed Won,40,100,2026-09-29,,A,,2026-09-01 08:00:00,0",
    ]);
    // September 2026 has 22 working days: 11 up to the 15th, 9 from the 16th to the 28th, 2 without a team.
    exports.quotas(&["q,A,bookings,2026-09-01,2026-09-30,220"]);
    let scores = exports.scores();
    let line = |place: &str| {
        let line = scores.get("bookings", place, SEPTEMBER);
        (cents(line), line.target.unwrap() / CENT)
    };
    assert_eq!(line("team salesforce:T1"), (1000, 11000));
    assert_eq!(line("team salesforce:T2"), (2000, 9000));
    assert_eq!(line("team unassigned"), (4000, 2000));
    assert_eq!(line("region salesforce:R"), (3000, 20000));
    assert_eq!(line("region unassigned"), (4000, 2000));
    // After the last assignment they are gone: nothing is theirs.
    assert_eq!(line("rep salesforce:A"), (3000, 20000));
    assert_eq!(line("rep unassigned"), (4000, 2000));
    assert_eq!(line(COMPANY), (7000, 22000));
    let attained = scores.get("quota_attainment", "team salesforce:T1", SEPTEMBER);
    assert!((number(attained) - 1.0 / 11.0).abs() < 1e-12);
    assert_eq!((attained.n, attained.target), (1, None));
    // The rep stands once, where they were on the measuring day: in no team.
    assert_eq!(sides(&scores.get("reps_at_quota", "team unassigned", SEPTEMBER)), (0, 1));
    assert_eq!(sides(&scores.get("reps_at_quota", "team salesforce:T2", SEPTEMBER)), (0, 0));
    assert_eq!(scores.get("reps_at_quota", "team salesforce:T2", SEPTEMBER).value, None);
}

#[test]
fn a_quota_spreads_to_the_cent() {
    let exports = Exports::new();
    exports.quotas(&[
        // Wednesday 30 September to Friday 2 October, the day before the next start: 33.34, 33.34, 33.33.
        "q1,A,bookings,2026-09-30,,100.01",
        "q2,A,bookings,2026-10-03,2026-10-31,1",
        "q3,A,units_sold,2026-09-01,2026-09-30,1000",
        "q4,nobody,bookings,2026-09-01,2026-09-30,1000",
        "q5,B,bookings,2026-07-01,,1000", // no end, no next start
        "q6,B,bookings,2026-08-03,later,1000",
    ]);
    let scores = exports.scores_of(date(2026, 10, 5));
    let target = |place: &str, period: &str| scores.get("bookings", place, period).target.map(|target| target / CENT);
    assert_eq!(target("rep salesforce:A", SEPTEMBER), Some(3334));
    assert_eq!(target("rep salesforce:A", "month 2026-10-01"), Some(6667 + 100));
    assert_eq!(target("rep salesforce:A", "quarter 2026-07-01"), Some(3334));
    assert_eq!(target(COMPANY, "year 2026-01-01"), Some(10101));
    assert_eq!(target("rep salesforce:B", "year 2026-01-01"), None);
    assert_eq!(target("rep unassigned", "year 2026-01-01"), None);
    let attained = scores.get("quota_attainment", "rep salesforce:A", SEPTEMBER);
    assert_eq!((number(attained), attained.n), (0.0, 0));
    let without = scores.get("quota_attainment", "rep salesforce:B", SEPTEMBER);
    assert_eq!(without.value, None);
}

#[test]
fn a_ramping_rep_stands_apart() {
    let exports = Exports::new();
    exports.users(&["A,2026-03-01,", "B,2026-03-02,", "C,,"]);
    exports.assignments(&["A,T1,2020-01-01,", "B,T1,2020-01-01,", "C,T2,2020-01-01,"]);
    exports.quotas(&[
        "q1,A,bookings,2026-09-01,2026-09-30,100",
        "q2,B,bookings,2026-09-01,2026-09-30,100",
        "q3,C,bookings,2026-09-01,2026-09-30,70",
    ]);
    exports.opportunities(&[
        "6a,,Closed Won,70,100,2026-09-15,,A,,2026-09-01 08:00:00,0",
        "6b,,Closed Won,70,100,2026-09-15,,B,,2026-09-01 08:00:00,0",
        "6c,,Closed Won,70,100,2026-09-15,,C,,2026-09-01 08:00:00,0",
    ]);
    let scores = exports.scores();
    let both = |place: &str, period: &str| {
        let ramping = scores.slice("reps_at_quota", place, period, "ramp", "ramping");
        (sides(&scores.get("reps_at_quota", place, period)), sides(&ramping))
    };
    // A's six months end on the month's first day, B's one day later: 70 of 100 is enough for B alone.
    assert_eq!(both("team salesforce:T1", SEPTEMBER), ((0, 1), (1, 1)));
    assert_eq!(both("team salesforce:T2", SEPTEMBER), ((1, 1), (0, 0)));
    assert_eq!(both(COMPANY, SEPTEMBER), ((1, 2), (1, 1)));
    assert_eq!(both("region salesforce:R", "quarter 2026-07-01"), ((1, 1), (2, 2)));
}

#[test]
fn a_customer_is_the_ultimate_parent() {
    let exports = Exports::new();
    exports.table(
        "Account",
        "Id,ParentId,IsDeleted",
        &["top,elsewhere,0", "middle,top,0", "leaf,middle,0", "other,lost,0", "lost,top,1", "x,y,0", "y,x,0"],
    );
    exports.opportunities(&[
        "6b,leaf,Closed Won,1,100,2026-09-02,,A,,2026-08-01 08:00:00,0",
        "6a,top,Closed Won,1,100,2026-09-02,,B,,2026-08-01 08:00:00,0", // the same customer and day, a smaller id
        "6c,middle,Closed Won,1,100,2026-09-03,,A,,2026-08-01 08:00:00,0",
        "6d,leaf,Closed Lost,1,0,2026-08-03,,A,,2026-08-01 08:00:00,0",
        "6e,other,Closed Won,1,100,2026-09-04,,A,,2026-08-01 08:00:00,0", // its parent is deleted: a customer itself
        "6f,lost,Closed Won,1,100,2026-09-04,,A,,2026-08-01 08:00:00,0",  // a deleted account
        "6g,,Closed Won,1,100,2026-09-04,,A,,2026-08-01 08:00:00,0",
        "6h,y,Closed Won,1,100,2026-09-05,,B,,2026-08-01 08:00:00,0", // two accounts, each the other's parent
        "6i,x,Closed Won,1,100,2026-09-06,,A,,2026-08-01 08:00:00,0",
    ]);
    let scores = exports.scores();
    let count = |place: &str| scores.cents("new_customers", place, SEPTEMBER) / 100;
    assert_eq!((count("rep salesforce:A"), count("rep salesforce:B"), count(COMPANY)), (1, 2, 3));
}

#[test]
fn the_pipeline_stood_as_its_last_version_of_a_day() {
    let mut exports = Exports::new();
    let open = |id: &str, owner: &str| format!("{id},,Proposal,900,50,2026-12-01,,{owner},,2026-07-01 08:00:00,0");
    let closed = "6c,,Closed Won,800,100,2026-08-31,,B,,2026-07-31 22:00:00,0"; // open from 1 August to the 30th
    let at_once = "6d,,Closed Won,800,100,2026-08-31,,B,,2026-08-31 08:00:00,0";
    exports.opportunities(&[&open("6a", "A"), &open("6b", "gone"), closed, at_once]);
    exports.history(&[
        "8a,6a,Proposal,100,,2026-07-10 08:00:00",
        "8b,6a,Proposal,200,,2026-07-31 08:00:00", // the same Berlin day as 8c
        "8c,6a,Proposal,300,,2026-07-31 21:59:58",
        "8z,6a,Proposal,300,,2026-07-31 21:59:58", // the same moment, and the later id
        "8d,6a,Proposal,400,,2026-07-31 22:00:00", // 1 August in Berlin
        "8e,6a,Closed Lost,400,,2026-09-15 08:00:00",
        "8f,6a,Proposal,500,,2026-09-28 08:00:00",
        "8g,unknown,Proposal,500,,2026-09-28 08:00:00",
        "8h,6a,Proposal,1e3,,2026-09-28 09:00:00", // quarantined
        "8i,6a,Proposal,700,,2026-09-29 08:00:00", // from the first night on the nights say how deals stand
    ]);
    exports.night("2026-09-30");
    exports.history(&["8d,6a,Proposal,450,,2026-07-31 22:00:00"]); // seen before: the newest night wins
    let scores = exports.scores();
    let rep = |period| scores.cents("open_pipeline", "rep salesforce:A", period);
    assert_eq!([rep("month 2026-06-01"), rep("month 2026-07-01"), rep("month 2026-08-01")], [0, 30000, 45000]);
    assert_eq!([rep("week 2026-09-14"), rep("week 2026-09-21")], [0, 0]);
    assert_eq!([rep(SEPTEMBER), rep("quarter 2026-07-01"), rep("year 2026-01-01")], [90000; 3]);
    assert_eq!(scores.cents("open_pipeline", "rep salesforce:B", "month 2026-07-01"), 0);
    assert_eq!(scores.cents("open_pipeline", "rep unassigned", "month 2026-07-01"), 90000);
    assert_eq!(scores.cents("open_pipeline", COMPANY, SEPTEMBER), 180_000);
    // 6c closed on 31 August, the measuring day: up to it, not including it.
    assert_eq!(scores.cents("open_pipeline", COMPANY, "month 2026-08-01"), 135_000);
    let middle_of_august = exports.scores_of(date(2026, 8, 30));
    assert_eq!(middle_of_august.cents("open_pipeline", "rep salesforce:B", "month 2026-08-01"), 80000);
    assert_eq!(middle_of_august.get("open_pipeline", COMPANY, "month 2026-08-01").n, 3);
    let on_the_28th = exports.scores_of(date(2026, 9, 28));
    assert_eq!(on_the_28th.cents("open_pipeline", "rep salesforce:A", SEPTEMBER), 50000);
}

#[test]
fn a_deal_belongs_to_who_had_it_then() {
    let mut exports = Exports::new();
    let deal = |id: &str, stage: &str, owner: &str, amount: u32| {
        format!("{id},,{stage},{amount},50,2026-09-20,,{owner},,2026-07-01 08:00:00,0")
    };
    let nights = |exports: &Exports, owner: &str, more: &[&str]| {
        let (won, open) = (deal("6w", "Closed Won", "B", 10), deal("6o", "Proposal", owner, 100));
        exports.opportunities(&[&[won.as_str(), &open], more].concat());
    };
    nights(&exports, "A", &[&deal("6x", "Proposal", "A", 7)]);
    exports.history(&[
        "8a,6w,Proposal,10,,2026-07-01 08:00:00",
        "8b,6w,Closed Won,10,,2026-09-20 08:00:00",
        "8c,6o,Proposal,100,,2026-07-01 08:00:00",
        "8d,6x,Proposal,7,,2026-07-01 08:00:00",
    ]);
    let changes = [
        "9a,6w,Owner,A,B,2026-09-20 09:00:00",
        "9b,6o,Owner,B,A,2026-08-10 09:00:00",
        "9c,6o,Name,x,y,2026-08-11 09:00:00",
    ];
    exports.table("OpportunityFieldHistory", "Id,OpportunityId,Field,OldValue,NewValue,CreatedDate", &changes);
    exports.night("2026-09-30");
    nights(&exports, "B", &[]);
    let scores = exports.scores();
    // Won by A, though B has had it since an hour later.
    assert_eq!(scores.cents("bookings", "rep salesforce:A", SEPTEMBER), 1000);
    assert_eq!(scores.cents("bookings", "rep salesforce:B", SEPTEMBER), 0);
    let open = |rep, period| scores.cents("open_pipeline", rep, period);
    assert_eq!(open("rep salesforce:B", "month 2026-07-01"), 10000);
    assert_eq!(open("rep salesforce:A", "month 2026-07-01"), 1700);
    assert_eq!(open("rep salesforce:A", "month 2026-08-01"), 11700);
    assert_eq!([open("rep salesforce:A", SEPTEMBER), open("rep salesforce:B", SEPTEMBER)], [0, 10000]);
    // 6o came to A in August and went in the second night; 6x was deleted then.
    let change = |rep, period| scores.cents("pipeline_change", rep, period);
    assert_eq!(change("rep salesforce:A", "month 2026-08-01"), 10000);
    assert_eq!(change("rep salesforce:A", SEPTEMBER), -11700);
    let movement = |name| cents(scores.slice("pipeline_change", COMPANY, SEPTEMBER, "movement", name));
    assert_eq!([movement("deleted"), movement("handed over"), movement("won")], [-700, 0, -1000]);
}

#[test]
fn a_deleted_task_is_gone() {
    let mut exports = Exports::new();
    let call = |id: &str, night: &str| format!("{id},A,Completed,2026-09-28,Call,Outbound,2026-09-28 {night},0");
    exports.tasks(&[
        &call("Ta", "08:00:00"),
        &call("Tb", "08:00:00"),
        &call("Tc", "08:00:00"),
        "Td,A,Completed,2026-09-28,Call,Inbound,2026-09-28 08:00:00,0",
        "Te,A,Completed,2026-09-28,Email,Outbound,2026-09-28 08:00:00,0",
        "Tf,A,Open,2026-09-28,Call,Outbound,2026-09-28 08:00:00,0",
        &call("Tg", "late"),
    ]);
    exports.night("2026-09-30");
    exports.tasks(&[
        "Ta,A,Completed,2026-09-28,Call,Outbound,2026-09-28 08:00:00,1",
        "Tb,B,Completed,2026-10-28,Call,Outbound,2026-09-28 08:00:00,0", // changed: another owner, a later month
        "Tc,B,Completed,28.9.2026,Call,Outbound,2026-09-28 08:00:00,0",  // quarantined: the older row stands
    ]);
    let scores = exports.scores();
    assert_eq!(scores.get("calls_made", "rep salesforce:A", SEPTEMBER).n, 1);
    assert_eq!(scores.get("calls_made", COMPANY, SEPTEMBER).n, 1);
    // After as_of, yet within the year of it.
    assert_eq!(scores.get("calls_made", "rep salesforce:B", "year 2026-01-01").n, 1);
    assert_eq!(scores.get("calls_made", "team salesforce:T1", "year 2026-01-01").n, 2);
}

#[test]
fn records_are_rejected_alone() {
    let read = |text: &[u8]| records(text).read.into_iter().map(|cells| cells.join("|")).collect::<Vec<_>>();
    assert_eq!(read(b"a,b\r\n\"1\",\"x \"\"y\"\"\nz\"\n\"\",2"), ["a|b", "1|x \"y\"\nz", "|2"]);
    assert_eq!(read(b"a,b\n\"1\",\"x \"y\" z\"\n3,4\n"), ["a|b", "3|4"]);
    // The first line of the broken record alone is rejected; the second is a record of its own.
    assert_eq!(read(b"a,b\n\"1\nlost\",\"x\" y\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n\"1,2\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n1,x\"y\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n\xFF,2\n3,4\n"), ["a|b", "3|4"]);

    let exports = Exports::new();
    let people = "\u{FEFF}Id,Name,Email,Hired_On__c,Left_On__c\nA,,,,\nB,\nC,,,,,\nD,,,,\n";
    std::fs::write(exports.file("User"), people).unwrap();
    let entities = exports.scores().company().people.all_entities();
    let reps: Vec<_> = entities.iter().filter(|(level, _)| level == "rep").map(|(_, name)| name.as_str()).collect();
    assert_eq!(reps, ["salesforce:A", "salesforce:D", "unassigned"]);
}

#[test]
fn cells_are_read_literally() {
    let cents = |text| decimal(text).map(|number| to_cents(number) / CENT);
    assert_eq!(["12", "-0.5", "+1.005", "1.004", "7.1"].map(cents), [1200, -50, 101, 100, 710].map(Some));
    assert_eq!(["12.500,00", "1.", ".5", "-", "1e3", " 1", "EUR 5", "1.2.3"].map(cents), [None; 8]);
    assert_eq!(read_date("2026-09-30 00:00:00"), Some(date(2026, 9, 30)));
    assert_eq!(["2026-09-31", "2026-9-30", "30.09.2026", "2026-09-30 08:00:00"].map(read_date), [None; 4]);
    assert!(timestamp("2026-09-30 08:00:00").is_some());
    assert!(["2026-09-30", "2026-09-30T08:00:00", "2026-09-30 25:00:00"].map(timestamp).iter().all(Option::is_none));
    let of = |aggregate: Aggregate, values: &[i128]| {
        let mut sum = Sum::default();
        values.iter().for_each(|value| sum.add(aggregate, "", value * ONE, ONE));
        sum.value(aggregate).map(Number::to_f64)
    };
    let median = |values: &[i128]| of(Aggregate::Median, values);
    assert_eq!([median(&[4, 1, 3]), median(&[4, 1, 3, 2]), median(&[])], [Some(3.0), Some(2.5), None]);
    let upper = |values: &[i128]| of(Aggregate::Percentile(9000), values);
    assert_eq!([upper(&[100, 1, 10, 4]), upper(&[7]), upper(&[])], [Some(73.0), Some(7.0), None]);
}
