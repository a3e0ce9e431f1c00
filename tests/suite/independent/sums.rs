//! Adds facts up: one machine gives every level, entity, period and slice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::company::Company;
use super::facts::{self, Aggregate, Line, Metric, When};
use super::header::Header;
use super::numbers::{ONE, to_f64};
use super::people::LEVELS;
use super::periods::{Days, Period};

/// Texts as numbers, the same for the same.
#[derive(Default)]
pub struct Names<T> {
    numbers: BTreeMap<T, u32>,
    names: Vec<T>,
}

impl<T: Ord + Clone> Names<T> {
    pub fn number(&mut self, name: &T) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("not so many");
        self.numbers.insert(name.clone(), number);
        self.names.push(name.clone());
        number
    }

    pub fn find(&self, name: &T) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub fn name(&self, number: u32) -> &T {
        &self.names[number as usize]
    }
}

/// (level, entity), the level by its place in [`LEVELS`].
pub type Entity = (usize, String);
/// (slice, value); both empty for the total.
pub type Slice = (String, String);

/// What of a period is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The period itself; of a stock its measuring day.
    Own,
    /// The days of the period before that an unfinished one is compared with.
    Previous,
    /// Those of the same period a year before.
    YearBefore,
    /// Of a stock: the part that is due within the period.
    Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub what: What,
    pub period: u32,
    pub entity: u32,
    pub slice: u32,
}

/// The facts of a cell.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    pub n: i64,
    pub above: i128,
    pub below: i128,
    values: Vec<i128>,
    records: BTreeSet<String>,
}

/// A number, exact or a quotient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Exact(i128),
    Over(i128, i128),
    Float(f64),
}

impl Number {
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Exact(number) => to_f64(number),
            Number::Over(above, below) => above as f64 / below as f64,
            Number::Float(number) => number,
        }
    }
}

impl Sum {
    pub fn value(&self, aggregate: Aggregate) -> Option<Number> {
        match aggregate {
            Aggregate::Sum | Aggregate::Count => Some(Number::Exact(self.above)),
            Aggregate::Ratio | Aggregate::Mean => (self.below != 0).then_some(Number::Over(self.above, self.below)),
            Aggregate::Distinct => Some(Number::Exact(self.records.len() as i128 * ONE)),
            Aggregate::Median => {
                let mut values = self.values.clone();
                values.sort_unstable();
                let above = *values.get(values.len() / 2)?;
                let below = values[(values.len() - 1) / 2];
                // The middle value; of an even number the mean of the two middle ones.
                Some(Number::Over(above + below, 2 * ONE))
            }
            Aggregate::Percentile(share) => {
                let mut values = self.values.clone();
                values.sort_unstable();
                // Of two neighbours each counts by how near it is.
                let place = share * values.len().checked_sub(1)?;
                let (left, right) = (values[place / 10_000], values[place.div_ceil(10_000)]);
                let part = (place % 10_000) as i128;
                Some(Number::Over(left * (10_000 - part) + right * part, 10_000 * ONE))
            }
        }
    }

    pub fn add(&mut self, aggregate: Aggregate, record: &str, above: i128, below: i128) {
        self.n += 1;
        self.above += above;
        self.below += below;
        match aggregate {
            Aggregate::Median | Aggregate::Percentile(_) => self.values.push(above),
            Aggregate::Distinct => {
                self.records.insert(record.to_owned());
            }
            _ => {}
        }
    }
}

/// A stretch of days over which facts are added up for a period.
struct Stretch {
    what: What,
    period: u32,
    days: Days,
}

/// The sums of one metric.
pub struct Sums {
    pub aggregate: Aggregate,
    pub cells: BTreeMap<Cell, Sum>,
}

/// Where a line counts: its entities, and the slices' values with what stands there.
struct Places {
    entities: Vec<u32>,
    slices: Vec<(u32, i128, i128)>,
}

pub struct Machine<'a> {
    pub company: &'a Company,
    pub periods: Vec<Period>,
    pub entities: Names<Entity>,
    pub slices: Names<Slice>,
    known: BTreeMap<(Option<String>, Date), [u32; 5]>,
}

