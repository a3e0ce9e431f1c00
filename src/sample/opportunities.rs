//! How a book comes about, and its deals as rows of exports.

use crate::sample::accounts::Accounts;
use crate::sample::book::{Account, Book, Deal};
use crate::sample::calendar::Day;
use crate::sample::deals::{self, Draft, Kind, Step};
use crate::sample::hubspot;
use crate::sample::id::{self, Id};
use crate::sample::leads;
use crate::sample::names;
use crate::sample::people::{Rep, Story};
use crate::sample::plan::Plan;
use crate::sample::plan::{HOUSE, TEAM};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;
use crate::sample::table::Table;

const SOURCES: [&str; 6] = ["Web", "Trade Fair", "Referral", "Partner", "Outbound", "Newsletter"];

const NEXT: [&str; 14] = [
    "Send offer, rev. 2",
    "Call back; ask about budget",
    "Book demo",
    "Lab visit with R&D",
    "=> waiting for their PO",
    "- ask for references",
    "@Finance: check discount < 8 %",
    "+1 week, purchasing on holiday",
    "NDA first\nthen book demo",
    "Confirm \"go\" with head of lab",
    "Check delivery date",
    "Meet the new buyer",
    "Legal review",
    "Follow up after trade fair",
];

const NOTES: [&str; 5] = [
    "Tender #2217-B; deadline at noon",
    "They said: \"only if it's < 4 weeks\"",
    "-10 % for two sites",
    "Line 1: 12 probes\nLine 2: 3 loggers",
    "Übergabe an Technik, s. Anhang",
];

impl Book {
    /// The book of a rep; what they leave open goes to `successor`.
    pub fn of(plan: &Plan, rep: &Rep, successor: Id) -> Book {
        let last = rep.last_day();
        let after = |day: Day| if last.is_some_and(|last| day > last) { successor } else { rep.id };
        let mut rng = Rng::stream(plan.seed, "book", rep.index as u64);
        let mut accounts = Accounts::new(plan, rep, after(plan.last.last()));
        let (mut deals, mut leads) = (Vec::new(), Vec::new());
        for draft in deals::drafts(plan, rep) {
            // What nobody has entered yet by the last night will never be seen.
            if draft.created > plan.last.last().end() {
                continue;
            }
            let (account, fresh) = accounts.choose(&draft);
            let id = Id::new(id::Kind::Opportunity, rep.index, deals.len());
            let steps = deals::steps(plan, &draft, after, &mut rng);
            let mut deal = deal(id, account, &draft, steps, rep, &mut rng);
            let next = last.filter(|last| draft.recorded.day > *last);
            deal.handed = next.map(|last| (plan.calendar.workday_from(last.plus(1)).at(9, 0), successor));
            deal.found_by = found_by(plan, rep, &deal);
            let from_lead = ["Web", "Trade Fair", "Newsletter"].contains(&deal.source) && rng.chance(45);
            if fresh && from_lead && rep.left().is_none() {
                leads.push(leads::converted(plan, rep, leads.len(), account, &deal, &mut rng));
            }
            deals.push(deal);
        }
        leads::unconverted(plan, rep, &mut leads);
        Book { accounts: accounts.into_list(), deals, leads }
    }
}

/// One deal in eight of those that people look for was found by a colleague of the team.
fn found_by(plan: &Plan, rep: &Rep, deal: &Deal) -> Option<Id> {
    let mut rng = Rng::stream(plan.seed, "found", (rep.index * 1_000_000 + deal.id.number()) as u64);
    let beside = rep.index / TEAM * TEAM + rng.below(TEAM);
    let looked_for = ["Outbound", "Trade Fair"].contains(&deal.source) && rep.index < HOUSE;
    (looked_for && rng.chance(25) && beside != rep.index).then(|| Id::new(id::Kind::User, beside, 1))
}

fn deal(id: Id, account: &Account, draft: &Draft, steps: Vec<Step>, rep: &Rep, rng: &mut Rng) -> Deal {
    let name = format!("{} {}", account.company.short, names::product(rng));
    Deal {
        id,
        account: account.id,
        name,
        kind: (!rng.chance(1)).then_some(draft.kind),
        source: if draft.kind == Kind::New { rng.pick(&SOURCES) } else { "Customer" },
        competitor: draft.competitor,
        reason: draft.reason,
        next: rng.pick(&NEXT),
        note: if rng.chance(3) { rng.pick(&NOTES) } else { "" },
        currency: account.currency(),
        found_by: None,
        twin: None,
        discount: match rep.story {
            Story::Star => (0, 5),
            Story::Busy => (14, 30),
            Story::House => (0, 1),
            _ => (3, 16),
        },
        splits: Vec::new(),
        owner: rep.id,
        handed: None,
        steps,
        silent: false,
        deleted: None,
    }
}

/// `Opportunity`: every deal as it stands that night.
pub fn opportunities(books: &[Book], night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals) {
        let Some(now) = deal.known(night).last() else { continue };
        let deleted = deal.deleted_on(night);
        table.id(deal.id).id(deal.account).text(&deal.name).text(now.stage.name()).money(now.amount);
        table.number(now.stage.probability()).day(now.close).text(deal.kind.map_or("", Kind::name)).text(deal.source);
        table.flag(now.stage.closed()).flag(now.stage == Stage::Won).text(now.stage.forecast());
        table.id(deal.owner_on(night));
        table.text(deal.competitor).text(if now.stage == Stage::Lost { deal.reason } else { "" });
        table.text(if now.stage.closed() { "" } else { deal.next });
        let handed = deal.handed.map(|(at, _)| at).filter(|at| *at <= night.end()).map_or(now.at, |at| at.max(now.at));
        table.moment(deal.created()).moment(deleted.unwrap_or(handed)).flag(deleted.is_some()).text(deal.note);
        table.text(deal.currency).id(deal.found_by).text(deal.twin.map_or(String::new(), hubspot::record)).end();
    }
}

/// `OpportunityHistory`: the steps since `after`, up to the night.
pub fn histories(books: &[Book], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals) {
        let seen = after.map_or(0, |after| deal.known(after).len());
        for (n, step) in deal.known(night).iter().enumerate().skip(if deal.silent { usize::MAX } else { seen }) {
            let before = n.checked_sub(1).map(|before| deal.steps[before]);
            let amount = before.and_then(|before| before.amount).filter(|amount| Some(*amount) != step.amount);
            let close = before.map(|before| before.close).filter(|close| *close != step.close);
            table.id(deal.id.child(id::Kind::OpportunityHistory, n)).id(deal.id).text(step.stage.name());
            table.money(step.amount).day(step.close).number(step.stage.probability()).text(step.stage.forecast());
            table.id(step.by).moment(step.at).money(amount).day(close).text(deal.currency).end();
        }
    }
}

/// `OpportunityFieldHistory`: who had a deal before whom, since `after`, up to the night.
pub fn owners(books: &[Book], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals).filter(|deal| !deal.silent) {
        let Some((at, to)) = deal.handed else { continue };
        if at > night.end() || after.is_some_and(|after| at <= after.end()) {
            continue;
        }
        table.id(deal.id.child(id::Kind::FieldHistory, 0)).id(deal.id).text("Owner").id(deal.owner).id(to);
        table.id(to).moment(at).end();
    }
}
