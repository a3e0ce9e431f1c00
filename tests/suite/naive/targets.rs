//! Targets day by day: spread over working days, then what ramp and leave take; or simply in force.

use super::company::{Company, Target};
use super::days::Span;
use super::exact::Exact;
use super::metrics::Spec;
use super::scored::Place;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A number as it was set, after ramp, and after leave; in millionths.
type Steps = (i128, i128, i128);

/// What is set for a place in a period: value, low end, high end.
#[derive(Clone, Debug, Default)]
pub struct Set {
    own: Option<[Option<Steps>; 3]>,
    /// The sum of reps' targets.
    of_reps: Option<[Option<Steps>; 3]>,
    /// Whether ramp and leave take from some of it.
    is_open: [bool; 2],
}

impl Set {
    pub fn target(&self) -> Option<Exact> {
        self.numbers().into_iter().find_map(|(name, number)| number.filter(|_| name == "target"))
    }

    /// What stands here of the target that counts in all of a period: a team's own one, also where it has no day here.
    pub fn part_of(&self, whole: &Set) -> Option<Exact> {
        let parts = if whole.own.is_some() { self.own } else { self.of_reps };
        parts?[0].map(|(_, _, left)| Exact::millionths(left))
    }

    /// The columns of a score.
    pub fn numbers(&self) -> Vec<(&'static str, Option<Exact>)> {
        let [amount, low, high] = self.own.or(self.of_reps).unwrap_or_default();
        let is_open = if self.own.is_some() { self.is_open[0] } else { self.is_open[1] };
        let last = |steps: Option<Steps>| steps.map(|(_, _, last)| Exact::millionths(last));
        let taken = |taken: i128| is_open.then_some(Exact::millionths(taken));
        vec![
            ("target", last(amount)),
            ("target_low", last(low)),
            ("target_high", last(high)),
            ("target_of_reps", self.of_reps.and_then(|[amount, _, _]| last(amount))),
            ("target_given", amount.map(|(given, _, _)| Exact::millionths(given))),
            ("target_ramp", amount.and_then(|(given, ramped, _)| taken(ramped - given))),
            ("target_absent", amount.and_then(|(_, ramped, left)| taken(left - ramped))),
        ]
    }
}

/// A target's days, each with its part.
struct Spread<'a> {
    target: &'a Target,
    days: Vec<(Date, [Option<Steps>; 3])>,
}

pub struct Targets<'a> {
    sums: Vec<Spread<'a>>,
}

fn is_sum(metric: &str) -> bool {
    Spec::of(metric).is_some_and(Spec::is_sum)
}

fn same_goal(one: &Target, other: &Target) -> bool {
    one.metric == other.metric && one.rep == other.rep && one.team == other.team && one.slice == other.slice
}

