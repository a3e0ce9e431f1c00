//! People, accounts and deals that stand in both CRMs, made one: the record of the main CRM stays, and every id that
//! names the other one names it.

use std::collections::{BTreeMap, BTreeSet};

use super::company::Company;

/// The main CRM.
const FIRST: &str = "salesforce:";

/// Ids that are superseded, and what stands for them.
type Same = BTreeMap<String, String>;

/// Keys of records by rule: for each rule a record's key, if it has one.
type Keys<'a> = Vec<(&'a String, Vec<String>)>;

pub fn unite(company: &mut Company) {
    let low = |text: &str| text.trim().to_lowercase();
    let reps: Keys = company.people.reps.iter().map(|(id, rep)| (id, vec![low(&rep.email)])).collect();
    let reps = same(company, "reps", reps);
    let accounts = company.accounts.iter().map(|(id, account)| {
        let (name, country) = (low(&account.name), low(&account.country));
        let place = if name.is_empty() || country.is_empty() { String::new() } else { format!("{name}|{country}") };
        (id, vec![low(&account.domain), place])
    });
    let accounts = same(company, "accounts", accounts.collect());
    // Deals as the newest night has them.
    company.deals = newest(company);
    let deals = company.deals.iter().map(|(id, deal)| (id, vec![low(deal.shared_key.as_deref().unwrap_or(""))]));
    let deals = same(company, "opportunities", deals.collect());
    rewrite(company, &reps, &accounts, &deals);
}

/// What each source's newest night has: a night without a source's file says nothing about its deals.
fn newest(company: &Company) -> BTreeMap<String, super::company::Deal> {
    let mut newest = BTreeMap::new();
    for source in super::SOURCES {
        let is_its = |id: &&String| id.split(':').next() == Some(source);
        let night = company.nights.iter().rev().find(|(_, deals)| deals.keys().any(|id| is_its(&id)));
        let deals = night.into_iter().flat_map(|(_, deals)| deals);
        newest.extend(deals.filter(|(id, _)| is_its(id)).map(|(id, deal)| (id.clone(), deal.clone())));
    }
    newest
}

/// Who is the same as whom: the mapping file first, then rule by rule among those that are not matched yet. A key that
/// stands twice within one source matches nothing.
fn same(company: &Company, table: &str, records: Keys) -> Same {
    let mapped = company.mappings.iter().filter(|mapping| mapping.table == table);
    let ordered = |one: &str, other: &str| match one.starts_with(FIRST) {
        true => (other.to_owned(), one.to_owned()),
        false => (one.to_owned(), other.to_owned()),
    };
    let is_known = |id: &str| records.iter().any(|(record, _)| *record == id);
    let (mut same, mut apart) = (Same::new(), BTreeSet::new());
    for mapping in mapped {
        let pair = ordered(&mapping.record, &mapping.same_as);
        match mapping.is_same {
            true if is_known(&pair.0) && is_known(&pair.1) => drop(same.insert(pair.0, pair.1)),
            true => {}
            false => drop(apart.insert(pair)),
        }
    }
    let rules = records.first().map_or(0, |(_, keys)| keys.len());
    for rule in 0..rules {
        let mut by_key: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for (id, keys) in &records {
            if !keys[rule].is_empty() {
                by_key.entry(&keys[rule]).or_default().push(id);
            }
        }
        for ids in by_key.into_values() {
            let (first, other): (Vec<&String>, Vec<&String>) = ids.into_iter().partition(|id| id.starts_with(FIRST));
            if let ([first], [other]) = (&first[..], &other[..]) {
                let is_taken = same.contains_key(*other) || same.values().any(|taken| taken == *first);
                let pair = ((*other).clone(), (*first).clone());
                if !is_taken && !apart.contains(&pair) {
                    same.insert(pair.0, pair.1);
                }
            }
        }
    }
    same
}

fn rewrite(company: &mut Company, reps: &Same, accounts: &Same, deals: &Same) {
    let to = |same: &Same, id: &mut String| {
        if let Some(canonical) = same.get(id) {
            id.clone_from(canonical);
        }
    };
    let maybe = |same: &Same, id: &mut Option<String>| id.iter_mut().for_each(|id| to(same, id));
    company.people.reps.retain(|id, _| !reps.contains_key(id));
    company.accounts.retain(|id, _| !accounts.contains_key(id));
    company.deals.retain(|id, _| !deals.contains_key(id));
    let own = std::mem::take(&mut company.people.assignments);
    for (mut rep, assignments) in own {
        to(reps, &mut rep);
        company.people.assignments.entry(rep).or_default().extend(assignments);
    }
    company.people.absences.iter_mut().for_each(|one| to(reps, &mut one.rep));
    for account in company.accounts.values_mut() {
        maybe(accounts, &mut account.parent);
        maybe(reps, &mut account.rep);
    }
    let nights = company.nights.iter_mut().flat_map(|(_, deals)| deals.values_mut());
    for deal in company.deals.values_mut().chain(nights) {
        maybe(reps, &mut deal.rep);
        maybe(reps, &mut deal.sourced_by);
        maybe(accounts, &mut deal.account);
    }
    // On each day the history is that of the main CRM's deal, if it is there; else the other's.
    for (_, night) in &mut company.nights {
        for (other, canonical) in deals {
            if let Some(deal) = night.remove(other) {
                night.entry(canonical.clone()).or_insert(deal);
            }
        }
    }
    // What a superseded deal is made of goes with it.
    company.changes.retain(|one| !deals.contains_key(&one.deal));
    company.owner_changes.retain(|one| !deals.contains_key(&one.deal));
    company.lines.retain(|_, one| !deals.contains_key(&one.deal));
    company.credits.retain(|one| !deals.contains_key(&one.record));
    for change in &mut company.owner_changes {
        maybe(reps, &mut change.from);
        maybe(reps, &mut change.to);
    }
    for activity in &mut company.activities {
        maybe(reps, &mut activity.rep);
        maybe(accounts, &mut activity.account);
        maybe(deals, &mut activity.deal);
    }
    company.leads.values_mut().for_each(|one| maybe(reps, &mut one.rep));
    for quote in company.quotes.values_mut() {
        maybe(deals, &mut quote.deal);
        maybe(reps, &mut quote.rep);
    }
    company.credits.iter_mut().for_each(|one| to(reps, &mut one.rep));
    company.quotas.iter_mut().for_each(|one| to(reps, &mut one.rep));
    company.forecasts.iter_mut().for_each(|one| to(reps, &mut one.rep));
    company.tool_use.iter_mut().for_each(|one| to(reps, &mut one.rep));
}
