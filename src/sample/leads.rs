//! Leads: people who asked for something. Some became a deal, most did not.

use crate::sample::book::Account;
use crate::sample::book::Book;
use crate::sample::book::Deal;
use crate::sample::book::Lead;
use crate::sample::calendar::Day;
use crate::sample::id::{self, Id};
use crate::sample::names;
use crate::sample::people::Rep;
use crate::sample::plan::Plan;
use crate::sample::rng::Rng;
use crate::sample::table::Table;

/// The lead that a deal and its account came from.
pub fn converted(plan: &Plan, rep: &Rep, number: usize, account: &Account, deal: &Deal, rng: &mut Rng) -> Lead {
    let day = plan.calendar.workday_to(deal.created().day.plus(-rng.between(3, 35)));
    let created = plan.calendar.hours(day, rng);
    let (first, last) = names::anybody(rng);
    let id = Id::new(id::Kind::Lead, rep.index, number);
    let source = rng.pick(&["Web", "Trade Fair", "Newsletter"]);
    let company = account.company.name.clone();
    let converted = Some((deal.created(), account.id, deal.id));
    let owner = rep.id;
    Lead { id, first, last, company, source, owner, created, converted, status: ("Working", created) }
}

/// The leads that became nothing, or nothing yet.
pub fn unconverted(plan: &Plan, rep: &Rep, leads: &mut Vec<Lead>) {
    let mut rng = Rng::stream(plan.seed, "leads", rep.index as u64);
    for month in plan.first.to(plan.last).filter(|month| rep.works_in(*month)) {
        if !rng.chance(38) || rep.temper.effort == 0 {
            continue;
        }
        let created = plan.calendar.hours(rng.pick(&plan.calendar.workdays(month)), &mut rng);
        if created.day < rep.hired || rep.last_day().is_some_and(|last| last < created.day) {
            continue;
        }
        let ended = plan.calendar.hours(plan.calendar.workday_from(created.day.plus(rng.between(2, 60))), &mut rng);
        let status = (rng.weighted(&[(5, "Unqualified"), (4, "Nurturing"), (1, "Working")]), ended);
        let (first, last) = names::anybody(&mut rng);
        // Never a book's first company: those names are taken.
        let company = names::company(rep.index, 1, None, &names::PLACES, &mut rng).name;
        let id = Id::new(id::Kind::Lead, rep.index, leads.len());
        let source = rng.pick(&["Web", "Trade Fair", "Newsletter", "Purchased list"]);
        leads.push(Lead { id, first, last, company, source, owner: rep.id, created, converted: None, status });
    }
}

/// `Lead`: all that were entered up to the night.
pub fn leads(books: &[Book], night: Day, table: &mut Table<'_>) {
    let cut = night.end();
    for lead in books.iter().flat_map(|book| &book.leads).filter(|lead| lead.created <= cut) {
        let converted = lead.converted.filter(|(at, ..)| *at <= cut);
        let (status, changed) = match (converted, lead.status) {
            (Some((at, ..)), _) => ("Converted", at),
            (None, (status, at)) if at <= cut => (status, at),
            _ => ("New", lead.created),
        };
        let host = names::mailbox(lead.company.split(' ').next().unwrap_or_default());
        let host = if host.is_empty() { "office" } else { &host };
        table.id(lead.id).text(lead.first).text(lead.last).text(&lead.company);
        table.text(format!("{}@{host}.example", names::mailbox(lead.last))).text(lead.source).text(status);
        table.id(lead.owner).flag(converted.is_some()).day(converted.map(|(at, ..)| at.day));
        table.id(converted.map(|(_, account, _)| account)).id(converted.map(|(.., deal)| deal));
        table.moment(lead.created).moment(changed).flag(false).end();
    }
}
