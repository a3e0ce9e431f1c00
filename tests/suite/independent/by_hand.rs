//! The independent calculation against tiny exports whose scores were worked out by hand.

use std::path::PathBuf;

use jiff::civil::{Date, date};

use super::exports::{cents, date as read_date, records, timestamp};
use super::{Exact, Key, Line, Scores, calculate, median};

/// Nights of exports in a temporary folder. Only the columns that the definitions read are written.
struct Exports {
    folder: tempfile::TempDir,
    nights: Vec<PathBuf>,
}

const STAGES: &[&str] = &["Proposal,", "Closed Won,won", "Closed Lost,lost", "Closed Duplicate,duplicate"];
const OPPORTUNITY: &str =
    "Id,AccountId,StageName,Amount,Probability,CloseDate,Type,OwnerId,Competitor__c,CreatedDate,IsDeleted";
const TASK: &str = "Id,OwnerId,Status,ActivityDate,TaskSubtype,CallType,CreatedDate,IsDeleted";

impl Exports {
    /// One night with the stages, two teams of one region, and reps A and B, in team T1 for ever.
    fn new() -> Exports {
        let mut exports = Exports { folder: tempfile::tempdir().unwrap(), nights: Vec::new() };
        exports.night("2026-09-29");
        exports.table("stages", "stage_name,closed_as", STAGES);
        exports.table("teams", "team_id,level,parent_team_id", &["T1,team,R", "T2,team,R", "R,region,"]);
        exports.users(&["A,2020-01-01,", "B,,"]);
        exports.assignments(&["A,T1,2020-01-01,", "B,T1,2020-01-01,"]);
        exports
    }

    fn night(&mut self, name: &str) {
        let night = self.folder.path().join(name);
        std::fs::create_dir(&night).unwrap();
        self.nights.push(night);
    }

    /// Writes a table of the newest night, every value quoted. No value of these tests holds a comma.
    fn table(&self, name: &str, header: &str, rows: &[&str]) {
        let quote = |line: &str| line.split(',').map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(",");
        let lines = std::iter::once(&header).chain(rows).map(|line| quote(line) + "\n");
        std::fs::write(self.nights.last().unwrap().join(format!("{name}.csv")), lines.collect::<String>()).unwrap();
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
    fn scores(&self) -> Scores {
        calculate(&self.nights, date(2026, 9, 30))
    }
}

impl Scores {
    /// `place` as `rep salesforce:A`, `period` as `month 2026-09-01`.
    fn get(&self, metric: &str, place: &str, period: &str) -> Line {
        self.slice(metric, place, period, "", "")
    }

    fn slice(&self, metric: &str, place: &str, period: &str, slice: &str, slice_value: &str) -> Line {
        let (level, entity) = place.split_once(' ').unwrap();
        let (grain, start) = period.split_once(' ').unwrap();
        let (level, entity, grain) = (level.to_owned(), entity.to_owned(), grain.to_owned());
        assert!(self.entities.contains(&(level.clone(), entity.clone())), "{place} is no entity");
        let period_start: Date = start.parse().unwrap();
        assert!(self.periods.contains(&(grain.clone(), period_start)), "{period} is not scored");
        let (metric, slice, slice_value) = (metric.to_owned(), slice.to_owned(), slice_value.to_owned());
        self.at(&Key { metric, level, entity, grain, period_start, slice, slice_value })
    }

