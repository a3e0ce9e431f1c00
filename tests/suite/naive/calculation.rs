//! The scores of a small company once more: brute force, fact by fact and day by day, from the written rules alone.

use super::company::Company;
use super::credits;
use super::days::Span;
use super::exact::Exact;
use super::habit::{self, Judged};
use super::metrics::{self, Aggregate, Better, Fact, ONE, SPECS, Spec};
use super::targets::{Set, Targets};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Level, entity, slice, value of the slice.
pub type Place = (String, String, String, String);
/// Grain, first day, place.
pub type Key = (String, Date, Place);

/// What the facts of one place add up to.
#[derive(Clone, Debug, Default)]
struct Cell {
    value: Option<Exact>,
    sides: Option<(Exact, Exact)>,
    n: i64,
    interval: Option<[Exact; 2]>,
}

/// A score's numbers, by name, and what they belong to.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub end: Date,
    pub n: i64,
    pub numbers: BTreeMap<&'static str, Exact>,
    pub pace_by: Option<&'static str>,
    pub alert: Option<&'static str>,
    pub state: Option<&'static str>,
}

impl Row {
    pub fn put(&mut self, name: &'static str, number: Option<Exact>) {
        number.map(|number| self.numbers.insert(name, number));
    }

    pub fn get(&self, name: &str) -> Option<Exact> {
        self.numbers.get(name).copied()
    }

    fn put_target(&mut self, set: &Set) {
        set.numbers().into_iter().for_each(|(name, number)| self.put(name, number));
        if let (Some(value), Some(target), None) = (self.get("value"), self.get("target"), self.state) {
            self.put("attainment", value.by(target));
        }
    }
}

pub type Rows = BTreeMap<Key, Row>;