impl<'a> Targets<'a> {
    pub fn of(company: &'a Company) -> Targets<'a> {
        let sums = company.targets.iter().filter(|target| is_sum(target.metric));
        Targets { sums: sums.map(|target| spread(company, target)).collect() }
    }

    /// What is set for each place in a period.
    pub fn of_period(
        &self,
        company: &Company,
        spec: &Spec,
        levels: &[&str],
        period: Span,
        days: Span,
    ) -> BTreeMap<Place, Set> {
        match spec.is_sum() {
            true => self.sums_of(company, spec.id, levels, days),
            false => in_force(company, spec.id, period),
        }
    }

    fn sums_of(&self, company: &Company, metric: &str, levels: &[&str], days: Span) -> BTreeMap<Place, Set> {
        let mut found: BTreeMap<Place, Set> = BTreeMap::new();
        for spread in self.sums.iter().filter(|spread| spread.target.metric == metric) {
            for (day, parts) in spread.days.iter().filter(|(day, _)| days.has(*day)) {
                let mut place = own_place(company, spread.target);
                if let Some(rep) = &spread.target.rep {
                    place.1 = company.entity("rep", Some(rep), *day);
                }
                let set = found.entry(place.clone()).or_default();
                let is_open = spread.target.rep.is_some() && !spread.target.fixed && parts[0].is_some();
                set.is_open[0] |= is_open;
                add(&mut set.own, parts);
                for level in levels.iter().filter(|level| spread.target.rep.is_some() && **level != "rep") {
                    let entity = company.entity(level, spread.target.rep.as_deref(), *day);
                    let above = ((*level).to_owned(), entity, place.2.clone(), place.3.clone());
                    let set = found.entry(above).or_default();
                    set.is_open[1] |= is_open;
                    add(&mut set.of_reps, parts);
                }
            }
        }
        found
    }
}

fn add(to: &mut Option<[Option<Steps>; 3]>, parts: &[Option<Steps>; 3]) {
    for (sum, part) in to.get_or_insert_default().iter_mut().zip(parts) {
        if let Some((given, ramped, left)) = part {
            let before = sum.unwrap_or_default();
            *sum = Some((before.0 + given, before.1 + ramped, before.2 + left));
        }
    }
}

fn own_place(company: &Company, target: &Target) -> Place {
    let (level, entity) = match (&target.rep, &target.team) {
        (Some(rep), _) => ("rep", rep.as_str()),
        (None, Some(team)) => (company.teams.iter().find(|one| one.id == *team).unwrap().level, team.as_str()),
        (None, None) => ("company", "company"),
    };
    let (slice, value) = target.slice.unwrap_or_default();
    (level.to_owned(), entity.to_owned(), slice.to_owned(), value.to_owned())
}

/// The target in force on the period's last day; of several the one that began last.
pub fn in_force(company: &Company, metric: &str, period: Span) -> BTreeMap<Place, Set> {
    // By its own first day, aligned or not. Of two that began on one day the rules name none: Scorebook takes the one
    // with the later end that is written down.
    let mut targets: Vec<&Target> = company.targets.iter().filter(|target| target.metric == metric).collect();
    targets.sort_by_key(|target| (target.from, target.to, &target.id));
    let mut found: BTreeMap<Place, Set> = BTreeMap::new();
    for target in targets {
        let end = target.to.or(next_start(company, target).map(|next| next - 1.day()));
        let holds = Span { start: target.from, end: end.unwrap_or(Date::MAX) };
        let holds = if target.nearest { nearest(company, holds) } else { holds };
        if holds.has(period.end) {
            let own = target.amounts.map(|amount| amount.map(|amount| (amount.into(), amount.into(), amount.into())));
            found.insert(own_place(company, target), Set { own: Some(own), ..Set::default() });
        }
    }
    found
}

/// When the same goal starts next.
fn next_start(company: &Company, target: &Target) -> Option<Date> {
    let later = company.targets.iter().filter(|other| same_goal(target, other) && other.from > target.from);
    later.map(|other| other.from).min()
}

/// Drops targets until no two of one goal say something of the same days, which stops a run: sums may not overlap, and of
/// what is in force no two may begin on one day.
pub fn drop_twins(company: &mut Company) {
    let is_twin = |company: &Company, i: usize| {
        let (earlier, later) = company.targets.split_at(i);
        earlier.iter().any(|other| same_goal(other, &later[0]) && are_twins(company, other, &later[0]))
    };
    while let Some(i) = (0..company.targets.len()).find(|i| is_twin(company, *i)) {
        company.targets.remove(i);
        // A sum's last target must end.
        for i in 0..company.targets.len() {
            let one = &company.targets[i];
            if one.to.is_none() && is_sum(one.metric) && next_start(company, one).is_none() {
                company.targets[i].to = Some(one.from + 91.days());
            }
        }
    }
}

fn are_twins(company: &Company, one: &Target, other: &Target) -> bool {
    if is_sum(one.metric) {
        let (one, other) = (covered(company, one), covered(company, other));
        return one.start <= other.end && other.start <= one.end;
    }
    let start = |target: &Target| match target.nearest {
        true => covered(company, target).start,
        false => target.from,
    };
    start(one) == start(other)
}

/// The days that a target of a sum covers.
pub fn covered(company: &Company, target: &Target) -> Span {
    let end = target.to.unwrap_or_else(|| next_start(company, target).expect("an end") - 1.day());
    let span = Span { start: target.from, end };
    if target.nearest { nearest(company, span) } else { span }
}

/// The period that these days overlap most, of the grain nearest to their length; of equals the earlier one.
fn nearest(company: &Company, span: Span) -> Span {
    let length = span.days().len();
    let grains = [("month", 30), ("quarter", 91), ("year", 365)];
    let (grain, _) = grains.into_iter().min_by_key(|(_, days)| length.abs_diff(*days)).unwrap();
    let mut best: Option<(usize, Span)> = None;
    let mut period = company.cal.period(grain, span.start);
    while period.start <= span.end {
        let overlap = span.days().iter().filter(|day| period.has(**day)).count();
        if best.is_none_or(|(most, _)| overlap > most) {
            best = Some((overlap, period));
        }
        period = company.cal.period(grain, period.end + 1.day());
    }
    best.unwrap().1
}

fn spread<'a>(company: &Company, target: &'a Target) -> Spread<'a> {
    let span = covered(company, target);
    let rep = target.rep.as_deref();
    let mut days: Vec<Date> = span.days().into_iter().filter(|day| company.works(rep, *day)).collect();
    if days.is_empty() {
        days = span.days();
    }
    let money = Spec::of(target.metric).is_some_and(|spec| spec.money);
    let unit = if money { 10_000 } else { 1 };
    // The rules do not say whether ramp and leave take from a range. Scorebook takes nothing from it.
    let is_range = target.amounts[0].is_none();
    let parts: [Option<Vec<Steps>>; 3] = target.amounts.map(|amount| {
        let total = i128::from(amount?) / unit;
        let count = days.len() as i128;
        let nominal: Vec<i128> = (0..count).map(|i| total / count + i128::from(i < total % count)).collect();
        let factors = |of: &dyn Fn(Date) -> i64| days.iter().map(|day| of(*day)).collect::<Vec<i64>>();
        let free = rep.filter(|_| !target.fixed && !is_range);
        let ramped = taken(&nominal, &factors(&|day| free.map_or(100, |rep| ramp(company, rep, day))));
        let left = taken(&ramped, &factors(&|day| free.map_or(100, |rep| present(company, rep, day))));
        let all = nominal.into_iter().zip(ramped).zip(left);
        Some(all.map(|((given, ramped), left)| (given * unit, ramped * unit, left * unit)).collect())
    });
    let part = |i: usize| [0, 1, 2].map(|field| parts[field as usize].as_ref().map(|steps: &Vec<Steps>| steps[i]));
    Spread { target, days: days.iter().enumerate().map(|(i, day)| (*day, part(i))).collect() }
}