    fn cents(&self, metric: &str, place: &str, period: &str) -> i128 {
        self.get(metric, place, period).value.unwrap().cents()
    }
}

const SEPTEMBER: &str = "month 2026-09-01";
const COMPANY: &str = "company company";

/// Both sides of a ratio.
fn sides(line: &Line) -> (i128, i128) {
    let whole = |side: Option<Exact>| side.unwrap().cents() / 100;
    (whole(line.numerator), whole(line.denominator))
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
    assert_eq!((rep.value, rep.n, rep.target), (Some(Exact { numerator: 3003, denominator: 10 }), 2, None));
    assert_eq!(scores.get("bookings", "rep unassigned", SEPTEMBER).n, 1);
    assert_eq!(scores.get("bookings", "region unassigned", SEPTEMBER).n, 1);
    assert_eq!(scores.get("bookings", COMPANY, SEPTEMBER).n, 3);
    assert_eq!(scores.cents("bookings", COMPANY, "year 2026-01-01"), 30730);
    assert_eq!(scores.cents("bookings", COMPANY, "month 2026-08-01"), 0);
    let renewals = scores.slice("bookings", COMPANY, SEPTEMBER, "kind", "renewal");
    assert_eq!((renewals.value.unwrap().cents(), renewals.n), (20020, 1));
    assert_eq!(scores.slice("bookings", COMPANY, SEPTEMBER, "kind", "(none)").n, 1);
    // Won 6a and 6c, lost 6d; neither the renewal nor the duplicate counts.
    assert_eq!(sides(&scores.get("win_rate", COMPANY, SEPTEMBER)), (2, 3));
    assert_eq!(sides(&scores.get("win_rate", "rep salesforce:A", SEPTEMBER)), (1, 2));
    assert_eq!(sides(&scores.slice("win_rate", COMPANY, SEPTEMBER, "competitor", "(none)")), (1, 2));
    assert_eq!(sides(&scores.slice("win_rate", COMPANY, SEPTEMBER, "competitor", "Rival")), (1, 1));
    let cycle = scores.get("sales_cycle_days", COMPANY, SEPTEMBER);
    assert_eq!((cycle.value, cycle.n), (Some(Exact { numerator: 11, denominator: 2 }), 2));
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
        (line.value.unwrap().cents(), line.target.unwrap().cents())
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
    assert_eq!(attained.value, Some(Exact { numerator: 1, denominator: 11 }));
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
    let scores = calculate(&exports.nights, date(2026, 10, 5));
    let target = |place: &str, period: &str| scores.get("bookings", place, period).target.map(Exact::cents);
    assert_eq!(target("rep salesforce:A", SEPTEMBER), Some(3334));
    assert_eq!(target("rep salesforce:A", "month 2026-10-01"), Some(6667 + 100));
    assert_eq!(target("rep salesforce:A", "quarter 2026-07-01"), Some(3334));
    assert_eq!(target(COMPANY, "year 2026-01-01"), Some(10101));
    assert_eq!(target("rep salesforce:B", "year 2026-01-01"), None);
    assert_eq!(target("rep unassigned", "year 2026-01-01"), None);
    let attained = scores.get("quota_attainment", "rep salesforce:A", SEPTEMBER);
    assert_eq!((attained.value, attained.n), (Some(Exact { numerator: 0, denominator: 1 }), 0));
    let without = scores.get("quota_attainment", "rep salesforce:B", SEPTEMBER);
    assert_eq!((without.value, without.numerator.map(Exact::cents), without.denominator), (None, Some(0), None));
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
        "8c,6a,Proposal,300,,2026-07-31 21:59:59",
        "8d,6a,Proposal,400,,2026-07-31 22:00:00", // 1 August in Berlin
        "8e,6a,Closed Lost,400,,2026-09-15 08:00:00",
        "8f,6a,Proposal,500,,2026-09-29 08:00:00",
        "8g,unknown,Proposal,500,,2026-09-29 08:00:00",
        "8h,6a,Proposal,1e3,,2026-09-30 08:00:00", // quarantined
        "8z,6a,Proposal,600,,2026-09-30 08:00:00",
    ]);
    exports.night("2026-09-30");
    exports.history(&[
        "8i,6a,Proposal,700,,2026-09-30 08:00:00", // the same moment as 8z, which has the later id
        "8d,6a,Proposal,450,,2026-07-31 22:00:00", // seen before: the newest night wins
    ]);
    let scores = exports.scores();
    let rep = |period| scores.cents("open_pipeline", "rep salesforce:A", period);
    assert_eq!([rep("month 2026-06-01"), rep("month 2026-07-01"), rep("month 2026-08-01")], [0, 30000, 45000]);
    assert_eq!([rep(SEPTEMBER), rep("quarter 2026-07-01"), rep("year 2026-01-01")], [60000; 3]);
    assert_eq!(scores.cents("open_pipeline", "rep salesforce:B", "month 2026-07-01"), 0);
    assert_eq!(scores.cents("open_pipeline", "rep unassigned", "month 2026-07-01"), 90000);
    assert_eq!(scores.cents("open_pipeline", COMPANY, SEPTEMBER), 150_000);
    // 6c closed on 31 August, the measuring day: up to it, not including it.
    assert_eq!(scores.cents("open_pipeline", COMPANY, "month 2026-08-01"), 135_000);
    let middle_of_august = calculate(&exports.nights, date(2026, 8, 30));
    assert_eq!(middle_of_august.cents("open_pipeline", "rep salesforce:B", "month 2026-08-01"), 80000);
    assert_eq!(middle_of_august.get("open_pipeline", COMPANY, "month 2026-08-01").n, 3);
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
    let read = |text: &[u8]| records(text).into_iter().map(|cells| cells.join("|")).collect::<Vec<_>>();
    assert_eq!(read(b"a,b\r\n\"1\",\"x \"\"y\"\"\nz\"\n\"\",2"), ["a|b", "1|x \"y\"\nz", "|2"]);
    assert_eq!(read(b"a,b\n\"1\",\"x \"y\" z\"\n3,4\n"), ["a|b", "3|4"]);
    // The first line of the broken record alone is rejected; the second is a record of its own.
    assert_eq!(read(b"a,b\n\"1\nlost\",\"x\" y\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n\"1,2\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n1,x\"y\n3,4\n"), ["a|b", "3|4"]);
    assert_eq!(read(b"a,b\n\xFF,2\n3,4\n"), ["a|b", "3|4"]);

    let exports = Exports::new();
    let night = exports.nights.last().unwrap();
    let people = "\u{FEFF}Id,Hired_On__c,Left_On__c\nA,,\nB,\nC,,,\nD,,\n";
    std::fs::write(night.join("User.csv"), people).unwrap();
    let entities = exports.scores().entities;
    let reps: Vec<_> = entities.iter().filter(|(level, _)| level == "rep").map(|(_, name)| name.as_str()).collect();
    assert_eq!(reps, ["salesforce:A", "salesforce:D", "unassigned"]);
}

#[test]
fn cells_are_read_literally() {
    assert_eq!(["12", "-0.5", "+1.005", "1.004", "7.1"].map(cents), [1200, -50, 101, 100, 710].map(Some));
    assert_eq!(["12.500,00", "1.", ".5", "-", "1e3", " 1", "EUR 5", "1.2.3"].map(cents), [None; 8]);
    assert_eq!(read_date("2026-09-30 00:00:00"), Some(date(2026, 9, 30)));
    assert_eq!(["2026-09-31", "2026-9-30", "30.09.2026", "2026-09-30 08:00:00"].map(read_date), [None; 4]);
    assert!(timestamp("2026-09-30 08:00:00").is_some());
    assert!(["2026-09-30", "2026-09-30T08:00:00", "2026-09-30 25:00:00"].map(timestamp).iter().all(Option::is_none));
    assert_eq!(median(&[4, 1, 3]), Some(Exact { numerator: 3, denominator: 1 }));
    assert_eq!(median(&[4, 1, 3, 2]).unwrap().to_f64(), 2.5);
    assert_eq!(median(&[]), None);
}
