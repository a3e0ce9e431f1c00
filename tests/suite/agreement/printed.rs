//! Scores as `scorebook sql` prints them.

use std::collections::BTreeMap;

use crate::independent::scores::Key;
use crate::project::Project;

/// A score's numbers, in trillionths.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    pub value: Option<i128>,
    pub sides: Option<(i128, i128)>,
    pub n: i64,
    pub target: Option<i128>,
    pub state: Option<String>,
}

pub type Rows = BTreeMap<Key, Printed>;

/// Asks for what says something: a score that is zero or empty and has neither facts nor a target says nothing. Each
/// is one text, for there are many.
const QUERY: &str = "SELECT CONCAT_WS(CHR(31), metric, level, entity, grain, CAST(period_start AS VARCHAR), slice, \
                     slice_value, CAST(n AS VARCHAR), COALESCE(CAST(value AS VARCHAR), ''), \
                     COALESCE(CAST(numerator AS VARCHAR), ''), COALESCE(CAST(denominator AS VARCHAR), ''), \
                     COALESCE(CAST(target AS VARCHAR), ''), COALESCE(state, '')) AS score FROM scores \
                     WHERE n > 0 OR target IS NOT NULL OR COALESCE(value, 0) <> 0";

/// The scores of a run that say something.
pub fn scores(project: &Project, run: &str) -> Rows {
    let said = project.scorebook(&["sql", QUERY, "--run", run, "--format", "json"]).expect_code(0);
    read(&said.stdout)
}

/// The answer to [`QUERY`] as JSON.
pub fn read(json: &str) -> Rows {
    #[derive(serde::Deserialize)]
    struct Row {
        score: String,
    }
    let rows: Vec<Row> = serde_json::from_str(json).expect("scores as JSON");
    rows.iter().map(|row| score(&row.score)).collect()
}

fn score(text: &str) -> (Key, Printed) {
    let cells: Vec<&str> = text.split('\u{1f}').collect();
    let [metric, level, entity, grain, start, slice, slice_value, n, value, numerator, denominator, target, state] =
        cells[..]
    else {
        panic!("{cells:?} is no score");
    };
    let key = Key {
        metric: metric.to_owned(),
        level: level.to_owned(),
        entity: entity.to_owned(),
        grain: grain.to_owned(),
        period_start: start.parse().expect("a day"),
        slice: slice.to_owned(),
        slice_value: slice_value.to_owned(),
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let number = |text: &str| some(text).map(|text| trillionths(&text));
    let printed = Printed {
        value: number(value),
        sides: number(numerator).zip(number(denominator)),
        n: n.parse().expect("a count"),
        target: number(target),
        state: some(state),
    };
    (key, printed)
}

/// Trillionths of a printed decimal.
fn trillionths(text: &str) -> i128 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{rest:0<12}").parse().expect("a decimal of at most twelve digits after the point")
}
