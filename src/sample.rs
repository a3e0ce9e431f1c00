//! The sample company: Alderbrook Instruments with its acquired Brackwater Sensors, their people, customers and deals, as
//! three nights of exports from two CRMs and from sales operations.
//!
//! One story is told, rep by rep, beyond the sample's end; an export is a cut through it at its night. The same
//! [`Options`] give the same bytes on any machine, for ever: integers only, no clock, no hashed order.
//!
//! In reading order: `rng` draws and `calendar` counts days; `people` says who sells and what is particular about them;
//! `deals` tells how deals go, `accounts` with whom, `book` puts both together, `lines` says what was sold, `leads` and
//! `activities` add to them; `stories` tells what reports are judged by;
//! `hubspot` and `operations` write what does not stand in the main CRM; `faults` holds what is wrong on purpose, all of it; `table` writes the files.

mod accounts;
mod activities;
mod book;
mod calendar;
mod deals;
mod faults;
mod hubspot;
mod id;
mod leads;
mod lines;
mod names;
mod operations;
mod opportunities;
mod people;
mod plan;
mod rng;
mod stages;
mod stories;
mod table;

use crate::diagnostic::{Diagnostic, Result};
use book::Book;
use calendar::{Calendar, Day};
use people::{Rep, Story};
use plan::{LAST, NIGHTS, Plan};
use stories::Mapping;
use table::Shape::{self, HubSpot, Salesforce, Sheet};
use table::Table;

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

/// Writes all nights' exports, one call of `write` per file: its path, such as
/// `salesforce/2026-09-29/Opportunity.csv`, and its bytes.
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
    // A company a sixth as large.
    let acquired: Vec<Rep> = (0..reps.len() / 6).map(|number| Rep::acquired(number, plan.seed)).collect();
    let mut theirs: Vec<Book> = acquired.iter().map(|rep| Book::of(&plan, rep, rep.id)).collect();
    stories::tell(&plan.calendar, &reps, &mut books, &acquired, &mut theirs);
    accounts::sites(books.iter_mut().chain(&mut theirs));
    let mappings = stories::link(&books, &mut theirs);
    let moved = acquired.iter().zip(&theirs).filter(|(rep, _)| rep.moved_over());
    books.extend(moved.map(|(_, book)| hubspot::migrated(book)));

    for (number, night) in NIGHTS.into_iter().enumerate() {
        // What the night before has exported already, where a table exports only news.
        let after = number.checked_sub(1).map(|before| NIGHTS[before]);
        let (reps, books, acquired, theirs) = (&reps[..], &books[..], &acquired[..], &theirs[..]);
        let export = Export { plan: &plan, reps, books, acquired, theirs, mappings: &mappings, after, night };
        for (shape, source, name, header) in FILES {
            let strays = faults::strays(source, name, number, &reps[0], acquired.first());
            let mut table = Table::new(shape, header, &plan.calendar, strays);
            export.fill(source, name, &mut table);
            write(&format!("{source}/{}/{name}.csv", night.date()), &table.finish()?)?;
        }
    }
    Ok(())
}

/// Who takes over from a rep who leaves or goes on leave: the colleague beside them.
fn successor<'a>(reps: &'a [Rep], rep: &'a Rep) -> &'a Rep {
    let next = rep.index.is_multiple_of(plan::TEAM) || matches!(rep.story, Story::Away(_));
    let beside = if next { rep.index + 1 } else { rep.index - 1 };
    reps.get(beside).unwrap_or(rep)
}

