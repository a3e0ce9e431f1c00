//! What happened to customers that reports are judged by: a handful of deals, written out, and who stands in both CRMs.
//!
//! They are told of the whole roster only; smaller companies are too small for them. None draws from a stream, so that
//! they move nobody else's numbers.

use crate::sample::book::Account;
use crate::sample::book::{Book, Deal};
use crate::sample::calendar::{Calendar, Day, Moment};
use crate::sample::deals::{Kind, Segment, Step};
use crate::sample::id::{self, Id};
use crate::sample::names::{self, Company, Place};
use crate::sample::people::{ROSTER, Rep};
use crate::sample::plan::BRACKWATER;
use crate::sample::stages::Stage::{self, *};
use crate::sample::table::Table;

/// Numbers from here on are those of accounts and deals that are told here.
const FIRST: usize = 100_000;

/// A step: month and day of 2026, hour, stage, whole units of the currency, month and day of the close date.
type Told = (i8, i8, i32, Stage, i64, (i8, i8));

/// A customer and a deal.
struct Tale {
    rep: usize,
    company: (&'static str, &'static str, &'static str, Place),
    segment: Segment,
    deal: &'static str,
    kind: Kind,
    source: &'static str,
    /// An earlier deal with the same customer, won then: year, month, day, whole units of the currency.
    before: Option<(i16, i8, i8, i64)>,
    steps: &'static [Told],
    then: Then,
}

/// What else becomes of a deal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// Somebody deletes it on the last night's day.
    Deleted,
    /// On the last night's day it becomes that rep's.
    HandedTo(usize),
    /// That rep has so much of it, in percent.
    SplitWith(usize, i64),
    /// That rep is credited with all of it besides.
    Overlay(usize),
}

const GERMANY: Place = ("Lübeck", "Germany", "GmbH");
const NORWAY: Place = ("Bodø", "Norway", "AS");
const SWEDEN: Place = ("Umeå", "Sweden", "AB");

