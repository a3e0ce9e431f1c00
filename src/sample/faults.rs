//! What is wrong in the sample, all of it, on purpose. Every other row is clean.
//!
//! | table | nights | what | what becomes of it |
//! |---|---|---|---|
//! | `Account` | all | after row 60: a name in Windows-1252 (`Café Laborbedarf`), no UTF-8 | rejected |
//! | `Opportunity` | all | after row 40: amount `12.500,00` | quarantined |
//! | `Opportunity` | all | after row 90: close date `2026-02-30` | quarantined |
//! | `Opportunity` | all | after row 140: the id of the file's first row again | quarantined |
//! | `Opportunity` | all | book 2's last won deal: an `AccountId` that is not in `Account` | no account |
//! | `Opportunity` | all | book 7's last but one won deal: an empty amount | worth 0 |
//! | `Opportunity` | all | book 10's last but two won deal: closed six days before it was created | no cycle |
//! | `Opportunity` | all | book 15's oldest open deal: no row in `OpportunityHistory` | one version |
//! | `Task` | first | after row 200: a record with a field too many | rejected |
//! | `Task` | last | after row 5: an owner who is not in `User` | `unassigned` |
//! | HubSpot's `deals` | all | after row 30: amount `£12,400` | quarantined |
//! | HubSpot's `deals` | all | after row 60: an owner who is nobody | `unassigned` |
//!
//! "Row" counts records after the header; a sample with fewer rows has the record at its end. "Last" is as of the
//! first night. A book is a rep's index; smaller samples use the index modulo the number of reps.
//!
//! Three things look wrong and are not: the house account's deals, whose owner is nobody in `User`; a call and a deal
//! that somebody deleted on the last night's day; deals without a type.

use crate::sample::book::{Book, Deal};
use crate::sample::hubspot;
use crate::sample::id::{Id, Kind};
use crate::sample::people::Rep;
use crate::sample::plan::NIGHTS;
use crate::sample::stages::Stage;
use crate::sample::table::Stray;

/// A book that no rep has.
const NOBODY: usize = 999_999;

/// Spoils the deals whose histories have to be spoilt with them.
pub fn spoil(books: &mut [Book], reps: usize) {
    let [first, .., last] = NIGHTS;
    let won = |deal: &Deal| deal.known(first).last().is_some_and(|step| step.stage == Stage::Won);
    let open = |deal: &Deal| deal.open_on(first).is_some() && deal.open_on(last).is_some();
    fn nth_last(book: &mut Book, n: usize, which: impl Fn(&Deal) -> bool) -> Option<&mut Deal> {
        book.deals.iter_mut().rev().filter(|deal| which(deal)).nth(n)
    }
    if let Some(deal) = nth_last(&mut books[2 % reps], 0, won) {
        deal.account = Id::new(Kind::Account, NOBODY, 1);
    }
    if let Some(step) = nth_last(&mut books[7 % reps], 1, won).and_then(|deal| deal.steps.last_mut()) {
        step.amount = None;
    }
    if let Some(deal) = nth_last(&mut books[10 % reps], 2, won) {
        let created = deal.created().day;
        if let Some(step) = deal.steps.last_mut() {
            step.close = created.plus(-6);
        }
    }
    if let Some(deal) = books[15 % reps].deals.iter_mut().find(|deal| open(deal)) {
        deal.silent = true;
    }
}

/// The damaged records of a night's file.
pub fn strays(source: &str, table: &str, night: usize, rep: &Rep, acquired: Option<&Rep>) -> Vec<Stray> {
    match (source, acquired) {
        ("salesforce", _) => salesforce(table, night, rep),
        ("hubspot", Some(rep)) if table == "deals" => deals(rep),
        _ => Vec::new(),
    }
}

/// Two deals of HubSpot: an amount with its currency's sign, and an owner who is nobody.
fn deals(rep: &Rep) -> Vec<Stray> {
    let deal = |after_rows: usize, number: usize, name: &str, amount: &str, owner: &str| {
        let id = hubspot::record(Id::new(Kind::Opportunity, rep.index, number));
        let company = hubspot::record(Id::new(Kind::Account, rep.index, 0));
        let (close, seen) = ("2026-11-19 17:00", "2026-03-04 10:20");
        let (stage, pipeline) = (Stage::Qualification.at_brackwater().0, "Sales Pipeline");
        let kind = "newbusiness";
        let cells = [
            &id,
            name,
            pipeline,
            stage,
            amount,
            "GBP",
            close,
            seen,
            owner,
            &company,
            kind,
            "Organic Search",
            "",
            "",
            "Pipeline",
            "",
        ];
        stray(after_rows, &cells)
    };
    vec![
        deal(30, 900_001, "Amount with its sign", "\u{a3}12,400", &rep.name()),
        deal(60, 900_002, "Owner who is nobody", "9800", "Nobody Here"),
    ]
}

fn salesforce(table: &str, night: usize, rep: &Rep) -> Vec<Stray> {
    let owner = rep.id.text();
    let account = Id::new(Kind::Account, rep.index, 0).text();
    let deal = |after_rows: usize, number: usize, name: &str, amount: &str, close: &str| {
        let id = Id::new(Kind::Opportunity, rep.index, number).text();
        let seen = "2026-02-03 09:12:00";
        let cells = [
            &id,
            &account,
            name,
            "Qualification",
            amount,
            "20",
            close,
            "New Customer",
            "Web",
            "0",
            "0",
            "Pipeline",
            &owner,
            "",
            "",
            "Book demo",
            seen,
            seen,
            "0",
            "",
            "EUR",
            "",
            "",
        ];
        stray(after_rows, &cells)
    };
    let task = |after_rows: usize, number: usize, owner: &str, at: &str, more: &[&str]| {
        let id = Id::new(Kind::Task, NOBODY, number).text();
        let cells = [
            &id,
            "",
            "",
            &account,
            owner,
            "Call",
            "Completed",
            &at[..10],
            "Call",
            "Outbound",
            "No answer",
            "4",
            "Set-up",
            at,
            at,
            at,
            "0",
            "",
        ];
        stray(after_rows, &[&cells, more].concat())
    };
    match (table, night) {
        ("Account", _) => vec![latin_account(&owner)],
        ("Opportunity", _) => vec![
            deal(40, 9_000_001, "German amount", "12.500,00", "2026-11-20"),
            deal(90, 9_000_002, "Impossible date", "18000.0", "2026-02-30"),
            deal(140, 0, "The same id again", "7500.0", "2026-11-27"),
        ],
        ("Task", 0) => vec![task(200, 1, &owner, "2026-09-22 13:05:00", &["one field too many"])],
        ("Task", 2) => {
            vec![task(5, 2, &Id::new(Kind::User, NOBODY, 1).text(), "2026-09-30 08:40:00", &[])]
        }
        _ => Vec::new(),
    }
}

fn latin_account(owner: &str) -> Stray {
    let id = Id::new(Kind::Account, NOBODY, 2).text();
    let seen = "2025-05-06 07:45:00";
    let cells = [
        &id,
        "Caf? Laborbedarf",
        "",
        "Prospect",
        "Research",
        "SMB",
        "Wien",
        "Austria",
        "12",
        owner,
        seen,
        seen,
        "0",
        "",
        "",
    ];
    let mut stray = stray(60, &cells);
    // `é` as Windows-1252 has it: one byte that cannot stand alone in UTF-8.
    stray.cells[1][3] = 0xe9;
    stray
}

fn stray(after_rows: usize, cells: &[&str]) -> Stray {
    Stray { after_rows, cells: cells.iter().map(|cell| cell.as_bytes().to_vec()).collect() }
}
