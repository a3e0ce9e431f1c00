//! Customers, and which of them a deal is with.

use crate::sample::book::Account;
use crate::sample::book::Book;
use crate::sample::calendar::{Day, Moment};
use crate::sample::deals::{Draft, Kind, Segment};
use crate::sample::id::{self, Id};
use crate::sample::names::{self, Place};
use crate::sample::people::Rep;
use crate::sample::plan::Plan;
use crate::sample::plan::{BRACKWATER, TEAM};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;
use crate::sample::table::Table;
use std::collections::BTreeMap;

/// A book's accounts while its deals are told in order.
pub struct Accounts<'a> {
    plan: &'a Plan,
    rep: &'a Rep,
    owner: Id,
    rng: Rng,
    list: Vec<Account>,
}

impl<'a> Accounts<'a> {
    /// None yet, all to be owned by `owner`.
    pub fn new(plan: &'a Plan, rep: &'a Rep, owner: Id) -> Accounts<'a> {
        let rng = Rng::stream(plan.seed, "accounts", rep.index as u64);
        Accounts { plan, rep, owner, rng, list: Vec::new() }
    }

    /// The accounts.
    pub fn into_list(self) -> Vec<Account> {
        self.list
    }

    /// The account that a deal is with, and whether it was entered for this deal.
    pub fn choose(&mut self, draft: &Draft) -> (&Account, bool) {
        let fits = |account: &Account| account.segment == draft.segment && account.busy < draft.created;
        let customer = |account: &Account| match draft.kind {
            Kind::New => account.won.is_none() && !account.old,
            Kind::Returning => account.won.map_or(account.old, |(_, last)| draft.created.day.since(last.day) > 270),
            Kind::Expansion | Kind::Renewal => {
                account.old || account.won.is_some_and(|(first, _)| first < draft.created)
            }
        };
        let mut fitting: Vec<usize> = (0..self.list.len()).filter(|n| fits(&self.list[*n])).collect();
        fitting.retain(|n| customer(&self.list[*n]));
        // A duplicate is a deal with somebody who has one already.
        if draft.outcome == Stage::Duplicate && !self.list.is_empty() {
            fitting = vec![self.list.len() - 1];
        }
        let known = !fitting.is_empty() && (draft.kind != Kind::New || self.rng.chance(50));
        let place = if known { self.rng.pick(&fitting) } else { self.enter(draft) };
        let account = &mut self.list[place];
        account.busy = account.busy.max(draft.recorded);
        if draft.outcome == Stage::Won {
            let (first, last) = account.won.unwrap_or((draft.recorded, draft.recorded));
            account.won = Some((first.min(draft.recorded), last.max(draft.recorded)));
        }
        (account, !known && draft.kind == Kind::New)
    }

    /// Enters a new account: together with its first deal, or long ago if it is a customer already.
    fn enter(&mut self, draft: &Draft) -> usize {
        let (plan, rng, number) = (self.plan, &mut self.rng, self.list.len());
        let old = draft.kind != Kind::New;
        let created = if old {
            let begin = plan.first.first().min(draft.created.day);
            plan.calendar.hours(plan.calendar.workday_to(begin.plus(-rng.between(30, 600))), rng)
        } else {
            draft.created
        };
        let parent = parent(number, &self.list).filter(|parent| parent.created <= created);
        let places = places(self.rep, number, parent.is_some());
        let company = names::company(self.rep.index, number, parent.map(|parent| &parent.company), places, rng);
        let parent = parent.map(|parent| parent.id);
        let employees = match draft.segment {
            Segment::Smb => rng.between(8, 180),
            Segment::MidMarket => rng.between(200, 1_500),
            Segment::Enterprise => rng.between(1_600, 24_000),
        };
        let id = Id::new(id::Kind::Account, self.rep.index, number);
        let (segment, owner) = (draft.segment, self.owner);
        let (won, busy) = (None, created);
        let host = if number % 19 == 7 { String::new() } else { names::host(&company) };
        self.list.push(Account { id, company, host, parent, segment, employees, created, owner, old, won, busy });
        number
    }
}

/// Where a book's n-th account may sit.
fn places(rep: &Rep, number: usize, in_group: bool) -> &'static [Place] {
    let overseas = rep.index >= 12 && rep.index.is_multiple_of(4) && number % 9 == 5 && !in_group;
    match rep.index {
        BRACKWATER.. => &names::BRITISH,
        _ if overseas => &names::AMERICAN,
        _ => &names::PLACES,
    }
}

impl Account {
    /// What its deals are in.
    pub fn currency(&self) -> &'static str {
        match self.company.place.1 {
            _ if self.id.book() >= BRACKWATER => "GBP",
            "United States" => "USD",
            _ => "EUR",
        }
    }

    fn site(&self) -> String {
        format!("www.{}.example", self.host)
    }

    /// Whether it has bought by then, and when it did so first in the sample.
    pub fn bought(&self, cut: Moment) -> (bool, Option<Moment>) {
        let won = self.won.map(|(first, _)| first).filter(|first| *first <= cut && !self.old);
        (self.old || won.is_some(), won)
    }
}

/// Gives each site a host of its own: of several companies with one name the first has it as it is.
pub fn sites<'a>(books: impl Iterator<Item = &'a mut Book>) {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for account in books.flat_map(|book| &mut book.accounts).filter(|account| !account.host.is_empty()) {
        let count = taken.entry(account.host.clone()).or_default();
        *count += 1;
        if *count > 1 {
            account.host = format!("{}-{count}", account.host);
        }
    }
}

/// The parent of a book's n-th account: the fourth of eight belongs to the first, the eighth to the fourth, so groups
/// are up to three levels high.
fn parent(number: usize, list: &[Account]) -> Option<&Account> {
    match number % 8 {
        3 => list.get(number - 3),
        7 => list.get(number - 4),
        _ => None,
    }
}

/// Lets groups reach across books: most reps' tenth account belongs to a colleague's first.
pub fn join(books: &mut [Book]) {
    for book in (1..books.len()).filter(|book| !book.is_multiple_of(TEAM)) {
        let (before, books) = books.split_at_mut(book);
        let parent = before.last().and_then(|book| book.accounts.first());
        if let (Some(parent), Some(child)) = (parent, books[0].accounts.get_mut(9))
            && parent.created <= child.created
        {
            child.parent = Some(parent.id);
        }
    }
}

const NOTES: [&str; 5] = [
    "Gate 3, ring twice;\nask for \"the lab\"",
    "Invoices to head office <accounts@group.example>",
    "Key account since 2019 & counting",
    "- no calls before 9:30 -",
    "Geräte mit Ø 12 mm, Länge ½\"",
];

/// `Account`: all that were entered up to the night.
pub fn accounts(books: &[Book], night: Day, table: &mut Table<'_>) {
    let cut = night.end();
    for (n, account) in books.iter().flat_map(|book| book.accounts.iter().enumerate()) {
        if account.created > cut {
            continue;
        }
        let (customer, won) = account.bought(cut);
        let (city, country, _) = account.company.place;
        table.id(account.id).text(&account.company.name).id(account.parent);
        table.text(if customer { "Customer" } else { "Prospect" }).text(account.company.industry);
        table.text(account.segment.name()).text(city).text(country).number(account.employees).id(account.owner);
        table.moment(account.created).moment(won.unwrap_or(account.created)).flag(false);
        table.text(if n % 12 == 1 { NOTES[n / 12 % NOTES.len()] } else { "" });
        let site = if n % 7 == 3 { format!("https://www.{}.example/", account.host) } else { account.site() };
        table.text(if account.host.is_empty() { String::new() } else { site }).end();
    }
}
