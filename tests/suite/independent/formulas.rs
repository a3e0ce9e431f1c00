//! Metrics without facts of their own: what they are of other metrics' scores.

use super::periods::Period;
use super::scores::Scores;
use super::sums::{Entity, Slice, What};

/// A word, and whether it holds at a place.
pub type State = (&'static str, fn(&Place) -> Option<bool>);

pub struct Formula {
    pub id: &'static str,
    /// The metrics whose values it takes: the smallest number of their facts is its own.
    pub parts: &'static [&'static str],
    /// A word that stands for the number where something holds.
    pub state: Option<State>,
    pub of: fn(&Place) -> Option<f64>,
}

/// A level, entity, period and slice.
pub struct Place<'a> {
    pub scores: &'a Scores<'a>,
    pub entity: &'a Entity,
    pub period: Period,
    pub slice: &'a Slice,
}

impl Place<'_> {
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.scores
            .line(metric, self.entity, self.period, self.slice_of(metric), What::Own)
            .value
            .map(|number| number.to_f64())
    }

    pub fn target(&self, metric: &str) -> Option<f64> {
        // No goal here is one of a slice's value, so its part is the whole.
        self.scores.target(metric, self.entity, self.period, &self.scores.whole).map(super::numbers::to_f64)
    }

    /// Its value of the period before; while this one is not over, of as many working days of it.
    pub fn previous(&self, metric: &str) -> Option<f64> {
        self.earlier(metric, self.period.plus(-1), What::Previous)
    }

    /// Its value of the same period a year before, likewise.
    pub fn year_before(&self, metric: &str) -> Option<f64> {
        self.earlier(metric, self.period.year_before(), What::YearBefore)
    }

    /// Before the first period that is scored nothing is known.
    fn earlier(&self, metric: &str, earlier: Period, what: What) -> Option<f64> {
        if !self.scores.is_scored(earlier) {
            return None;
        }
        let is_over = self.period.last_day() <= self.scores.as_of();
        let (period, what) = if is_over { (earlier, What::Own) } else { (self.period, what) };
        let line = self.scores.line(metric, self.entity, period, self.slice_of(metric), what);
        line.value.map(|number| number.to_f64())
    }

    /// Of a stock: the part of it that is due within the period.
    pub fn due(&self, metric: &str) -> Option<f64> {
        let line = self.scores.line(metric, self.entity, self.period, self.slice_of(metric), What::Due);
        line.value.map(|number| number.to_f64())
    }

    /// A part that has not the formula's slice gives its whole.
    fn slice_of(&self, metric: &str) -> &Slice {
        if self.scores.has_slice(metric, &self.slice.0) { self.slice } else { &self.scores.whole }
    }
}

/// Division by zero or less is empty.
pub fn over(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    let (above, below) = (above?, below?);
    (below > 0.0).then_some(above / below)
}
