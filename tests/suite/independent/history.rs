//! Deals as they stood: before the first landed night from the CRM's own history, from then on from night to night.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::company::{Change, Company, Deal, OwnerChange};
use super::rows::berlin_day;

/// A deal from a day up to, not including, another.
pub struct Version {
    pub deal: String,
    pub from: Date,
    /// `Date::MAX` if it still stands.
    pub to: Date,
    /// Nothing where a deal was open in a stage that no one knows.
    pub stage: Option<String>,
    /// The common name and place of the stage.
    pub stage_name: Option<String>,
    pub position: Option<i64>,
    pub is_open: bool,
    pub amount: Option<i128>,
    pub closed_on: Option<Date>,
    pub rep: Option<String>,
}

/// All deals' versions, the oldest first.
pub struct History(BTreeMap<String, Vec<Version>>);

impl History {
    pub fn of(company: &Company) -> History {
        let (changes, owners) = (company.changes_by_deal(), company.owners_by_deal());
        let first_nights: BTreeMap<&str, Date> =
            super::SOURCES.iter().map(|name| (*name, company.first_night(name))).collect();
        let mut versions = BTreeMap::new();
        for (id, deal) in company.all_deals() {
            let changes = changes.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let owners = owners.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let told = first_nights[id.split(':').next().expect("a source")];
            versions.insert(id.clone(), company.versions_of(id, deal, changes, owners, told));
        }
        History(versions)
    }

    /// By deal and day.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.0.values().flatten()
    }

    /// Each version with the one before it, if that ended on its day; and the last one's end, if it has one.
    pub fn steps(&self) -> Vec<(Option<&Version>, Option<&Version>)> {
        let mut steps = Vec::new();
        for versions in self.0.values() {
            let mut before: Option<&Version> = None;
            for version in versions {
                if before.is_some_and(|before| before.to < version.from) {
                    steps.push((before, None));
                    before = None;
                }
                steps.push((before, Some(version)));
                before = Some(version);
            }
            if before.is_some_and(|before| before.to < Date::MAX) {
                steps.push((before, None));
            }
        }
        steps
    }

    /// Whether a deal was open at any time before a version.
    pub fn was_open_before(&self, version: &Version) -> bool {
        self.0[&version.deal].iter().any(|other| other.is_open && other.from < version.from)
    }
}

/// What a version says of its deal.
#[derive(Clone)]
struct State {
    stage: Option<String>,
    amount: Option<i128>,
    closed_on: Option<Date>,
    rep: Option<String>,
}

impl Company {
    /// The deals that stand, and those that are gone as the last night that had them shows them.
    fn all_deals(&self) -> BTreeMap<&String, &Deal> {
        let nights = self.nights.iter().flat_map(|(_, deals)| deals);
        nights.chain(&self.deals).collect()
    }

    /// A deal that stands, or stood.
    pub fn deal(&self, id: &str) -> Option<&Deal> {
        self.deals.get(id).or_else(|| self.nights.iter().rev().find_map(|(_, deals)| deals.get(id)))
    }

    /// The first night with a source's deals.
    fn first_night(&self, source: &str) -> Date {
        let has = |deals: &BTreeMap<String, Deal>| deals.keys().any(|other| other.split(':').next() == Some(source));
        self.nights.iter().find(|(_, deals)| has(deals)).map_or(Date::MAX, |(night, _)| *night)
    }

    fn versions_of(
        &self,
        id: &str,
        deal: &Deal,
        changes: &[&Change],
        owners: &[&OwnerChange],
        told: Date,
    ) -> Vec<Version> {
        let seen = self.nights.iter().find_map(|(_, deals)| deals.get(id)).unwrap_or(deal);
        // By day, the last state of a day overwriting the others.
        let mut states: BTreeMap<Date, Option<State>> = BTreeMap::new();
        for change in changes.iter().filter(|change| berlin_day(change.at) < told) {
            let state = State {
                stage: Some(change.stage.clone()),
                amount: change.original,
                closed_on: change.closed_on,
                rep: owner_on(owners, berlin_day(change.at), seen),
            };
            states.insert(berlin_day(change.at), Some(state));
        }
        if changes.is_empty() {
            states.extend(self.without_history(seen, owners).into_iter().filter(|(day, _)| *day < told));
        }
        // A change of owner is a version of its own.
        for day in owners.iter().map(|change| berlin_day(change.at)).filter(|day| *day < told) {
            if let Some((_, Some(before))) = states.range(..=day).next_back() {
                let state = State { rep: owner_on(owners, day, seen), ..before.clone() };
                states.insert(day, Some(state));
            }
        }
        states.insert(told, None);
        self.add_nights(id, &mut states);
        let ends: Vec<Date> = states.keys().copied().skip(1).chain([Date::MAX]).collect();
        let each = states.into_iter().zip(ends).filter_map(|((from, state), to)| Some((from, to, state?)));
        each.map(|(from, to, state)| {
            let State { stage, amount, closed_on, rep } = state;
            let known = stage.as_ref().and_then(|stage| self.stages.get(stage));
            let (stage_name, position) = (known.map(|known| known.name.clone()), known.map(|known| known.position));
            let is_open = stage.as_ref().is_none_or(|stage| self.closed_as(stage).is_empty());
            Version { deal: id.to_owned(), from, to, stage, stage_name, position, is_open, amount, closed_on, rep }
        })
        .collect()
    }