/// The scores of these metrics.
pub fn scores(company: &Company, metrics: &[&'static str], levels: &[&str]) -> BTreeMap<&'static str, Rows> {
    let targets = Targets::of(company);
    let of = |spec| Metric::of(company, &targets, spec, levels);
    let mut all: BTreeMap<&str, Rows> = BTreeMap::new();
    for spec in SPECS.iter().filter(|spec| metrics.contains(&spec.id)) {
        all.insert(spec.id, of(spec).rows());
    }
    for metric in metrics {
        match *metric {
            "quota_attainment" => all.insert(metric, quota_attainment(&of(&SPECS[0]), &all["bookings"])),
            "reps_at_quota" => all.insert(metric, reps_at_quota(&of(&SPECS[0]), &all["bookings"])),
            _ => None,
        };
    }
    for (metric, rows) in &mut all {
        let judged = match Spec::of(metric) {
            Some(spec) => Judged {
                better: spec.better,
                minimum_n: spec.minimum_n,
                is_nought: spec.is_nought_without_facts(),
                grows: spec.grows(),
            },
            None => {
                let grows = *metric == "quota_attainment";
                Judged { better: Better::Higher, minimum_n: 0, is_nought: false, grows }
            }
        };
        habit::judge(company, &judged, rows);
    }
    all
}

struct Metric<'a> {
    company: &'a Company,
    targets: &'a Targets<'a>,
    spec: &'a Spec,
    lines: Vec<Fact>,
    /// Those that there are.
    levels: Vec<&'a str>,
}

impl<'a> Metric<'a> {
    fn of(company: &'a Company, targets: &'a Targets<'a>, spec: &'a Spec, levels: &[&'a str]) -> Metric<'a> {
        let has = |level: &str| company.teams.iter().any(|team| team.level == level);
        let there = |level: &&str| match *level {
            "rep" | "company" => true,
            "rep_in_team" => has("team"),
            level => has(level),
        };
        let levels = levels.iter().copied().filter(there).collect();
        let lines = credits::lines(company, spec, metrics::facts(company, spec.id));
        Metric { company, targets, spec, lines, levels }
    }

    /// What counts from one day to another; of a stock, what stands on the last one, or on the date of the run.
    fn cells(&self, span: Span) -> BTreeMap<Place, Cell> {
        let mut groups: BTreeMap<Place, Vec<&Fact>> = BTreeMap::new();
        let measured = span.end.min(self.company.as_of);
        let days = self.spec.days(span, measured);
        for fact in &self.lines {
            let counts = match self.spec.stock {
                // Before the first working day of an unfinished period Scorebook says that nothing stood. The rules
                // know no day on which to measure then.
                _ if span.end < span.start => false,
                true => fact.from <= measured && fact.to.is_none_or(|to| measured < to),
                false => days.has(fact.from),
            };
            if !counts {
                continue;
            }
            let day = if self.spec.stock { measured } else { fact.from };
            for level in &self.levels {
                let entity = self.company.entity(level, fact.rep.as_deref(), day);
                for (slice, value) in self.lines_of(fact, day) {
                    let place = ((*level).to_owned(), entity.clone(), slice.to_owned(), value);
                    groups.entry(place).or_default().push(fact);
                }
            }
        }
        groups.into_iter().map(|(place, facts)| (place, self.cell(&facts))).collect()
    }

    /// The slices and their values on whose lines a fact stands; the total's are empty.
    fn lines_of(&self, fact: &Fact, day: Date) -> Vec<(&'static str, String)> {
        if fact.overlay {
            return vec![("credit_kind", "overlay".into())];
        }
        let values = |slice: &str| fact.values(self.company, slice, day);
        let apart: Vec<_> = self.spec.apart.iter().map(|slice| (*slice, values(slice).remove(0))).collect();
        if apart.iter().any(|(_, value)| value != "(none)") {
            return apart.into_iter().filter(|(_, value)| value != "(none)").collect();
        }
        let mut lines = vec![("", String::new())];
        for slice in self.spec.slices {
            match slice.split_once('*') {
                None => lines.extend(values(slice).into_iter().map(|value| (*slice, value))),
                Some((one, other)) => lines.push((slice, format!("{}*{}", values(one)[0], values(other)[0]))),
            }
        }
        lines
    }

    fn cell(&self, facts: &[&Fact]) -> Cell {
        let n = facts.len() as i64;
        let (above, below) = (facts.iter().map(|fact| fact.above).sum(), facts.iter().map(|fact| fact.below).sum());
        let of = |value: Option<Exact>| Cell { value, n, ..Cell::default() };
        let divided = || Cell {
            sides: Some((Exact::trillionths(above), Exact::trillionths(below))),
            ..of(Exact::over(above, below))
        };
        match self.spec.aggregate {
            Aggregate::Sum | Aggregate::Count => of(Some(Exact::trillionths(above))),
            Aggregate::Distinct => {
                let records: BTreeSet<&String> = facts.iter().map(|fact| &fact.record).collect();
                of(Some(Exact::whole(records.len() as i128)))
            }
            Aggregate::Mean => divided(),
            Aggregate::Ratio => {
                let whole = |fact: &&Fact| fact.below == ONE && [0, ONE].contains(&fact.above);
                let interval = facts.iter().all(whole).then(|| habit::interval(above / ONE, below / ONE));
                Cell { interval, ..divided() }
            }
            Aggregate::Median => {
                let mut values: Vec<i128> = facts.iter().map(|fact| fact.above).collect();
                values.sort_unstable();
                of(Exact::over(values[(values.len() - 1) / 2] + values[values.len() / 2], 2 * ONE))
            }
        }
    }

    fn working_days(&self, span: Span) -> Vec<Date> {
        span.days().into_iter().filter(|day| self.company.works(None, *day)).collect()
    }

    /// The part of a period in which so many working days go by: up to the day before the next one.
    fn part(&self, period: Span, worked: usize) -> Span {
        let next = self.working_days(period).get(worked).copied();
        Span { start: period.start, end: next.map_or(period.end, |next| next - 1.day()) }
    }

    /// How many of a period's working days have gone by.
    fn gone(&self, period: Span) -> usize {
        self.working_days(period).iter().filter(|day| **day <= self.company.as_of).count()
    }

    fn rows(&self) -> Rows {
        let mut rows = Rows::new();
        for grain in self.spec.grains {
            let scored = self.company.cal.scored(grain, self.company.anchor);
            let whole: Vec<_> = scored.iter().map(|period| self.cells(*period)).collect();
            for (period, cells) in scored.iter().zip(&whole) {
                let compared = |earlier: Span| {
                    let i = scored.iter().position(|one| *one == earlier)?;
                    Some(match period.end > self.company.as_of {
                        true => self.cells(self.part(earlier, self.gone(*period))),
                        false => whole[i].clone(),
                    })
                };
                let previous = compared(self.company.cal.previous(grain, *period));
                let year_before = compared(self.company.cal.year_before(grain, *period));
                let due = self.due(grain, *period);
                let set = self.targets.of_period(self.company, self.spec.id, &self.levels, *period);
                let places: BTreeSet<&Place> = cells.keys().chain(set.keys()).collect();
                for place in places {
                    let mut row = self.row(*period, cells.get(place).cloned().unwrap_or_default());
                    let before = |cells: &Option<BTreeMap<Place, Cell>>| match cells.as_ref()?.get(place) {
                        Some(cell) => cell.value,
                        None => self.without_facts(),
                    };
                    row.put("previous", before(&previous));
                    row.put("year_before", before(&year_before));
                    if let Some(set) = set.get(place) {
                        row.put_target(set);
                        if let Some((share, by)) = due {
                            pace(&mut row, share, by);
                        }
                    }
                    rows.insert(((*grain).to_owned(), period.start, place.clone()), row);
                }
            }
        }
        rows
    }

    fn row(&self, period: Span, cell: Cell) -> Row {
        let immature = self.spec.cohort_days.is_some_and(|days| period.end + days.days() > self.company.as_of);
        let state = immature.then_some("immature");
        let mut row = Row { end: period.end, n: cell.n, state, ..Row::default() };
        row.put("value", cell.value.or(self.without_facts()));
        row.put("numerator", cell.sides.map(|(above, _)| above));
        row.put("denominator", cell.sides.map(|(_, below)| below));
        row.put("low", cell.interval.map(|[low, _]| low));
        row.put("high", cell.interval.map(|[_, high]| high));
        row
    }

    fn without_facts(&self) -> Option<Exact> {
        self.spec.is_nought_without_facts().then_some(Exact::whole(0))
    }

    /// The part of an unfinished period's target that is due by now, and how that is known.
    fn due(&self, grain: &str, period: Span) -> Option<(Exact, &'static str)> {
        // The rules do not say whether there is a pace over a window. Scorebook has none.
        if !self.spec.grows() || period.end <= self.company.as_of {
            return None;
        }
        let (gone, all) = (self.gone(period), self.working_days(period).len());
        let by_days = Exact::over(gone as i128, all as i128).map(|share| (share, "linear"));
        if self.spec.aggregate == Aggregate::Distinct {
            return by_days;
        }
        let company = ("company".to_owned(), "company".to_owned(), String::new(), String::new());
        let total = |span: Span| {
            let value = self.cells(span).get(&company).and_then(|cell| cell.value);
            value.map_or(0, |value| value.n * (ONE / value.d))
        };
        let (mut earlier, mut shares) = (period, 0);
        for _ in 0..8 {
            earlier = self.company.cal.previous(grain, earlier);
            let days = self.working_days(earlier).len();
            // To the nearest day: a half is one more.
            let reached = (2 * gone * days + all.max(1)) / (2 * all.max(1));
            let whole = total(earlier);
            if whole <= 0 {
                return by_days;
            }
            shares += total(self.part(earlier, reached)) * ONE / whole;
        }
        by_days.and(Exact::over(shares, 8 * ONE)).map(|share| (share, "curve"))
    }
}

fn pace(row: &mut Row, share: Exact, by: &'static str) {
    let (Some(value), Some(target)) = (row.get("value"), row.get("target")) else { return };
    let due = target.times(share);
    if due.n != 0 {
        row.put("pace", value.by(due));
        row.pace_by = Some(by);
    }
}

/// Bookings over the quota of the same days.
fn quota_attainment(bookings: &Metric, rows: &Rows) -> Rows {
    let company = bookings.company;
    let whole = |key: &Key| {
        let (grain, start, (level, entity, _, _)) = key;
        let place = (level.clone(), entity.clone(), String::new(), String::new());
        rows.get(&(grain.clone(), *start, place))?.get("target")
    };
    let mut found = Rows::new();
    for grain in bookings.spec.grains {
        let scored = company.cal.scored(grain, company.anchor);
        for period in &scored {
            let set = bookings.targets.of_period(company, "quota_attainment", &bookings.levels, *period);
            let sold = rows.iter().filter(|((g, start, place), _)| {
                g == grain && *start == period.start && matches!(place.2.as_str(), "" | "kind")
            });
            let places: Vec<Place> = sold.map(|(key, _)| key.2.clone()).chain(set.keys().cloned()).collect();
            let compared = |earlier: Span| {
                scored.contains(&earlier).then(|| {
                    let part = match period.end > company.as_of {
                        true => bookings.part(earlier, bookings.gone(*period)),
                        false => earlier,
                    };
                    (earlier.start, bookings.cells(part))
                })
            };
            let previous = compared(company.cal.previous(grain, *period));
            let year_before = compared(company.cal.year_before(grain, *period));
            for place in places {
                let key = ((*grain).to_owned(), period.start, place.clone());
                let mut row = Row { end: period.end, ..Row::default() };
                let sold = rows.get(&key);
                row.put("value", sold.and_then(|sold| sold.get("value")?.by(whole(&key)?)));
                // Nothing stands behind what is only a target.
                row.n = sold.filter(|_| row.get("value").is_some()).map_or(0, |sold| sold.n);
                let before = |compared: &Option<(Date, BTreeMap<Place, Cell>)>| {
                    let (start, cells) = compared.as_ref()?;
                    // Known fault: what was not sold earlier is nought of its quota, but Scorebook says nothing if
                    // bookings have no score there: of a period that is over, there in the earlier one; else in this.
                    let seen = if period.end <= company.as_of { *start } else { period.start };
                    if !rows.contains_key(&((*grain).to_owned(), seen, place.clone())) {
                        return None;
                    }
                    let quota = whole(&((*grain).to_owned(), *start, place.clone()))?;
                    cells.get(&place).map_or(Some(Exact::whole(0)), |cell| cell.value)?.by(quota)
                };
                row.put("previous", before(&previous));
                row.put("year_before", before(&year_before));
                if let Some(set) = set.get(&place) {
                    row.put_target(set);
                }
                if row.get("value").is_some() || set.contains_key(&place) {
                    found.insert(key, row);
                }
            }
        }
    }
    found
}

/// Ramped reps who sold their quota, of those who have one; the ramping stand apart.
fn reps_at_quota(bookings: &Metric, rows: &Rows) -> Rows {
    let company = bookings.company;
    let mut sides: BTreeMap<Key, (Date, i128, i128)> = BTreeMap::new();
    for ((grain, start, (level, entity, slice, _)), row) in rows {
        let Some(target) = row.get("target").filter(|target| target.n > 0) else { continue };
        let Some(rep) = company.reps.iter().find(|rep| level == "rep" && rep.id == *entity) else { continue };
        if !slice.is_empty() {
            continue;
        }
        let ramping = rep.hired.is_some_and(|hired| hired + 6.months() > *start);
        let value = row.get("value").unwrap_or(Exact::whole(0));
        let (tenths, day) = (if ramping { 7 } else { 10 }, row.end.min(company.as_of));
        let met = 10 * value.n * target.d >= tenths * target.n * value.d;
        for level in bookings.levels.iter().filter(|level| !matches!(**level, "rep" | "rep_in_team")) {
            let (slice, value) = if ramping { ("ramp", "ramping") } else { ("", "") };
            let entity = company.entity(level, Some(&rep.id), day);
            let key = (grain.clone(), *start, ((*level).to_owned(), entity, slice.to_owned(), value.to_owned()));
            let side = sides.entry(key).or_insert((row.end, 0, 0));
            *side = (row.end, side.1 + i128::from(met), side.2 + 1);
        }
    }
    let rate = |key: &Key| sides.get(key).and_then(|(_, above, below)| Exact::over(*above, *below));
    let row = |key: &Key, (end, above, below): &(Date, i128, i128)| {
        let mut row = Row { end: *end, n: *below as i64, ..Row::default() };
        row.put("value", rate(key));
        let [low, high] = habit::interval(*above, *below);
        row.put("low", Some(low));
        row.put("high", Some(high));
        row.put("numerator", Some(Exact::whole(*above)));
        row.put("denominator", Some(Exact::whole(*below)));
        // Nothing is said of a part of a period.
        if *end <= company.as_of {
            let scored = company.cal.scored(&key.0, company.anchor);
            let period = Span { start: key.1, end: *end };
            let before = |earlier: Span| {
                scored.contains(&earlier).then(|| rate(&(key.0.clone(), earlier.start, key.2.clone()))).flatten()
            };
            row.put("previous", before(company.cal.previous(&key.0, period)));
            row.put("year_before", before(company.cal.year_before(&key.0, period)));
        }
        row
    };
    sides.iter().map(|(key, side)| (key.clone(), row(key, side))).collect()
}
