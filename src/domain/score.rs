//! One number: metric x level x entity x period x slice.

use crate::domain::number::Number;
use crate::domain::period::Grain;
use jiff::civil::Date;

/// The entity of the facts that no one at a level owns.
pub const UNASSIGNED: &str = "unassigned";
/// The only entity of the level `company`.
pub const COMPANY: &str = "company";
/// The level at which a rep has a line in each team, for the days spent there: the entity is `<team>|<rep>`.
pub const REP_IN_TEAM: &str = "rep_in_team";
/// The slice value of facts that have none.
pub const NO_VALUE: &str = "(none)";

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
    /// The lower end of the 95 % interval, where every numerator is 0 or 1 and every denominator 1.
    pub low: Option<Number>,
    /// The upper end.
    pub high: Option<Number>,
}