/// A file of a night: its source's shape, its source, its name, its columns.
type File = (Shape, &'static str, &'static str, &'static str);

/// The files of a night.
const FILES: [File; 31] = [
    (
        Salesforce,
        "salesforce",
        "User",
        "Id,Username,FirstName,LastName,Name,Email,Title,IsActive,Hired_On__c,Left_On__c,CreatedDate,LastModifiedDate",
    ),
    (
        Salesforce,
        "salesforce",
        "Account",
        "Id,Name,ParentId,Type,Industry,Segment__c,BillingCity,BillingCountry,NumberOfEmployees,OwnerId,CreatedDate,\
         LastModifiedDate,IsDeleted,Description,Website",
    ),
    (
        Salesforce,
        "salesforce",
        "Lead",
        "Id,FirstName,LastName,Company,Email,LeadSource,Status,OwnerId,IsConverted,ConvertedDate,ConvertedAccountId,\
         ConvertedOpportunityId,CreatedDate,LastModifiedDate,IsDeleted",
    ),
    (
        Salesforce,
        "salesforce",
        "Opportunity",
        "Id,AccountId,Name,StageName,Amount,Probability,CloseDate,Type,LeadSource,IsClosed,IsWon,ForecastCategoryName,\
         OwnerId,Competitor__c,Loss_Reason__c,NextStep,CreatedDate,LastModifiedDate,IsDeleted,Description,\
         CurrencyIsoCode,Sourced_By__c,HubSpot_Deal_Id__c",
    ),
    (
        Salesforce,
        "salesforce",
        "OpportunityHistory",
        "Id,OpportunityId,StageName,Amount,CloseDate,Probability,ForecastCategory,CreatedById,CreatedDate,PrevAmount,\
         PrevCloseDate,CurrencyIsoCode",
    ),
    (
        Salesforce,
        "salesforce",
        "OpportunityFieldHistory",
        "Id,OpportunityId,Field,OldValue,NewValue,CreatedById,CreatedDate",
    ),
    (Salesforce, "salesforce", "Product2", "Id,Name,Family,IsActive"),
    (
        Salesforce,
        "salesforce",
        "OpportunityLineItem",
        "Id,OpportunityId,Product2Id,Quantity,ListPrice,UnitPrice,TotalPrice,Unit_Cost__c,CurrencyIsoCode,CreatedDate,\
         IsDeleted",
    ),
    (Salesforce, "salesforce", "OpportunitySplit", "Id,OpportunityId,SplitOwnerId,SplitPercentage,SplitType,IsDeleted"),
    (
        Salesforce,
        "salesforce",
        "Quote",
        "Id,OpportunityId,Name,Status,TotalPrice,Total_Cost__c,CurrencyIsoCode,Presented_On__c,Decided_On__c,\
         ExpirationDate,CreatedDate,IsDeleted",
    ),
    (
        Salesforce,
        "salesforce",
        "Task",
        "Id,WhoId,WhatId,AccountId,OwnerId,Subject,Status,ActivityDate,TaskSubtype,CallType,CallDisposition,\
         CallDurationInSeconds,Purpose__c,CompletedDateTime,CreatedDate,LastModifiedDate,IsDeleted,Description",
    ),
    (
        Salesforce,
        "salesforce",
        "Event",
        "Id,WhoId,WhatId,AccountId,OwnerId,Subject,Type,Status__c,StartDateTime,EndDateTime,ActivityDate,CreatedDate,\
         LastModifiedDate,IsDeleted,Description",
    ),
    (Salesforce, "salesforce", "quotas", "quota_id,user_id,metric,starts_on,ends_on,amount,currency"),
    (Salesforce, "salesforce", "teams", "team_id,name,level,parent_team_id,leader_user_id"),
    (Salesforce, "salesforce", "assignments", "user_id,team_id,role,starts_on,ends_on"),
    (Salesforce, "salesforce", "absences", "user_id,starts_on,ends_on,share,kind"),
    (Salesforce, "salesforce", "stages", "stage_name,common_stage,position,probability,closed_as,entry_criteria"),
    (HubSpot, "hubspot", "owners", "User ID,First Name,Last Name,Email,Hired On,Left On"),
    (
        HubSpot,
        "hubspot",
        "companies",
        "Record ID,Company name,Company Domain Name,Industry,Country/Region,Segment,Company owner,Parent Company ID,\
         Create Date",
    ),
    (
        HubSpot,
        "hubspot",
        "deals",
        "Record ID,Deal Name,Pipeline,Deal Stage,Amount,Currency,Close Date,Create Date,Deal owner,\
         Associated Company IDs (Primary),Deal Type,Original Source,Competitor,Closed Lost Reason,Forecast category,\
         Next step",
    ),
    (
        HubSpot,
        "hubspot",
        "line_items",
        "Record ID,Associated Deal ID,Product ID,Name,Quantity,Unit price,Net price,Unit cost,Currency",
    ),
    (HubSpot, "hubspot", "products", "Product ID,Name,Product type,Unit price"),
    (
        HubSpot,
        "hubspot",
        "calls",
        "Record ID,Activity date,Call direction,Call outcome,Call duration (seconds),Activity assigned to,\
         Associated Deal IDs,Associated Company IDs",
    ),
    (
        HubSpot,
        "hubspot",
        "meetings",
        "Record ID,Activity date,Meeting outcome,Activity assigned to,Associated Deal IDs,Associated Company IDs",
    ),
    (HubSpot, "hubspot", "stages", "stage_name,common_stage,position,probability,closed_as,entry_criteria"),
    (Sheet, "operations", "exchange_rates", "from_currency,valid_on,rate,kind"),
    (Sheet, "operations", "costs", "cost_id,kind,source,spent_on,amount"),
    (Sheet, "operations", "licences", "tool,starts_on,ends_on,seats,cost"),
    (Sheet, "operations", "tool_use", "user_id,tool,used_on"),
    (Sheet, "operations", "forecasts", "forecast_id,method,user_id,made_on,starts_on,ends_on,amount"),
    (Sheet, "operations", "mappings", "record_table,record_id,same_as,is_same,note"),
];

/// What a night's export is cut from.
struct Export<'a> {
    plan: &'a Plan,
    reps: &'a [Rep],
    /// What stands in the main CRM: the reps' books, the house account's, and what was migrated.
    books: &'a [Book],
    acquired: &'a [Rep],
    /// What stands in the acquired company's.
    theirs: &'a [Book],
    mappings: &'a [Mapping],
    after: Option<Day>,
    night: Day,
}

