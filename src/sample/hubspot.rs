//! Brackwater Sensors' CRM: the same kind of story as everyone's, in the shape of HubSpot's exports, with people by their
//! names and times to the minute.
//!
//! One of its reps works in Alderbrook's CRM since [`MOVED`]: what was open that summer was migrated, stands in both from
//! then on, and goes on in the other.

use crate::sample::activities::{Activity, What};
use crate::sample::book::Account;
use crate::sample::book::{Book, Deal};
use crate::sample::calendar::{Day, Moment};
use crate::sample::deals::Kind;
use crate::sample::id::{Id, Kind as Record};
use crate::sample::lines::{self, BRACKWATERS};
use crate::sample::people::Rep;
use crate::sample::plan::BRACKWATER;
use crate::sample::stages::Stage;
use crate::sample::table::Table;
use std::collections::BTreeSet;

/// The last night on which the rep who moved over worked here.
const MOVED: Day = Day::of(2026, 8, 31);
/// What was closed before then was not migrated.
const MIGRATED_SINCE: Day = Day::of(2026, 7, 1);

/// A record's id in HubSpot: a number.
pub fn record(id: Id) -> String {
    let first: u64 = match id.kind() {
        Record::Account => 9_400_000_000,
        Record::Opportunity => 15_100_000_000,
        Record::LineItem => 26_000_000_000,
        Record::Event => 31_000_000_000,
        _ => 33_000_000_000,
    };
    // Parts of records have numbers up to 64 times as large.
    let book = (id.book() - BRACKWATER) as u64;
    (first + book * 10_000_000 + id.number() as u64).to_string()
}

/// The part of a book that stands in the main CRM too, or only there.
pub fn migrated(book: &Book) -> Book {
    let end = MOVED.end();
    let stays = |deal: &&Deal| {
        let closed = deal.known(MOVED).last().is_some_and(|step| step.stage.closed() && step.at.day < MIGRATED_SINCE);
        !closed
    };
    let mut deals: Vec<Deal> = book.deals.iter().filter(stays).cloned().collect();
    for deal in deals.iter_mut().filter(|deal| deal.created() <= end) {
        deal.twin = Some(deal.id);
    }
    let mut wanted: BTreeSet<String> = deals.iter().map(|deal| deal.account.text()).collect();
    // Groups come whole, or their parts would be customers of their own.
    for account in book.accounts.iter().rev() {
        if let (true, Some(parent)) = (wanted.contains(&account.id.text()), account.parent) {
            wanted.insert(parent.text());
        }
    }
    let accounts = book.accounts.iter().filter(|account| wanted.contains(&account.id.text())).cloned().collect();
    Book { accounts, deals, leads: Vec::new() }
}

/// What a rep's book has to tell here that night.
fn cut(rep: &Rep, night: Day) -> Day {
    if rep.moved_over() { night.min(MOVED) } else { night }
}

/// `companies`.
pub fn companies(reps: &[Rep], books: &[Book], night: Day, table: &mut Table<'_>) {
    for (rep, book) in reps.iter().zip(books) {
        let end = cut(rep, night).end();
        for account in book.accounts.iter().filter(|account| account.created <= end) {
            company(account, &rep.name(), table);
        }
    }
}

fn company(account: &Account, owner: &str, table: &mut Table<'_>) {
    let (_, country, _) = account.company.place;
    let host = match &*account.host {
        "" => String::new(),
        host if account.id.number() % 5 == 2 => format!("HTTP://WWW.{}.EXAMPLE/", host.to_uppercase()),
        host => format!("{host}.example"),
    };
    table.text(record(account.id)).text(&account.company.name).text(host).text(account.company.industry).text(country);
    table.text(account.segment.name()).text(owner);
    // Some belong to a company that stands in the main CRM alone.
    table.text(match account.parent {
        Some(parent) if parent.book() < BRACKWATER => format!("salesforce:{}", parent.text()),
        Some(parent) => record(parent),
        None => String::new(),
    });
    table.moment(account.created).end();
}

