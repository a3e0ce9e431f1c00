//! The sample company: Alderbrook Instruments, its people, customers and deals, as two nights of CRM exports.
//!
//! One story is told, rep by rep, beyond the sample's end; an export is a cut through it at its night. The same
//! [`Options`] give the same bytes on any machine, for ever: integers only, no clock, no hashed order.
//!
//! In reading order: `rng` draws and `calendar` counts days; `people` says who sells and what is particular about them;
//! `deals` tells how deals go, `accounts` with whom, `book` puts both together, `leads` and `activities` add to them;
//! `faults` holds what is wrong on purpose, all of it; `table` writes the files.

mod accounts;
mod activities;
mod book;
mod calendar;
mod deals;
mod faults;
mod id;
mod leads;
mod names;
mod people;
mod rng;
mod stages;
mod table;

use crate::diagnostic::{Diagnostic, Result};
use book::Book;
use calendar::{Calendar, Day, Month};
use people::Rep;
use table::Table;

/// The nights of the two exports; the sample's last month is theirs.
const NIGHTS: [Day; 2] = [Day::of(2026, 9, 29), Day::of(2026, 9, 30)];
const LAST: Month = Month::of(2026, 9);

/// How large a sample is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many people sell.
    pub reps: u32,
    /// How many months, up to September 2026.
    pub months: u32,
    /// Calls, mails and meetings per rep and month.
    pub activities: u32,
    /// Another seed tells another story with the same people.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { reps: 24, months: 24, activities: 8, seed: 2 }
    }
}

/// What all parts of the story go by.
struct Plan {
    seed: u64,
    first: Month,
    last: Month,
    activities: u32,
    calendar: Calendar,
}

/// Writes both nights' exports, one call of `write` per file: its path, such as `2026-09-29/Opportunity.csv`, and its
/// bytes.
pub fn generate(options: &Options, write: &mut dyn FnMut(&str, &[u8]) -> Result<()>) -> Result<()> {
    if !(1..=100_000).contains(&options.reps) || !(1..=240).contains(&options.months) {
        return Err(Diagnostic::usage("a sample has 1 to 100000 reps and 1 to 240 months"));
    }
    if options.activities > 1_000 {
        return Err(Diagnostic::usage("a sample has at most 1000 activities per rep and month"));
    }
    let first = LAST.plus(1 - options.months as i32);
    let calendar = Calendar::new(first, LAST);
    let plan = Plan { seed: options.seed, first, last: LAST, activities: options.activities, calendar };
    let reps: Vec<Rep> = (0..options.reps as usize).map(|index| Rep::new(index, plan.seed)).collect();
    let house = Rep::house(plan.seed);
    let mut books: Vec<Book> = reps.iter().map(|rep| Book::of(&plan, rep, successor(&reps, rep).id)).collect();
    books.push(Book::of(&plan, &house, house.id));
    accounts::join(&mut books[..reps.len()]);
    faults::spoil(&mut books, reps.len());

    for (number, night) in NIGHTS.into_iter().enumerate() {
        // What the night before has exported already, where a table exports only news.
        let after = number.checked_sub(1).map(|before| NIGHTS[before]);
        let export = Export { plan: &plan, reps: &reps, books: &books, after, night };
        for (name, header) in TABLES {
            let mut table = Table::new(header, &plan.calendar, faults::strays(name, number, &reps[0]));
            export.fill(name, &mut table);
            write(&format!("{}/{name}.csv", night.date()), &table.finish()?)?;
        }
    }
    Ok(())
}

/// Who takes over from a rep who leaves: the colleague beside them.
fn successor<'a>(reps: &'a [Rep], rep: &'a Rep) -> &'a Rep {
    let beside = if rep.index.is_multiple_of(people::TEAM) { rep.index + 1 } else { rep.index - 1 };
    reps.get(beside).unwrap_or(rep)
}

/// The files of a night and their columns.
const TABLES: [(&str, &str); 11] = [
    (
        "User",
        "Id Username FirstName LastName Name Email Title IsActive Hired_On__c Left_On__c CreatedDate LastModifiedDate",
    ),
    (
        "Account",
        "Id Name ParentId Type Industry Segment__c BillingCity BillingCountry NumberOfEmployees OwnerId CreatedDate \
         LastModifiedDate IsDeleted Description",
    ),
    (
        "Lead",
        "Id FirstName LastName Company Email LeadSource Status OwnerId IsConverted ConvertedDate ConvertedAccountId \
         ConvertedOpportunityId CreatedDate LastModifiedDate IsDeleted",
    ),
    (
        "Opportunity",
        "Id AccountId Name StageName Amount Probability CloseDate Type LeadSource IsClosed IsWon ForecastCategoryName \
         OwnerId Competitor__c Loss_Reason__c NextStep CreatedDate LastModifiedDate IsDeleted Description",
    ),
    (
        "OpportunityHistory",
        "Id OpportunityId StageName Amount CloseDate Probability ForecastCategory CreatedById CreatedDate PrevAmount \
         PrevCloseDate",
    ),
    (
        "Task",
        "Id WhoId WhatId AccountId OwnerId Subject Status ActivityDate TaskSubtype CallType CallDisposition \
         CallDurationInSeconds Purpose__c CompletedDateTime CreatedDate LastModifiedDate IsDeleted Description",
    ),
    (
        "Event",
        "Id WhoId WhatId AccountId OwnerId Subject Type Status__c StartDateTime EndDateTime ActivityDate CreatedDate \
         LastModifiedDate IsDeleted Description",
    ),
    ("quotas", "quota_id user_id metric starts_on ends_on amount currency"),
    ("teams", "team_id name level parent_team_id leader_user_id"),
    ("assignments", "user_id team_id role starts_on ends_on"),
    ("stages", "stage_name common_stage position probability closed_as entry_criteria"),
];

/// What a night's export is cut from.
struct Export<'a> {
    plan: &'a Plan,
    reps: &'a [Rep],
    books: &'a [Book],
    after: Option<Day>,
    night: Day,
}

impl Export<'_> {
    fn fill(&self, name: &str, table: &mut Table<'_>) {
        let (after, night) = (self.after, self.night);
        match name {
            "User" => people::users(self.reps, night, table),
            "Account" => accounts::accounts(self.books, night, table),
            "Lead" => leads::leads(self.books, night, table),
            "Opportunity" => book::opportunities(self.books, night, table),
            "OpportunityHistory" => book::histories(self.books, after, night, table),
            "Task" => self.each_rep(|list| activities::tasks(list, after, night, table)),
            "Event" => self.each_rep(|list| activities::events(list, after, night, table)),
            "quotas" => people::quotas(self.reps, self.plan.first, self.plan.last, table),
            "teams" => people::teams(self.reps.len(), table),
            "assignments" => people::assignments(self.reps, table),
            "stages" => stages::stages(table),
            other => unreachable!("no table is called {other}"),
        }
    }

    /// Activities are told again for each file: there may be many, and none is needed twice at a time.
    fn each_rep(&self, mut tell: impl FnMut(&[activities::Activity])) {
        // News can only be about the last month's activities, and those planned for later.
        let from = if self.after.is_some() { self.plan.last } else { self.plan.first };
        for (rep, book) in self.reps.iter().zip(self.books) {
            tell(&activities::of(self.plan, rep, book, from));
        }
    }
}

/// So many percent of a number, rounded down.
fn percent(number: i64, percent: i64) -> i64 {
    number * percent / 100
}

#[cfg(test)]
mod tests;
