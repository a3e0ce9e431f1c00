//! What the contract asks of rows once they are read: references that lead somewhere, and money in the company's
//! currency.

use std::collections::BTreeSet;

use super::company::{Company, Deal};
use super::money::Rates;
use super::rows::berlin_day;

impl Company {
    pub fn settle(&mut self) {
        let before = self.rows_that_may_break();
        self.refer();
        for quote in self.quotes.values_mut() {
            // The export of quotes names nobody: a quote is its deal's owner's of today.
            quote.rep = quote.deal.as_ref().and_then(|deal| self.deals[deal].rep.clone());
        }
        self.convert();
        self.quarantined += before - self.rows_that_may_break();
        let people = &self.people;
        let is_known = |rep: &str, team: &str| people.reps.contains_key(rep) && people.teams.contains_key(team);
        let assignments = people.assignments.iter().flat_map(|(rep, own)| own.iter().map(move |one| (rep, &one.team)));
        self.quarantined += assignments.filter(|(rep, team)| !is_known(rep, team)).count();
        self.credit_closers();
    }

    /// How many rows there are of tables of which rows may be set aside.
    fn rows_that_may_break(&self) -> usize {
        let own = [self.quotas.len(), self.forecasts.len(), self.tool_use.len(), self.credits.len()];
        let of_deals = [self.deals.len(), self.lines.len(), self.quotes.len(), self.changes.len()];
        own.iter().chain(&of_deals).sum::<usize>() + self.people.absences.len()
    }

    /// A reference that leads nowhere is emptied, or its row is set aside.
    fn refer(&mut self) {
        let (reps, accounts) = (&self.people.reps, &self.accounts);
        let known_rep = |id: &mut Option<String>| *id = id.take().filter(|id| reps.contains_key(id));
        for deal in self.deals.values_mut().chain(self.nights.iter_mut().flat_map(|(_, deals)| deals.values_mut())) {
            known_rep(&mut deal.rep);
            known_rep(&mut deal.sourced_by);
            deal.account = deal.account.take().filter(|id| accounts.contains_key(id));
        }
        for activity in &mut self.activities {
            known_rep(&mut activity.rep);
            activity.account = activity.account.take().filter(|id| accounts.contains_key(id));
        }
        self.leads.values_mut().for_each(|lead| known_rep(&mut lead.rep));
        for change in &mut self.owner_changes {
            known_rep(&mut change.from);
            known_rep(&mut change.to);
        }
        let parents: BTreeSet<String> = self.accounts.keys().cloned().collect();
        for account in self.accounts.values_mut() {
            account.parent = account.parent.take().filter(|id| parents.contains(id));
            known_rep(&mut account.rep);
        }
        self.quotas.retain(|quota| reps.contains_key(&quota.rep));
        self.forecasts.retain(|forecast| reps.contains_key(&forecast.rep));
        self.tool_use.retain(|one| reps.contains_key(&one.rep));
        self.credits.retain(|credit| reps.contains_key(&credit.rep) && self.deals.contains_key(&credit.record));
        self.people.absences.retain(|absence| reps.contains_key(&absence.rep));
        let (deals, products) = (&self.deals, &self.products);
        self.lines.retain(|_, line| deals.contains_key(&line.deal));
        for line in self.lines.values_mut() {
            line.product = line.product.take().filter(|id| products.contains_key(id));
        }
        for quote in self.quotes.values_mut() {
            quote.deal = quote.deal.take().filter(|id| deals.contains_key(id));
        }
    }

    /// Money at the rate of its day: a closed deal's is the day it closed, an open one's the date of the run. A row
    /// without a fresh rate is set aside.
    fn convert(&mut self) {
        let as_of = self.as_of;
        let Company { rates, stages, deals, nights, lines, quotes, changes, .. } = self;
        let is_closed = |stage: &str| stages.get(stage).is_some_and(|stage| stage.closed_as.is_some());
        let day_of = |deal: &Deal, open: jiff::civil::Date| if is_closed(&deal.stage) { deal.closed_on } else { open };
        deals.retain(|_, deal| {
            let day = day_of(deal, as_of);
            convert(rates, deal, day)
        });
        // In a night's version the night is the day of an open deal.
        for (night, deals) in nights {
            deals.retain(|_, deal| {
                let day = day_of(deal, *night);
                convert(rates, deal, day)
            });
        }
        lines.retain(|_, line| {
            let Some(deal) = deals.get(&line.deal) else { return false };
            let day = day_of(deal, as_of);
            let each = [&mut line.list, &mut line.amount, &mut line.cost];
            each.into_iter().all(|amount| match rates.convert(*amount, &line.currency, day) {
                Ok(converted) => {
                    *amount = converted;
                    true
                }
                Err(_) => false,
            })
        });
        quotes.retain(|_, quote| {
            let day = quote.decided_on.unwrap_or(as_of);
            let each = [&mut quote.amount, &mut quote.cost];
            each.into_iter().all(|amount| match rates.convert(*amount, &quote.currency, day) {
                Ok(converted) => {
                    *amount = converted;
                    true
                }
                Err(_) => false,
            })
        });
        changes.retain_mut(|change| match rates.convert(change.original, &change.currency, berlin_day(change.at)) {
            Ok(converted) => {
                change.original = converted;
                true
            }
            Err(_) => false,
        });
    }
}

/// Fills a deal's amounts; false if a rate is missing.
fn convert(rates: &Rates, deal: &mut Deal, day: jiff::civil::Date) -> bool {
    deal.at_plan = rates.at_plan(deal.original, &deal.currency, day);
    match rates.convert(deal.original, &deal.currency, day) {
        Ok(amount) => {
            deal.amount = amount;
            true
        }
        Err(_) => false,
    }
}
