//! What all scores have in common: which there are, what they are compared with, and their targets.

use super::days::Span;
use super::exact::Exact;
use super::habit::Judged;
use super::metrics::ONE;
use super::progress::Periods;
use super::targets::Set;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Level, entity, slice, value of the slice.
pub type Place = (String, String, String, String);
/// Grain, first day, place.
pub type Key = (String, Date, Place);

pub type Rows = BTreeMap<Key, Row>;

/// A period, or the first working days of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub period: Span,
    pub days: Span,
    /// The period that is compared with these days; of a whole period itself.
    pub of: Span,
}

impl When {
    pub fn whole(period: Span) -> When {
        When { period, days: period, of: period }
    }
}

/// What is known of one place in a period, or in its first working days.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub value: Option<Exact>,
    pub plan: Option<Exact>,
    pub sides: Option<(Exact, Exact)>,
    pub n: i64,
    pub interval: Option<[Exact; 2]>,
    pub at_start: Option<Exact>,
    pub due: Option<Exact>,
    pub state: Option<&'static str>,
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
}

/// A metric that can be scored.
pub trait Scored {
    fn periods(&self) -> &Periods;
    fn judged(&self) -> Judged;
    fn grains(&self) -> &'static [&'static str];
    fn slices(&self) -> &'static [&'static str];
    /// The numbers of a place, of all days of a period or of its first ones.
    fn cell(&self, grain: &str, when: When, place: &Place) -> Cell;
    /// Where there are any.
    fn places(&self, grain: &str, when: When) -> BTreeSet<Place>;
    /// The targets of a period.
    fn set(&self, period: Span) -> Rc<BTreeMap<Place, Set>>;
    /// Those of a period that is the next one.
    fn next_set(&self, next: Span) -> Rc<BTreeMap<Place, Set>> {
        self.set(next)
    }
    /// What of the targets of an unfinished period stands on the days that have gone by.
    fn due_set(&self, _period: Span) -> Rc<BTreeMap<Place, Set>> {
        Rc::default()
    }
    /// How what is due of a target follows from its days.
    fn due(&self, _grain: &str, _period: Span) -> Option<Due> {
        None
    }
    /// Whether its targets are meant at the plan's exchange rates.
    fn at_plan(&self) -> bool {
        false
    }
    /// Whether it knows anything of a part of a period.
    fn has_parts(&self) -> bool {
        true
    }

    /// Whether what it needs tells of a period.
    fn is_supplied(&self, grain: &str, period: Span) -> bool;

    /// What a period is compared with.
    fn compared(&self, grain: &str, period: Span) -> [Option<When>; 2] {
        let scored = self.periods()[grain].iter().find(|one| one.period == period).unwrap();
        let known = |when: &When| (self.has_parts() || when.of == when.period) && self.is_supplied(grain, when.period);
        scored.compared.map(|when| when.filter(known))
    }

    /// A score wherever there are facts, a target of this period or the next, or something to compare with.
    fn rows(&self) -> Rows {
        let mut rows = Rows::new();
        for grain in self.grains() {
            for one in self.periods()[grain].iter().filter(|one| self.is_supplied(grain, one.period)) {
                let period = one.period;
                let (set, next_set) = (self.set(period), self.next_set(one.next));
                let earlier = self.compared(grain, period);
                let mut places = self.places(grain, When::whole(period));
                places.extend(set.keys().chain(next_set.keys()).cloned());
                places.extend(earlier.iter().flatten().flat_map(|when| self.places(grain, *when)));
                let due = self.due(grain, period);
                let due_set = self.due_set(period);
                for place in places {
                    let cell = self.cell(grain, When::whole(period), &place);
                    let mut row = Row { end: period.end, ..row(&cell) };
                    let [previous, year_before] = earlier.map(|when| self.cell(grain, when?, &place).value);
                    row.put("previous", previous);
                    row.put("year_before", year_before);
                    row.put("next_target", next_set.get(&place).and_then(Set::target));
                    if let Some(set) = set.get(&place) {
                        let held = if self.at_plan() { cell.plan } else { cell.value };
                        let part = due_set.get(&place).and_then(|part| part.part_of(set));
                        let gone = part.unwrap_or(Exact::whole(0));
                        put_target(&mut row, held, set, due.as_ref().map(|due| (due, gone)));
                    }
                    rows.insert(((*grain).to_owned(), period.start, place), row);
                }
            }
        }
        rows
    }
}

fn row(cell: &Cell) -> Row {
    let mut row = Row { n: cell.n, state: cell.state, ..Row::default() };
    row.put("value", cell.value);
    row.put("numerator", cell.sides.map(|(above, _)| above));
    row.put("denominator", cell.sides.map(|(_, below)| below));
    row.put("low", cell.interval.map(|[low, _]| low));
    row.put("high", cell.interval.map(|[_, high]| high));
    row.put("plan", cell.plan);
    row.put("at_start", cell.at_start);
    row.put("due", cell.due);
    row
}

/// What is due of a target.
pub enum Due {
    /// What its days up to now have.
    Linear,
    /// That too, each day weighed: by what usually comes on a day that has gone by, and on one to come.
    Curve([f64; 2]),
}

impl Due {
    fn of(&self, gone: Exact, target: Exact) -> Exact {
        let Due::Curve([before, after]) = self else { return gone };
        let come = gone.to_f64() * before;
        let all = come + (target.to_f64() - gone.to_f64()) * after;
        if all == 0.0 {
            return gone;
        }
        Exact::trillionths((come / all * target.to_f64() * ONE as f64).round() as i128)
    }

    fn by(&self) -> &'static str {
        match self {
            Due::Linear => "linear",
            Due::Curve(_) => "curve",
        }
    }
}

/// Of a target of zero or less no part can be attained.
fn put_target(row: &mut Row, held: Option<Exact>, set: &Set, due: Option<(&Due, Exact)>) {
    set.numbers().into_iter().for_each(|(name, number)| row.put(name, number));
    let (Some(value), Some(target)) = (held, set.target().filter(|target| target.n > 0)) else { return };
    row.put("attainment", if row.state.is_none() { value.by(target) } else { None });
    if let Some((due, gone)) = due {
        let of_it = due.of(gone, target);
        if of_it.n > 0 {
            row.put("pace", value.by(of_it));
            row.pace_by = Some(due.by());
        }
    }
}