    /// Without history a deal has stood since its creation as it was first seen; if it was closed, it was open until
    /// then, in a stage that no one knows.
    fn without_history(&self, seen: &Deal, owners: &[&OwnerChange]) -> BTreeMap<Date, Option<State>> {
        let state = |stage, day| {
            let (amount, closed_on) = (seen.amount, Some(seen.closed_on));
            Some(State { stage, amount, closed_on, rep: owner_on(owners, day, seen) })
        };
        let stage = Some(seen.stage.clone());
        if self.closed_as(&seen.stage).is_empty() {
            return BTreeMap::from([(seen.created_on, state(stage, seen.created_on))]);
        }
        let closed_on = seen.closed_on.max(seen.created_on);
        // Closed on the day of its creation, it never stood open.
        BTreeMap::from([(seen.created_on, state(None, seen.created_on)), (closed_on, state(stage, closed_on))])
    }

    /// Each night that shows a deal otherwise than the one before begins a version, and is its money's day.
    fn add_nights(&self, id: &str, states: &mut BTreeMap<Date, Option<State>>) {
        let mut before = None;
        for (night, deals) in &self.nights {
            let now = deals.get(id);
            let shown = now
                .map(|deal| (&deal.stage, deal.original, &deal.currency, deal.closed_on, deal.created_on, &deal.rep));
            if shown != before {
                states.insert(*night, now.map(state));
            }
            before = shown;
        }
    }

    /// A closed deal stays with the one who had it when it was closed, whoever the CRM names later.
    pub fn credit_closers(&mut self) {
        let credited: Vec<(String, Option<String>)> = {
            let (changes, owners) = (self.changes_by_deal(), self.owners_by_deal());
            let closed = self.deals.iter().filter(|(_, deal)| self.is_closed(&deal.stage));
            let closer = |(id, deal): (&String, &Deal)| {
                let changes = changes.get(id.as_str()).map_or(&[][..], Vec::as_slice);
                let owners = owners.get(id.as_str()).map_or(&[][..], Vec::as_slice);
                (id.clone(), self.closer(id, deal, changes, owners))
            };
            closed.map(closer).collect()
        };
        for (id, rep) in credited {
            self.deals.get_mut(&id).expect("it stands").rep = rep;
        }
    }

    fn is_closed(&self, stage: &str) -> bool {
        self.stages.get(stage).is_some_and(|stage| stage.closed_as.is_some())
    }

    /// Who had a deal when it closed: at the first change into a closed stage after the last one into an open one; a
    /// deal without history closed at the end of its day.
    fn closer(&self, id: &str, deal: &Deal, changes: &[&Change], owners: &[&OwnerChange]) -> Option<String> {
        let last_open = changes.iter().rposition(|change| !self.is_closed(&change.stage));
        let closing = changes.iter().skip(last_open.map_or(0, |place| place + 1)).map(|change| change.at).next();
        let is_before = |change: &&&OwnerChange| match closing {
            Some(at) => change.at <= at,
            None => berlin_day(change.at) <= deal.closed_on,
        };
        if let Some(change) = owners.iter().rev().find(is_before) {
            return change.to.clone();
        }
        if let Some(first) = owners.first() {
            return first.from.clone();
        }
        // Without any change of owner, its owner's in the first night that shows it closed, after all that show it open.
        let shown: Vec<&Deal> = self.nights.iter().filter_map(|(_, deals)| deals.get(id)).collect();
        let open = shown.iter().rposition(|deal| !self.is_closed(&deal.stage)).map_or(0, |place| place + 1);
        shown.get(open).map_or(deal.rep.clone(), |deal| deal.rep.clone())
    }

    fn changes_by_deal(&self) -> BTreeMap<&str, Vec<&Change>> {
        let mut changes: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &self.changes {
            changes.entry(&change.deal).or_default().push(change);
        }
        changes.values_mut().for_each(|own| own.sort_by_key(|change| (change.at, &change.id)));
        changes
    }

    fn owners_by_deal(&self) -> BTreeMap<&str, Vec<&OwnerChange>> {
        let mut owners: BTreeMap<&str, Vec<&OwnerChange>> = BTreeMap::new();
        for change in &self.owner_changes {
            owners.entry(&change.deal).or_default().push(change);
        }
        owners.values_mut().for_each(|own| own.sort_by_key(|change| (change.at, &change.id)));
        owners
    }
}

fn state(deal: &Deal) -> State {
    State {
        stage: Some(deal.stage.clone()),
        amount: deal.amount,
        closed_on: Some(deal.closed_on),
        rep: deal.rep.clone(),
    }
}

/// Who had a deal on a day: the last change up to its end says; before the first change whom that took it from; without
/// any the owner whom the first night shows.
fn owner_on(owners: &[&OwnerChange], day: Date, seen: &Deal) -> Option<String> {
    match owners.iter().rev().find(|change| berlin_day(change.at) <= day) {
        Some(change) => change.to.clone(),
        None => owners.first().map_or(seen.rep.clone(), |first| first.from.clone()),
    }
}