/// What is left of each day: the exact sum up to it, rounded half away from zero, less that up to the day before.
fn taken(days: &[i128], hundredths: &[i64]) -> Vec<i128> {
    let (mut exact, mut before) = (0, 0);
    let day = |(amount, factor): (&i128, &i64)| {
        exact += amount * i128::from(*factor);
        let rounded = (2 * exact + 100) / 200;
        let part = rounded - before;
        before = rounded;
        part
    };
    days.iter().zip(hundredths).map(day).collect()
}

/// The part of a day's target that a new rep has, in hundredths.
fn ramp(company: &Company, rep: &str, day: Date) -> i64 {
    let Some(hired) = company.reps.iter().find(|one| one.id == rep).and_then(|one| one.hired) else { return 100 };
    let mut month = 0;
    while hired + (month + 1).months() <= day {
        month += 1;
    }
    company.ramp.get(month as usize).copied().unwrap_or(100)
}

/// The part of a day on which a rep is there, in hundredths.
fn present(company: &Company, rep: &str, day: Date) -> i64 {
    let absent = company
        .absences
        .iter()
        .filter(|one| one.rep == rep && Span { start: one.from, end: one.to.unwrap_or(Date::MAX) }.has(day));
    100 - absent.map(|one| one.share.unwrap_or(100)).sum::<i64>().min(100)
}