impl<'a> Machine<'a> {
    pub fn new(company: &'a Company, periods: Vec<Period>) -> Machine<'a> {
        let mut slices = Names::<Slice> { numbers: BTreeMap::new(), names: Vec::new() };
        slices.number(&(String::new(), String::new()));
        let entities = Names { numbers: BTreeMap::new(), names: Vec::new() };
        Machine { company, periods, entities, slices, known: BTreeMap::new() }
    }

    fn entities_of(&mut self, rep: Option<&str>, day: Date) -> [u32; 5] {
        let key = (rep.map(str::to_owned), day);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let mut place = 0;
        let numbers = self.company.people.entities(rep, day).map(|name| {
            place += 1;
            self.entities.number(&(place - 1, name))
        });
        self.known.insert(key, numbers);
        numbers
    }

    /// The days that count for each scored period of the metric's grains.
    fn stretches(&self, metric: &Metric, header: &Header) -> Vec<Stretch> {
        let as_of = self.company.as_of;
        let mut stretches = Vec::new();
        for (place, period) in self.periods.iter().enumerate() {
            if !header.grains.contains(&period.grain) {
                continue;
            }
            let number = u32::try_from(place).expect("not so many");
            let mut add = |what, days: Days| stretches.push(Stretch { what, period: number, days });
            let days = match metric.window {
                // The months up to the period's end, or up to the date of the run.
                Some(months) => {
                    let to = period.last_day().min(as_of);
                    Days { from: to + 1.day() - months.months(), to }
                }
                None => period.days(),
            };
            if metric.since.is_some_and(|since| days.from < since) {
                continue;
            }
            add(What::Own, days);
            let is_over = period.last_day() <= as_of;
            for (what, earlier) in [(What::Previous, period.plus(-1)), (What::YearBefore, period.year_before())] {
                if !is_over
                    && metric.window.is_none()
                    && self.periods.contains(&earlier)
                    && let Some(days) = earlier.compared(*period, as_of)
                {
                    add(what, days);
                }
            }
            add(What::Due, days);
        }
        stretches
    }

    /// All cells of a metric of facts.
    pub fn add_up(&mut self, metric: &Metric, header: &Header) -> Sums {
        let stretches = self.stretches(metric, header);
        let mut cells: BTreeMap<Cell, Sum> = BTreeMap::new();
        for line in facts::lines(self.company, metric) {
            // A flow's line has one day, a stock's one for each measuring.
            let mut places: Option<(Date, Places)> = None;
            for stretch in &stretches {
                let Some(day) = self.counts(&line, stretch) else { continue };
                if places.as_ref().is_none_or(|(known, _)| *known != day) {
                    places = Some((day, self.places_of(metric, header, &line, day)));
                }
                let Some((_, places)) = &places else { continue };
                for entity in &places.entities {
                    for (slice, above, below) in &places.slices {
                        let cell = Cell { what: stretch.what, period: stretch.period, entity: *entity, slice: *slice };
                        let above = line.fact.since.map_or(*above, |since| i128::from((day - since).get_days()) * ONE);
                        cells.entry(cell).or_default().add(metric.aggregate, &line.fact.record, above, *below);
                    }
                }
            }
        }
        Sums { aggregate: metric.aggregate, cells }
    }

    /// The day for which a line counts in a stretch, if it does.
    fn counts(&self, line: &Line, stretch: &Stretch) -> Option<Date> {
        let is_own = matches!(stretch.what, What::Own | What::Previous | What::YearBefore);
        match line.fact.when {
            When::On(day) => (is_own && stretch.days.has(day)).then_some(day),
            When::Stood(from, to) => {
                let measured = stretch.days.to.min(self.company.as_of);
                let is_due = line.fact.due_on.is_some_and(|due| stretch.days.has(due));
                let counts = stretch.what != What::Due || is_due;
                (counts && from <= measured && measured < to).then_some(measured)
            }
        }
    }

    fn places_of(&mut self, metric: &Metric, header: &Header, line: &Line, day: Date) -> Places {
        let slices = self.slices_of(metric, header, line, day);
        let entities = self.entities_of(line.rep, day).into_iter().zip(LEVELS);
        let entities = entities.filter(|(_, level)| header.levels.contains(level)).map(|(entity, _)| entity);
        Places { entities: entities.collect(), slices }
    }

    /// The slices and values on whose lines a fact's line stands, with what stands there.
    fn slices_of(&mut self, metric: &Metric, header: &Header, line: &Line, day: Date) -> Vec<(u32, i128, i128)> {
        if line.is_overlay {
            let overlay = self.slices.number(&("credit_kind".to_owned(), "overlay".to_owned()));
            return vec![(overlay, line.above, line.below)];
        }
        let people = &self.company.people;
        let of = |name: &str| -> Vec<(String, i128, i128)> {
            let engine = |text: Option<String>| (text.unwrap_or_else(|| "(none)".to_owned()), line.above, line.below);
            match name {
                "tenure_band" => vec![engine(people.tenure_band(line.rep, day))],
                "role" => vec![engine(people.role(line.rep, day))],
                _ => match line.fact.slices.iter().find(|(own, _)| *own == name) {
                    Some((_, part)) => facts::values(metric, line, part),
                    None => Vec::new(),
                },
            }
        };
        let mut all = vec![(String::new(), String::new(), line.above, line.below)];
        for slice in &header.slices {
            match slice.split_once('*') {
                Some((one, other)) => {
                    if let (Some(one), Some(other)) = (of(one).first(), of(other).first()) {
                        all.push((slice.clone(), format!("{}*{}", one.0, other.0), line.above, line.below));
                    }
                }
                None => all.extend(of(slice).into_iter().map(|(value, a, b)| (slice.clone(), value, a, b))),
            }
        }
        let numbered =
            all.into_iter().map(|(slice, value, above, below)| (self.slices.number(&(slice, value)), above, below));
        numbered.collect()
    }
}
