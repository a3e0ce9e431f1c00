//! A rep's book: the accounts, deals and leads that are theirs.

use super::Plan;
use super::accounts::{Account, Accounts};
use super::calendar::{Day, Moment};
use super::deals::{self, Draft, Kind, Step};
use super::id::{self, Id};
use super::leads::{self, Lead};
use super::names;
use super::people::Rep;
use super::rng::Rng;
use super::stages::Stage;
use super::table::Table;

/// What a rep works on.
pub struct Book {
    /// The accounts, in the order they were entered.
    pub accounts: Vec<Account>,
    /// The deals, in the order they were entered.
    pub deals: Vec<Deal>,
    /// The leads.
    pub leads: Vec<Lead>,
}

/// A deal and its whole life.
pub struct Deal {
    /// Its record.
    pub id: Id,
    /// Its customer.
    pub account: Id,
    name: String,
    /// What it means for the customer; a few were entered without.
    kind: Option<Kind>,
    source: &'static str,
    competitor: &'static str,
    reason: &'static str,
    next: &'static str,
    note: &'static str,
    /// Whose it is today.
    pub owner: Id,
    /// What was recorded, in order.
    pub steps: Vec<Step>,
    /// The CRM kept no history of it.
    pub silent: bool,
    /// When somebody deleted it.
    pub deleted: Option<Moment>,
}

impl Deal {
    /// When it was entered.
    pub fn created(&self) -> Moment {
        self.steps[0].at
    }

    /// What a night's export knows of it: the steps up to then.
    pub fn known(&self, night: Day) -> &[Step] {
        let count = self.steps.iter().take_while(|step| step.at <= night.end()).count();
        &self.steps[..count]
    }

    /// The last known step of a day, if the deal was open then.
    pub fn open_on(&self, day: Day) -> Option<&Step> {
        self.known(day).last().filter(|step| !step.stage.closed())
    }
}

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
        let left = rep.left();
        let after = |day: Day| if left.is_some_and(|left| day > left) { successor } else { rep.id };
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
            let deal = deal(id, account, &draft, steps, after(draft.recorded.day), &mut rng);
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

fn deal(id: Id, account: &Account, draft: &Draft, steps: Vec<Step>, owner: Id, rng: &mut Rng) -> Deal {
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
        owner,
        steps,
        silent: false,
        deleted: None,
    }
}

/// `Opportunity`: every deal as it stands that night.
pub fn opportunities(books: &[Book], night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals) {
        let Some(now) = deal.known(night).last() else { continue };
        let deleted = deal.deleted.filter(|deleted| *deleted <= night.end());
        table.id(deal.id).id(deal.account).text(&deal.name).text(now.stage.name()).money(now.amount);
        table.number(now.stage.probability()).day(now.close).text(deal.kind.map_or("", Kind::name)).text(deal.source);
        table.flag(now.stage.closed()).flag(now.stage == Stage::Won).text(now.stage.forecast()).id(deal.owner);
        table.text(deal.competitor).text(if now.stage == Stage::Lost { deal.reason } else { "" });
        table.text(if now.stage.closed() { "" } else { deal.next });
        table.moment(deal.created()).moment(deleted.unwrap_or(now.at)).flag(deleted.is_some()).text(deal.note).end();
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
            table.id(step.by).moment(step.at).money(amount).day(close).end();
        }
    }
}