const TALES: [Tale; 13] = [
    // Won before the second quarter ended, and open again three months later.
    Tale {
        rep: 11,
        company: ("Tallbergs Kaltwerk AB", "Tallbergs", "Food & Beverage", SWEDEN),
        segment: Segment::MidMarket,
        deal: "cold chain",
        kind: Kind::New,
        source: "Trade Fair",
        before: None,
        steps: &[
            (4, 21, 10, Qualification, 90_000, (6, 19)),
            (5, 19, 14, Proposal, 96_500, (6, 19)),
            (6, 9, 9, Negotiation, 96_500, (6, 24)),
            (6, 24, 16, Won, 96_500, (6, 24)),
            (9, 30, 10, Negotiation, 96_500, (10, 30)),
        ],
        then: Then::Nothing,
    },
    // Entered as won on the last day of September, with a day in August.
    Tale {
        rep: 15,
        company: ("Mørkevold Havbruk AS", "Mørkevold", "Marine", NORWAY),
        segment: Segment::MidMarket,
        deal: "O₂ monitoring",
        kind: Kind::New,
        source: "Web",
        before: None,
        steps: &[
            (6, 16, 11, Qualification, 55_000, (9, 11)),
            (7, 7, 15, Proposal, 58_400, (9, 11)),
            (8, 25, 9, Negotiation, 58_400, (10, 9)),
            (9, 30, 14, Won, 58_400, (8, 28)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 6,
        company: ("Quendorf Papier GmbH", "Quendorf", "Manufacturing", GERMANY),
        segment: Segment::MidMarket,
        deal: "turbidity line",
        kind: Kind::New,
        source: "Partner",
        before: None,
        steps: &[(7, 14, 10, Qualification, 42_000, (11, 6)), (9, 8, 13, Proposal, 42_000, (11, 20))],
        then: Then::Deleted,
    },
    Tale {
        rep: 7,
        company: ("Vallmora Bryggeri AB", "Vallmora", "Food & Beverage", SWEDEN),
        segment: Segment::Enterprise,
        deal: "upgrade",
        kind: Kind::Expansion,
        source: "Customer",
        before: Some((2025, 3, 14, 62_000)),
        steps: &[
            (6, 2, 9, Qualification, 120_000, (9, 4)),
            (7, 21, 10, Proposal, 148_000, (9, 18)),
            (9, 18, 15, Won, 148_000, (9, 18)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 19,
        company: ("Ferrandine Eaux SAS", "Ferrandine", "Utilities", ("Nantes", "France", "SAS")),
        segment: Segment::MidMarket,
        deal: "level meters",
        kind: Kind::Returning,
        source: "Customer",
        before: Some((2024, 11, 20, 39_000)),
        steps: &[
            (7, 6, 11, Qualification, 80_000, (9, 11)),
            (8, 18, 9, Negotiation, 87_500, (9, 11)),
            (9, 11, 12, Won, 87_500, (9, 11)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 3,
        company: ("Ostermoor Chemiepark KG", "Ostermoor", "Chemicals", ("Stade", "Germany", "KG")),
        segment: Segment::Enterprise,
        deal: "lab rollout",
        kind: Kind::New,
        source: "Referral",
        before: None,
        steps: &[
            (5, 11, 10, Qualification, 120_000, (9, 22)),
            (7, 1, 14, Proposal, 120_000, (9, 22)),
            (9, 22, 11, Won, 120_000, (9, 22)),
        ],
        then: Then::SplitWith(8, 40),
    },
    Tale {
        rep: 18,
        company: ("Balsareny Paper S.L.", "Balsareny", "Manufacturing", ("Girona", "Spain", "S.L.")),
        segment: Segment::MidMarket,
        deal: "flow loggers",
        kind: Kind::New,
        source: "Web",
        before: None,
        steps: &[
            (6, 23, 9, Qualification, 64_000, (9, 15)),
            (8, 4, 10, Proposal, 64_000, (9, 15)),
            (9, 15, 17, Won, 64_000, (9, 15)),
        ],
        then: Then::Overlay(12),
    },
    // In dollars.
    Tale {
        rep: 12,
        company: ("Pinecrest Water Inc.", "Pinecrest", "Utilities", ("Houston", "United States", "Inc.")),
        segment: Segment::Enterprise,
        deal: "gas sensors",
        kind: Kind::New,
        source: "Outbound",
        before: None,
        steps: &[
            (5, 26, 16, Qualification, 88_000, (9, 9)),
            (7, 15, 17, Proposal, 92_000, (9, 9)),
            (9, 9, 16, Won, 92_000, (9, 9)),
        ],
        then: Then::Nothing,
    },
    // What else the last day brought, one of each.
    Tale {
        rep: 5,
        company: ("Kistrand Fiskeri AS", "Kistrand", "Marine", NORWAY),
        segment: Segment::Enterprise,
        deal: "data gateway",
        kind: Kind::New,
        source: "Web",
        before: None,
        steps: &[(9, 30, 10, Prospecting, 75_000, (12, 18))],
        then: Then::Nothing,
    },
    Tale {
        rep: 2,
        company: ("Hallwyl Turbinen AG", "Hallwyl", "Energy", ("Aarau", "Switzerland", "AG")),
        segment: Segment::Enterprise,
        deal: "gas sensors",
        kind: Kind::New,
        source: "Trade Fair",
        before: None,
        steps: &[
            (6, 30, 9, Qualification, 110_000, (11, 13)),
            (8, 26, 10, Proposal, 110_000, (11, 13)),
            (9, 30, 11, Proposal, 84_000, (11, 13)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 20,
        company: ("Zelenka Sklo s.r.o.", "Zelenka", "Manufacturing", ("Brno", "Czechia", "s.r.o.")),
        segment: Segment::MidMarket,
        deal: "pH probes",
        kind: Kind::New,
        source: "Newsletter",
        before: None,
        steps: &[
            (7, 20, 10, Qualification, 47_500, (10, 23)),
            (9, 3, 15, Proposal, 47_500, (10, 23)),
            (9, 30, 9, Negotiation, 47_500, (10, 23)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 1,
        company: ("Arvelund Mejeri A/S", "Arvelund", "Food & Beverage", ("Aalborg", "Denmark", "A/S")),
        segment: Segment::Enterprise,
        deal: "cold chain",
        kind: Kind::New,
        source: "Partner",
        before: None,
        steps: &[
            (6, 10, 13, Qualification, 99_000, (9, 30)),
            (8, 11, 9, Negotiation, 105_000, (9, 30)),
            (9, 30, 17, Negotiation, 105_000, (12, 15)),
        ],
        then: Then::Nothing,
    },
    Tale {
        rep: 17,
        company: ("Brückner & Tochter GmbH", "Brückner & Tochter", "Chemicals", GERMANY),
        segment: Segment::MidMarket,
        deal: "calibration",
        kind: Kind::New,
        source: "Web",
        before: None,
        steps: &[(6, 3, 14, Qualification, 51_000, (10, 16)), (7, 22, 11, Proposal, 51_000, (10, 16))],
        then: Then::HandedTo(18),
    },
];

/// Brackwater's deal of the last day.
const FERRIES: Tale = Tale {
    rep: 0,
    company: ("Cairnholm Ferries Ltd", "Cairnholm", "Marine", ("Oban", "United Kingdom", "Ltd")),
    segment: Segment::MidMarket,
    deal: "telemetry",
    kind: Kind::New,
    source: "Web",
    before: None,
    steps: &[
        (7, 13, 10, Qualification, 40_000, (9, 30)),
        (8, 24, 14, Proposal, 46_000, (9, 30)),
        (9, 30, 12, Won, 46_000, (9, 30)),
    ],
    then: Then::Nothing,
};

/// Adds the tales to their books, if the company is the whole one.
pub fn tell(calendar: &Calendar, reps: &[Rep], books: &mut [Book], acquired: &[Rep], theirs: &mut [Book]) {
    if reps.len() < ROSTER.len() {
        return;
    }
    for tale in &TALES {
        tale.tell(calendar, reps, &reps[tale.rep], &mut books[tale.rep]);
    }
    if let (Some(rep), Some(book)) = (acquired.first(), theirs.first_mut()) {
        FERRIES.tell(calendar, reps, rep, book);
    }
}

impl Tale {
    fn tell(&self, calendar: &Calendar, reps: &[Rep], rep: &Rep, book: &mut Book) {
        let steps: Vec<Step> = self.steps.iter().map(|told| step(rep, *told)).collect();
        let earlier = self.before.map(|(year, month, day, units)| {
            let won = Day::of(year, month, day);
            let began = calendar.workday_to(won.plus(-60));
            let step =
                |day: Day, stage| Step { at: day.at(11, 5), by: rep.id, stage, amount: Some(units * 100), close: won };
            vec![step(began, Qualification), step(won, Won)]
        });
        let first = earlier.as_ref().map_or(steps[0].at, |earlier| earlier[0].at);
        let account = self.account(rep, first, earlier.iter().flatten().chain(&steps));
        let mut number = FIRST;
        if let Some(earlier) = earlier {
            book.deals.push(self.deal(rep, number, &account, Kind::New, earlier));
            number += 1;
        }
        let mut deal = self.deal(rep, number, &account, self.kind, steps);
        let last = Day::of(2026, 9, 30);
        match self.then {
            Then::Nothing => {}
            Then::Deleted => deal.deleted = Some(last.at(11, 20)),
            Then::HandedTo(other) => deal.handed = Some((last.at(13, 30), reps[other].id)),
            Then::SplitWith(other, share) => {
                deal.splits = vec![(rep.id, 100 - share, "Revenue"), (reps[other].id, share, "Revenue")];
            }
            Then::Overlay(other) => deal.splits = vec![(reps[other].id, 100, "Overlay")],
        }
        book.deals.push(deal);
        book.accounts.push(account);
    }

    fn account<'a>(&self, rep: &Rep, created: Moment, steps: impl Iterator<Item = &'a Step>) -> Account {
        let (name, short, industry, place) = self.company;
        let company = Company { name: name.to_owned(), short: short.to_owned(), industry, place };
        let won: Vec<Moment> = steps.filter(|step| step.stage == Won).map(|step| step.at).collect();
        Account {
            id: Id::new(id::Kind::Account, rep.index, FIRST),
            host: names::host(&company),
            company,
            parent: None,
            segment: self.segment,
            employees: if self.segment == Segment::Enterprise { 2_600 } else { 480 },
            created,
            owner: rep.id,
            old: false,
            won: won.first().copied().zip(won.last().copied()),
            busy: created,
        }
    }

    fn deal(&self, rep: &Rep, number: usize, account: &Account, kind: Kind, steps: Vec<Step>) -> Deal {
        Deal {
            id: Id::new(id::Kind::Opportunity, rep.index, number),
            account: account.id,
            name: format!("{} {}", account.company.short, self.deal),
            kind: Some(kind),
            source: if kind == self.kind { self.source } else { "Web" },
            competitor: "",
            reason: "",
            next: "Call back; ask about budget",
            note: "",
            currency: account.currency(),
            found_by: None,
            twin: None,
            discount: (4, 9),
            splits: Vec::new(),
            owner: rep.id,
            handed: None,
            steps,
            silent: false,
            deleted: None,
        }
    }
}

fn step(rep: &Rep, (month, day, hour, stage, units, (closes, on)): Told) -> Step {
    let at = Day::of(2026, month, day).at(hour, 15);
    Step { at, by: rep.id, stage, amount: Some(units * 100), close: Day::of(2026, closes, on) }
}

/// Something that somebody wrote down about records of both CRMs.
pub struct Mapping {
    record: Id,
    same_as: Id,
    is_same: bool,
    note: &'static str,
}

/// Makes some of Brackwater's customers Alderbrook's too, each known by something else, and says what no rule can know.
pub fn link(books: &[Book], theirs: &mut [Book]) -> Vec<Mapping> {
    let [first, _, third, fourth, ..] = theirs else { return Vec::new() };
    let ours = |book: usize, place: usize| bought(&books[book]).nth(place);
    let mut mappings = Vec::new();
    let mut map = |record: &Account, same_as: &Account, is_same: bool, note: &'static str| {
        mappings.push(Mapping { record: record.id, same_as: same_as.id, is_same, note });
    };
    // By their site, which people type as they like.
    for (book, place, other) in [(&mut *first, 1, (3, 1)), (&mut *third, 0, (14, 0)), (&mut *fourth, 1, (21, 0))] {
        if let (Some(account), Some(same)) = (nth(book, place), ours(other.0, other.1)) {
            account.company.name = same.company.short.to_uppercase();
            account.company.place = same.company.place;
            account.host = same.host.clone();
        }
    }
    // By name and country: nobody typed a site.
    if let (Some(account), Some(same)) = (nth(fourth, 2), ours(18, 1)) {
        account.company.name = same.company.name.to_uppercase();
        account.company.place = same.company.place;
        account.host = String::new();
    }
    // By nothing but the note that somebody left.
    if let (Some(account), Some(same)) = (nth(first, 3), ours(6, 1)) {
        map(account, same, true, "renamed after the merger of 2025");
    }
    // Not at all: two companies of one name in one country.
    if let (Some(account), Some(other)) = (nth(third, 3), ours(8, 1)) {
        account.company.name = other.company.name.clone();
        account.company.place = other.company.place;
        account.host = format!("{}-uk", other.host);
        map(account, other, false, "same name, another company: asked both on 2026-05-12");
    }
    // A daughter of one of Alderbrook's customers.
    if let (Some(account), Some(parent)) = (nth(fourth, 4), books[1].accounts.first()) {
        account.parent = Some(parent.id);
    }
    mappings
}

/// A book's accounts that have bought, have a site and no parent.
fn bought(book: &Book) -> impl Iterator<Item = &Account> {
    let plain = |account: &&Account| account.won.is_some() && !account.host.is_empty() && account.parent.is_none();
    book.accounts.iter().skip(1).filter(plain)
}

fn nth(book: &mut Book, place: usize) -> Option<&mut Account> {
    let id = bought(book).nth(place)?.id;
    book.accounts.iter_mut().find(|account| account.id == id)
}

/// `mappings`: records of both CRMs that are the same, or are not, whatever the rules say.
pub fn mappings(list: &[Mapping], table: &mut Table<'_>) {
    for mapping in list {
        table.text("accounts").text(full(mapping.record)).text(full(mapping.same_as)).flag(mapping.is_same);
        table.text(mapping.note).end();
    }
}

fn full(id: Id) -> String {
    if id.book() >= BRACKWATER {
        format!("hubspot:{}", super::hubspot::record(id))
    } else {
        format!("salesforce:{}", id.text())
    }
}