/// How a source is called here.
fn source(source: &str) -> &'static str {
    match source {
        "Web" => "Organic Search",
        "Trade Fair" => "Offline Sources",
        "Newsletter" => "Email Marketing",
        "Referral" | "Customer" => "Referrals",
        "Partner" => "Other Campaigns",
        _ => "Direct Traffic",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "newbusiness",
        Kind::Expansion => "existingbusiness",
        Kind::Returning => "winback",
        Kind::Renewal => "renewal",
    }
}

/// `deals`: every deal as it stands that night.
pub fn deals(reps: &[Rep], books: &[Book], night: Day, table: &mut Table<'_>) {
    for (rep, book) in reps.iter().zip(books) {
        let night = cut(rep, night);
        for deal in &book.deals {
            let Some(now) = deal.known(night).last() else { continue };
            let (stage, _) = now.stage.at_brackwater();
            table.text(record(deal.id)).text(&deal.name).text("Sales Pipeline").text(stage).money(now.amount);
            table.text(deal.currency).moment(now.close.at(17, 0)).moment(deal.created()).text(rep.name());
            table.text(record(deal.account)).text(deal.kind.map_or("", kind)).text(source(deal.source));
            table.text(deal.competitor).text(if now.stage == Stage::Lost { deal.reason } else { "" });
            table.text(now.stage.forecast()).text(if now.stage.closed() { "" } else { deal.next }).end();
        }
    }
}

/// `products`.
pub fn products(table: &mut Table<'_>) {
    for (n, product) in BRACKWATERS.iter().enumerate() {
        table.number(4_401 + n as i64).text(product.name).text(product.family).money(Some(product.list * 100)).end();
    }
}

/// `line_items`: what the deals are made of that night.
pub fn line_items(seed: u64, reps: &[Rep], books: &[Book], night: Day, table: &mut Table<'_>) {
    for (rep, book) in reps.iter().zip(books) {
        let night = cut(rep, night);
        for deal in &book.deals {
            let Some(amount) = deal.known(night).last().and_then(|step| step.amount) else { continue };
            for (n, line) in lines::lines(seed, deal, &BRACKWATERS, amount).into_iter().enumerate() {
                table.text(record(deal.id.child(Record::LineItem, n))).text(record(deal.id));
                table.number(4_401 + line.product as i64).text(BRACKWATERS[line.product].name).number(line.quantity);
                table.money(Some(line.list)).money(Some(line.total)).money(Some(line.cost)).text(deal.currency).end();
            }
        }
    }
}

/// What a call's answer is called here.
fn answer(disposition: &str) -> &str {
    if disposition == "Voicemail" { "Left voicemail" } else { disposition }
}

fn about(activity: &Activity, rep: &Rep, at: Option<Moment>, table: &mut Table<'_>) {
    // The rep who moved over calls about deals of the other CRM, which nobody can choose here.
    let here = at.is_some_and(|at| at.day <= cut(rep, at.day));
    table.text(rep.name());
    table.text(activity.deal.filter(|_| here).map_or(String::new(), record));
    table.text(activity.account.filter(|_| here).map_or(String::new(), record)).end();
}

/// `calls`: those that were made since `after`.
pub fn calls(rep: &Rep, list: &[Activity], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for call in list {
        let What::Call(outbound) = call.what else { continue };
        let Some(done) = call.done.filter(|done| *done <= night.end()) else { continue };
        if call.news(after, night).is_none() {
            continue;
        }
        let (disposition, seconds) = call.answer(outbound);
        table.text(record(call.id)).moment(done).text(if outbound { "OUTBOUND" } else { "INBOUND" });
        table.text(answer(disposition)).number(seconds);
        about(call, rep, Some(done), table);
    }
}

/// `meetings`: those that were planned or held since `after`.
pub fn meetings(rep: &Rep, list: &[Activity], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for meeting in list.iter().filter(|activity| activity.what == What::Meeting) {
        if meeting.news(after, night).is_none() {
            continue;
        }
        let outcome = match meeting.status(night) {
            "Planned" => "SCHEDULED",
            "Cancelled" => "CANCELED",
            "No show" => "NO_SHOW",
            _ => "COMPLETED",
        };
        table.text(record(meeting.id)).moment(meeting.done).text(outcome);
        about(meeting, rep, meeting.done, table);
    }
}