impl Export<'_> {
    fn fill(&self, source: &str, name: &str, table: &mut Table<'_>) {
        match source {
            "salesforce" => self.salesforce(name, table),
            "hubspot" => self.hubspot(name, table),
            _ => self.operations(name, table),
        }
    }

    fn salesforce(&self, name: &str, table: &mut Table<'_>) {
        let (plan, reps, books, acquired) = (self.plan, self.reps, self.books, self.acquired);
        let (after, night) = (self.after, self.night);
        match name {
            "User" => people::users(reps, acquired, night, table),
            "Account" => accounts::accounts(books, night, table),
            "Lead" => leads::leads(books, night, table),
            "Opportunity" => opportunities::opportunities(books, night, table),
            "OpportunityHistory" => opportunities::histories(books, after, night, table),
            "OpportunityFieldHistory" => opportunities::owners(books, after, night, table),
            "Product2" => lines::products(table),
            "OpportunityLineItem" => lines::items(plan.seed, books, after, night, table),
            "OpportunitySplit" => lines::splits(books, night, table),
            "Quote" => lines::quotes(plan.seed, &plan.calendar, books, after, night, table),
            "Task" => self.each_rep(reps, books, |_, list| activities::tasks(list, after, night, table)),
            "Event" => self.each_rep(reps, books, |_, list| activities::events(list, after, night, table)),
            "quotas" => people::quotas(reps, acquired, plan.first, plan.last, table),
            "teams" => people::teams(reps.len(), acquired.len(), table),
            "assignments" => people::assignments(reps, acquired, table),
            "absences" => people::absences(reps, table),
            "stages" => stages::stages(table),
            other => unreachable!("no table is called {other}"),
        }
    }

    fn hubspot(&self, name: &str, table: &mut Table<'_>) {
        let (reps, books, after, night) = (self.acquired, self.theirs, self.after, self.night);
        match name {
            "owners" => people::owners(reps, table),
            "companies" => hubspot::companies(reps, books, night, table),
            "deals" => hubspot::deals(reps, books, night, table),
            "line_items" => hubspot::line_items(self.plan.seed, reps, books, night, table),
            "products" => hubspot::products(table),
            "calls" => self.each_rep(reps, books, |rep, list| hubspot::calls(rep, list, after, night, table)),
            "meetings" => self.each_rep(reps, books, |rep, list| hubspot::meetings(rep, list, after, night, table)),
            "stages" => stages::stages_at_brackwater(table),
            other => unreachable!("no table is called {other}"),
        }
    }

    fn operations(&self, name: &str, table: &mut Table<'_>) {
        let (plan, after, night) = (self.plan, self.after, self.night);
        let everyone: Vec<&Rep> = self.reps.iter().chain(self.acquired).collect();
        match name {
            "exchange_rates" => operations::exchange_rates(plan, night, table),
            "costs" => operations::costs(plan, everyone.len(), night, table),
            "licences" => operations::licences(plan, everyone.len(), table),
            "tool_use" => operations::tool_use(plan, &everyone, after, night, table),
            "forecasts" => {
                let books = self.books[..self.reps.len()].iter().chain(self.theirs);
                let people: Vec<_> = everyone.into_iter().zip(books).collect();
                operations::forecasts(plan, &people, night, table);
            }
            "mappings" => stories::mappings(self.mappings, table),
            other => unreachable!("no table is called {other}"),
        }
    }

    /// Activities are told again for each file: there may be many, and none is needed twice at a time.
    fn each_rep(&self, reps: &[Rep], books: &[Book], mut tell: impl FnMut(&Rep, &[activities::Activity])) {
        // News can only be about the last month's activities, and those planned for later.
        let from = if self.after.is_some() { self.plan.last } else { self.plan.first };
        for (rep, book) in reps.iter().zip(books) {
            tell(rep, &activities::of(self.plan, rep, book, from));
        }
    }
}

#[cfg(test)]
mod tests;
