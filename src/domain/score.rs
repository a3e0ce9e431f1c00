//! One number: metric x level x entity x period x slice.

use crate::domain::number::Number;
use crate::domain::period::Grain;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The entity of the facts that no one at a level owns.
pub const UNASSIGNED: &str = "unassigned";
/// The only entity of the level `company`.
pub const COMPANY: &str = "company";
/// The level at which a rep has a line in each team, for the days spent there: the entity is `<team>|<rep>`.
pub const REP_IN_TEAM: &str = "rep_in_team";
/// The slice value of facts that have none.
pub const NO_VALUE: &str = "(none)";

/// The state of a cohort that has not had its days.
pub const IMMATURE: &str = "immature";

/// That no export supplies what a metric needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSupplied {
    /// The reason: `no export supplies activities`.
    pub why: String,
    /// The day before which that is so; if none, it always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// By grain the first day of the first period that is supplied, if there is a day.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub until: BTreeMap<Grain, Date>,
}

impl NotSupplied {
    /// Whether this is so in all periods.
    pub fn is_always(&self) -> bool {
        self.since.is_none()
    }

    /// The reason as it is printed, with the day in these words.
    pub fn reason(&self, words: impl Fn(Date) -> String) -> String {
        self.since.map_or_else(|| self.why.clone(), |since| format!("{} before {}", self.why, words(since)))
    }

    /// Whether it is so in the period that starts on a day.
    pub fn is_in(&self, grain: Grain, start: Date) -> bool {
        self.is_always() || self.until.get(&grain).is_some_and(|first| start < *first)
    }
}

/// A row of `scores/<metric>/<digest>.parquet`.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The metric's id.
    pub metric: String,
    /// `rep`, [`REP_IN_TEAM`], a level of the team tree such as `team` or `region`, or `company`.
    pub level: String,
    /// The rep's or team's id, both with `|` between, [`COMPANY`], or [`UNASSIGNED`].
    pub entity: String,
    /// The period's grain.
    pub grain: Grain,
    /// The period's first day.
    pub period_start: Date,
    /// The period's last day.
    pub period_end: Date,
    /// The slice's name, a pair's as `a*b`; empty for the total.
    pub slice: String,
    /// The slice's value, a pair's as `x*y`; empty for the total, [`NO_VALUE`] for facts without one.
    pub slice_value: String,
    /// The number; `None` is an empty ratio or median.
    pub value: Option<Number>,
    /// A ratio's upper side.
    pub numerator: Option<Number>,
    /// A ratio's lower side.
    pub denominator: Option<Number>,
    /// How many facts (a ratio: of its denominator) stand behind the number.
    pub n: i64,
    /// The value of the period before.
    pub previous: Option<Number>,
    /// The value of the same period a year before.
    pub year_before: Option<Number>,
    /// The target for the period.
    pub target: Option<Number>,
    /// `value / target`.
    pub attainment: Option<Number>,
    /// From where the target is met, if it is a range.
    pub target_low: Option<Number>,
    /// Up to where it is met.
    pub target_high: Option<Number>,
    /// Of a team or the company: the sum of its reps' targets. It stands beside a target of its own.
    pub target_of_reps: Option<Number>,
    /// The target as it was set, before ramp and absence.
    pub target_given: Option<Number>,
    /// What ramp takes from it, zero or less.
    pub target_ramp: Option<Number>,
    /// What absence takes from it, zero or less.
    pub target_absent: Option<Number>,
    /// In an unfinished period: the value as a part of what is due of the target by now.
    pub pace: Option<Number>,
    /// How it is known what is due: by the company's own `curve`, or `linear` over working days.
    pub pace_by: Option<String>,
    /// The median of the twelve periods before, if there are enough of them.
    pub usual: Option<Number>,
    /// `high` or `low`, if the value leaves the entity's own habit on its bad side.
    pub alert: Option<String>,
    /// `immature`, if its facts have not all had their days to convert; or a formula's word, and then there is no value.
    pub state: Option<String>,
    /// The lower end of the 95 % interval, where every numerator is 0 or 1 and every denominator 1.
    pub low: Option<Number>,
    /// The upper end.
    pub high: Option<Number>,
    /// Of a rep: 1 for the best quarter among peers, 4 for the last.
    pub quartile: Option<i64>,
    /// The value at the plan's exchange rates, if the metric has one.
    pub plan: Option<Number>,
    /// The target for the period after this one.
    pub next_target: Option<Number>,
    /// Of a stock: what stood on the day before the period's first.
    pub at_start: Option<Number>,
    /// Of a stock: the part of it that is due within the period.
    pub due: Option<Number>,
}

impl Score {
    /// The total of a period (its first and last day), without a number yet.
    pub fn of(metric: &str, level: &str, entity: &str, grain: Grain, days: (Date, Date)) -> Score {
        Score {
            metric: metric.to_owned(),
            level: level.to_owned(),
            entity: entity.to_owned(),
            grain,
            period_start: days.0,
            period_end: days.1,
            slice: String::new(),
            slice_value: String::new(),
            value: None,
            numerator: None,
            denominator: None,
            n: 0,
            previous: None,
            year_before: None,
            target: None,
            attainment: None,
            target_low: None,
            target_high: None,
            target_of_reps: None,
            target_given: None,
            target_ramp: None,
            target_absent: None,
            pace: None,
            pace_by: None,
            usual: None,
            alert: None,
            state: None,
            low: None,
            high: None,
            quartile: None,
            plan: None,
            next_target: None,
            at_start: None,
            due: None,
        }
    }
}

/// A column of scores: its name, how a score gives it, and how a score takes it.
pub struct Column<T> {
    /// Of the file, of `sql`, and of a metric test's `expect`.
    pub name: &'static str,
    /// What a score has there.
    pub get: fn(&Score) -> &Option<T>,
    /// The same, to be set.
    pub set: fn(&mut Score) -> &mut Option<T>,
}

macro_rules! columns {
    ($($name:ident)*) => {
        [$(Column { name: stringify!($name), get: |score| &score.$name, set: |score| &mut score.$name }),*]
    };
}

/// The columns that say what a score is of; the first six texts, but for the two days of the period.
pub const PLACE: [&str; 8] =
    ["metric", "level", "entity", "grain", "period_start", "period_end", "slice", "slice_value"];

/// The numbers of a score besides `n` and `quartile`, in their order. All that writes, reads or names them goes by this list.
pub const NUMBERS: [Column<Number>; 21] = columns! {
    value numerator denominator previous year_before target attainment target_low target_high target_of_reps target_given
    target_ramp target_absent pace usual low high plan next_target at_start due
};

/// Its words.
pub const WORDS: [Column<String>; 3] = columns! { pace_by alert state };

/// The two values of a pair, which are joined by `*` with any `*` of their own escaped.
pub fn pair_parts(value: &str) -> Vec<String> {
    let (mut parts, mut letters) = (vec![String::new()], value.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '*' => parts.push(String::new()),
            letter => {
                let letter = if letter == '\\' { letters.next().unwrap_or(letter) } else { letter };
                if let Some(part) = parts.last_mut() {
                    part.push(letter);
                }
            }
        }
    }
    parts
}
