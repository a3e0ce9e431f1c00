//! How facts become a number. All that depends on a metric's aggregate stands here: the columns that its facts have, what a
//! fact adds above and below the line, how cells are added up from facts, and what may be done with the number.
//!
//! SQL text is written here, and run elsewhere. In it `f` are the facts as the metric's own SQL returns them. Scoring brings
//! them into one form: `a` is what a fact adds above the line, `b` below it, `unit` whether it is a one among ones.

use serde::{Deserialize, Serialize};

/// How facts become a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// The sum of `value`.
    Sum,
    /// How many facts.
    Count,
    /// How many different records.
    Distinct,
    /// The sum of `numerator` over the sum of `denominator`.
    Ratio,
    /// The mean of `value`.
    Mean,
    /// The middle of `value`.
    Median,
    /// The value that so great a share of the values reaches at most; between two values, by their distance.
    Percentile(Share),
}

use Aggregate::{Count, Distinct, Mean, Median, Percentile, Ratio, Sum};

/// A share between 0 and 1, in ten-thousandths: what is exact in a header stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "String")]
pub struct Share(u16);

impl Share {
    const WHOLE: u16 = 10_000;
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Share, String> {
        let parts = share * f64::from(Share::WHOLE);
        let found = (1..Share::WHOLE).find(|whole| (parts - f64::from(*whole)).abs() < 1e-6);
        found.map(Share).ok_or_else(|| {
            format!("{share} is no percentile: write a share between 0 and 1 with at most four decimals, such as 0.9")
        })
    }
}

/// As a text: keys hold no floating-point numbers.
impl From<Share> for String {
    fn from(share: Share) -> String {
        format!("0.{:04}", share.0)
    }
}

/// A percentile of `a`, with `n` facts, as SQL. Between two values it is worked out in decimals: floating-point numbers would
/// not give back what they were given.
fn percentile(share: Share) -> String {
    let (share, whole) = (share.0, Share::WHOLE);
    let values = "ARRAY_AGG(a ORDER BY a) FILTER (WHERE a IS NOT NULL)";
    // The place of the percentile among the values, in ten-thousandths; the first stands at 0.
    let place = format!("(COUNT(a) - 1) * {share}");
    let lower = format!("ARRAY_ELEMENT({values}, ({place}) / {whole} + 1)");
    let upper = format!("ARRAY_ELEMENT({values}, LEAST(({place}) / {whole} + 2, COUNT(a)))");
    let part = format!("CAST(({place}) % {whole} AS DECIMAL(9, 0)) * CAST('0.0001' AS DECIMAL(4, 4))");
    format!(
        "CAST({lower} + CAST(({upper} - {lower}) * ({part}) AS DECIMAL(38, 12)) AS DECIMAL(38, 12)) AS a, \
         CAST(NULL AS DECIMAL(38, 12)) AS b, COUNT(a) AS n, FALSE AS unit"
    )
}

/// What stands since a day may return it instead of a value: its value are the days since then.
pub const SINCE: &str = "since";

/// What else a header says of the values of facts.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The column that is added up.
    pub column: &'a str,
    /// Of a ratio: facts return `converted_on` instead of its sides, and count above the line within so many days.
    pub cohort_days: Option<u32>,
}

/// A column that facts have for their aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is in it.
    pub holds: Holds,
}

/// What a column of facts may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// An exact number.
    Number,
    /// The day since when something stands.
    Since,
    /// The day on which something converted, if it did.
    Conversion,
}

/// What a fact adds to a cell, as SQL over the facts `f`.
#[derive(Clone, Debug)]
pub struct Sides {
    /// Above the line.
    pub a: String,
    /// Below it; NULL where there is no line.
    pub b: String,
    /// Whether it is a one among ones.
    pub unit: &'static str,
}

