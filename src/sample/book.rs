//! A rep's book: the accounts, deals and leads that are theirs.

use crate::sample::calendar::{Day, Moment};
use crate::sample::deals::{Kind, Segment, Step};
use crate::sample::id::Id;
use crate::sample::names::Company;

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
#[derive(Clone)]
pub struct Deal {
    /// Its record.
    pub id: Id,
    /// Its customer.
    pub account: Id,
    /// What people call it.
    pub name: String,
    /// What it means for the customer; a few were entered without.
    pub kind: Option<Kind>,
    /// How it came.
    pub source: &'static str,
    /// Who else tries to sell.
    pub competitor: &'static str,
    /// Why it was lost.
    pub reason: &'static str,
    /// What is to be done.
    pub next: &'static str,
    /// What somebody noted.
    pub note: &'static str,
    /// What its amounts are in.
    pub currency: &'static str,
    /// The colleague who found it, if it was not its owner.
    pub found_by: Option<Id>,
    /// The same deal in the CRM from which it was migrated.
    pub twin: Option<Id>,
    /// How much of the list price is given away in it, at least and at most, in percent.
    pub discount: (i64, i64),
    /// Who else has a share in it, how much in percent, and of what kind.
    pub splits: Vec<(Id, i64, &'static str)>,
    /// Whose it was first.
    pub owner: Id,
    /// Whose it became, and when.
    pub handed: Option<(Moment, Id)>,
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

    /// Whose it was that night.
    pub fn owner_on(&self, night: Day) -> Id {
        self.handed.filter(|(at, _)| *at <= night.end()).map_or(self.owner, |(_, to)| to)
    }

    /// Whether it was deleted by that night, and when.
    pub fn deleted_on(&self, night: Day) -> Option<Moment> {
        self.deleted.filter(|deleted| *deleted <= night.end())
    }

    /// The last known step of a day, if the deal was open then.
    pub fn open_on(&self, day: Day) -> Option<&Step> {
        self.known(day).last().filter(|step| !step.stage.closed())
    }
}

/// A customer, or a company that may become one.
#[derive(Clone)]
pub struct Account {
    /// Its record.
    pub id: Id,
    /// Its names and place.
    pub company: Company,
    /// The host of its site; few have none.
    pub host: String,
    /// The company above it.
    pub parent: Option<Id>,
    /// How large it is.
    pub segment: Segment,
    /// How many people work there.
    pub employees: i64,
    /// When it was entered.
    pub created: Moment,
    /// Whose it is.
    pub owner: Id,
    /// It was a customer before the sample begins.
    pub old: bool,
    /// Its first and its last won deal.
    pub won: Option<(Moment, Moment)>,
    /// A deal with it is open until then.
    pub busy: Moment,
}

/// Somebody who asked.
pub struct Lead {
    /// Their record.
    pub id: Id,
    pub first: &'static str,
    pub last: &'static str,
    pub company: String,
    pub source: &'static str,
    pub owner: Id,
    /// When they were entered.
    pub created: Moment,
    /// What they became: when, which account, which deal.
    pub converted: Option<(Moment, Id, Id)>,
    /// How far the rep came, and when.
    pub status: (&'static str, Moment),
}
