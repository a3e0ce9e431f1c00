//! Facts once they are prepared: what the session's table `facts` has, and how it is read on a day.

use crate::domain::metric::Metric;
use crate::domain::score::NO_VALUE;

/// How facts say where they belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// On a day.
    Flow,
    /// From a day up to another.
    Stock,
    /// In a cell that they name themselves.
    PreAggregated,
}

/// What was prepared as the table `facts`.
#[derive(Clone, Debug)]
pub struct PreparedFacts {
    /// How its facts say where they belong.
    pub(super) shape: Shape,
    /// The slices that it still lacks: of a stock, those that are known on a measuring day only.
    pub(super) late: Vec<String>,
    /// Of a stock: `a` is the day since when it stands, as days before 1970, and waits for a measuring day.
    pub(super) since: bool,
    /// Of a stock: there is a column `due_on`.
    pub(super) due_on: bool,
    /// Facts are lines of credits.
    pub(super) shared: bool,
}

impl PreparedFacts {
    /// Whether its facts hold from day to day.
    pub fn is_stock(&self) -> bool {
        self.shape == Shape::Stock
    }

    /// Whether its facts name their cells themselves.
    pub fn is_pre_aggregated(&self) -> bool {
        self.shape == Shape::PreAggregated
    }

    /// Whether this slice waits for a measuring day.
    pub fn is_late(&self, slice: &str) -> bool {
        self.late.iter().any(|late| late == slice)
    }

    /// The columns that say whose and when a fact is, and whether it stands apart.
    pub(super) fn place<'a>(&self, metric: &'a Metric) -> Vec<&'a str> {
        let mut place = match self.shape {
            Shape::Flow => vec!["rep_id", "day"],
            Shape::Stock if self.due_on => vec!["rep_id", "valid_from", "valid_to", "due_on"],
            Shape::Stock => vec!["rep_id", "valid_from", "valid_to"],
            Shape::PreAggregated => vec!["level", "entity", "grain", "period_start"],
        };
        place.extend(metric.header.apart.iter().map(String::as_str).filter(|slice| !self.is_late(slice)));
        place
    }

    /// The facts in a table as they are worth on a day.
    pub fn worth_on(&self, facts: &str, day: &str) -> String {
        match self.since {
            true => format!(
                "(SELECT f.* EXCLUDE (a), f.a + CAST(CAST({day} AS INT) AS DECIMAL(38, 12)) AS a FROM {facts} AS f)"
            ),
            false => facts.to_owned(),
        }
    }

    /// A table or query of facts with all slices, as those who hold them are on a day.
    pub fn on_day(&self, source: &str, day: &str) -> String {
        let found = self.late.iter().map(|slice| (slice, finding(slice, day)));
        let found = found.map(|(slice, (column, join))| (format!(", {}", slice_of(column, slice)), join));
        let (columns, joins): (String, String) = found.unzip();
        format!("SELECT f.*{columns} FROM {source} AS f{joins}")
    }
}

/// What finds an added slice of the facts `f` on a day: its column, and the join that has it.
pub(super) fn finding(slice: &str, day: &str) -> (&'static str, String) {
    match slice {
        "role" => (
            "g.role",
            format!(
                " LEFT JOIN (SELECT a.rep_id, a.role, a.starts_on, LEAST(a.ends_on, r.left_on) AS ends_on \
                 FROM assignments AS a JOIN reps AS r ON r.rep_id = a.rep_id) AS g \
                 ON g.rep_id = f.rep_id AND g.starts_on <= {day} AND (g.ends_on IS NULL OR {day} <= g.ends_on)"
            ),
        ),
        _ => (
            "t.band",
            format!(" LEFT JOIN tenure AS t ON t.rep_id = f.rep_id AND t.valid_from <= {day} AND {day} < t.valid_to"),
        ),
    }
}

/// A slice of the facts as text, never empty.
pub(super) fn slice_of(column: &str, slice: &str) -> String {
    format!("COALESCE(CAST({column} AS VARCHAR), '{NO_VALUE}') AS {slice}")
}