impl Aggregate {
    /// The columns that facts have for it. `since`: they say since when they stand, instead of a value.
    pub fn columns<'a>(self, values: &Values<'a>, since: bool) -> Vec<Column<'a>> {
        let number = |name| Column { name, holds: Holds::Number };
        match self {
            Sum | Mean | Median | Percentile(_) if since => vec![Column { name: SINCE, holds: Holds::Since }],
            Sum | Mean | Median | Percentile(_) => vec![number(values.column)],
            Ratio if values.cohort_days.is_some() => {
                vec![Column { name: "converted_on", holds: Holds::Conversion }]
            }
            Ratio => vec![number("numerator"), number("denominator")],
            Count | Distinct => Vec::new(),
        }
    }

    /// What a fact adds. What has stood since a day adds the days up to `to`, a number of days since 1970.
    pub fn sides(self, values: &Values<'_>, to: Option<&str>) -> Sides {
        let number = |text: &str| format!("CAST({text} AS DECIMAL(38, 12))");
        let value = match to {
            Some(to) => format!("{to} - CAST(f.{SINCE} AS INT)"),
            None => format!("f.{}", values.column),
        };
        let (a, b, unit) = match (self, values.cohort_days) {
            (Sum | Median | Percentile(_), _) => (number(&value), number("NULL"), "FALSE"),
            (Mean, _) => (number(&value), number(&format!("CASE WHEN {value} IS NULL THEN 0 ELSE 1 END")), "FALSE"),
            (Ratio, Some(days)) => {
                let took = "CAST(f.converted_on AS INT) - CAST(f.event_date AS INT)";
                (number(&format!("CASE WHEN {took} BETWEEN 0 AND {days} THEN 1 ELSE 0 END")), number("1"), "TRUE")
            }
            (Ratio, None) => (
                number("f.numerator"),
                number("f.denominator"),
                "COALESCE(f.denominator = 1 AND f.numerator IN (0, 1), FALSE)",
            ),
            (Count | Distinct, _) => (number("1"), number("NULL"), "FALSE"),
        };
        Sides { a, b, unit }
    }

    /// Whether the facts `f`, once shared, are ones among ones: of most that were, only a part is left.
    pub fn unit_when_shared(self) -> &'static str {
        match self {
            Ratio => "COALESCE(f.b = 1 AND f.a IN (0, 1), FALSE)",
            Sum | Count | Distinct | Mean | Median | Percentile(_) => "FALSE",
        }
    }

    /// Whether everyone who is credited with a fact has it whole: a record or one value of several cannot be shared.
    pub fn is_shared_whole(self) -> bool {
        matches!(self, Distinct | Median | Percentile(_))
    }

    /// The members of a part of an allocated fact: above the line, and below it if there is one. `None` if facts of this
    /// aggregate cannot be allocated.
    pub fn allocated_members(self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Sum => Some(("value", None)),
            Ratio => Some(("numerator", Some("denominator"))),
            Count | Distinct | Mean | Median | Percentile(_) => None,
        }
    }

    /// The columns of facts, or of their sums by day, that cells are added up from.
    pub fn inputs(self) -> &'static str {
        match self {
            Distinct => "record_id",
            Median | Percentile(_) => "a",
            Sum | Count | Ratio | Mean => "a, b, n, unit",
        }
    }

    /// What a cell makes of them: `a`, `b`, `n` and `unit`, or the records that it then counts.
    pub fn outputs(self, of_facts: bool) -> String {
        let outputs = match self {
            Distinct => "record_id, COUNT(*) AS facts",
            Median => "MEDIAN(a) AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, COUNT(a) AS n, FALSE AS unit",
            Percentile(share) => return percentile(share),
            Sum | Count | Ratio | Mean if of_facts => "SUM(a) AS a, SUM(b) AS b, COUNT(*) AS n, BOOL_AND(unit) AS unit",
            Sum | Count | Ratio | Mean => "SUM(a) AS a, SUM(b) AS b, SUM(n) AS n, BOOL_AND(unit) AS unit",
        };
        outputs.to_owned()
    }

    /// Whether a cell counts its records, each once.
    pub fn counts_records(self) -> bool {
        self == Distinct
    }

    /// How many of the facts in a sum `s` each day more adds to, if they stand since a day.
    pub fn weight_of_a_day(self) -> &'static str {
        match self {
            Mean => "s.b",
            Sum | Count | Distinct | Ratio | Median | Percentile(_) => "s.n",
        }
    }

    /// Whether the facts of a day can be added up before all else.
    pub fn is_additive(self) -> bool {
        !matches!(self, Distinct | Median | Percentile(_))
    }

    /// Whether the number is what stands above the line over what stands below it.
    pub fn divides(self) -> bool {
        matches!(self, Ratio | Mean)
    }

    /// Whether a fact has a side above the line and one below it.
    pub fn has_two_sides(self) -> bool {
        self == Ratio
    }

    /// Whether a period, an entity or a slice without facts is zero rather than empty.
    pub fn is_zero_without_facts(self) -> bool {
        matches!(self, Sum | Count | Distinct)
    }

    /// Whether the number is the sum of one column: another can be chosen for it, it can be in cents, and have a value at the
    /// plan's exchange rates.
    pub fn is_sum_of_values(self) -> bool {
        self == Sum
    }

    /// Whether each fact has a value to show. One that is counted has none, unless it is shared and so counted in part.
    pub fn has_values(self, shared: bool) -> bool {
        match self {
            Sum | Mean | Median | Percentile(_) => true,
            Count => shared,
            Distinct | Ratio => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_share_that_a_header_can_name_exactly() {
        let read = |text: &str| serde_json::from_str::<Aggregate>(text);
        assert_eq!(read(r#"{"percentile": 0.9}"#).unwrap(), Percentile(Share(9000)));
        assert_eq!(serde_json::to_string(&Percentile(Share(2575))).unwrap(), r#"{"percentile":"0.2575"}"#);
        for wrong in ["0", "1", "-0.5", "90", "0.12345", "1e-9"] {
            let error = read(&format!(r#"{{"percentile": {wrong}}}"#)).unwrap_err().to_string();
            assert!(error.contains("between 0 and 1"), "{error}");
        }
        assert!(read(r#""percentile""#).is_err());
    }
}
