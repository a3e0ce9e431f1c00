//! What a case expects: rows that each name a score and say some of its numbers.
//!
//! A row names its score by words of the case, so a slip in one of them is refused: it would otherwise find no score,
//! and a row that expects nothing would pass for the wrong reason.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::metric::Metric;
use crate::domain::number::Number;
use crate::domain::period::Period;
use crate::domain::score::{COMPANY, NUMBERS, NotSupplied, REP_IN_TEAM, Score, UNASSIGNED, WORDS};
use crate::pipeline::score::PERIODS;
use crate::pipeline::stage::model_from_rows::{Row, Rows};
use crate::run_context::RunContext;
use std::collections::{BTreeMap, BTreeSet};

/// The columns that name a score.
const NAMING: [&str; 6] = ["level", "entity", "period", "grain", "slice", "slice_value"];
/// Those without which none is named.
const NEEDED: [&str; 3] = ["level", "entity", "period"];

/// The columns that say a score's numbers.
fn numbers() -> impl Iterator<Item = &'static str> {
    NUMBERS.iter().map(|column| column.name).chain(["n", "quartile"])
}

/// What a score has in one of them.
fn number(score: &Score, name: &str) -> Option<Number> {
    match name {
        "n" => Some(Number::whole(score.n)),
        "quartile" => score.quartile.map(Number::whole),
        name => NUMBERS.iter().find(|column| column.name == name).and_then(|column| *(column.get)(score)),
    }
}

/// What a score has in a column of words.
fn word<'a>(score: &'a Score, name: &str) -> Option<&'a str> {
    WORDS.iter().find(|column| column.name == name).and_then(|column| (column.get)(score).as_deref())
}

/// A number that a row says.
enum Said {
    Nothing,
    Anything,
    This(Number),
}

/// One row.
pub struct Expected<'a> {
    row: &'a Row,
    level: &'a str,
    entity: &'a str,
    period: Period,
    slice: &'a str,
    slice_value: &'a str,
    /// The columns' position and name, and the expected number.
    numbers: Vec<(usize, &'static str, Said)>,
    /// The same of words; none is expected to be empty.
    words: Vec<(usize, &'static str, Option<&'a str>)>,
}

impl<'a> Expected<'a> {
    /// Reads the rows of `expect`, and refuses what cannot be meant.
    pub fn read(
        night: &RunContext<'_>,
        metric: &Metric,
        tables: &BTreeMap<String, Rows>,
        rows: &'a Rows,
    ) -> Result<Vec<Expected<'a>>> {
        let columns: Vec<&str> = numbers().chain(WORDS.iter().map(|column| column.name)).collect();
        let known = || NAMING.into_iter().chain(columns.iter().copied());
        if let Some(stranger) = rows.head.iter().find(|head| known().all(|name| name != **head)) {
            return Err(Diagnostic::project(format!("scores have no column `{stranger}`"))
                .at(rows.head_place.clone().word(stranger))
                .closest(stranger, known())
                .help(format!("{} name a score; its numbers are {}", NAMING.join(", "), columns.join(", "))));
        }
        let has = |name: &str| rows.head.iter().any(|head| head == name);
        let missing = NEEDED.into_iter().find(|name| !has(name));
        let no_number = (!columns.iter().any(|name| has(name))).then_some("value");
        if let Some(missing) = missing.or(no_number) {
            return Err(Diagnostic::project(format!("`expect` has no column `{missing}`"))
                .at(rows.head_place.clone())
                .help("name scores by level, entity and period, and say numbers: `level | entity | period | value`"));
        }
        if rows.rows.is_empty() {
            return Err(Diagnostic::project("the case expects nothing")
                .at(rows.head_place.clone())
                .help("add rows beneath the head"));
        }
        rows.rows.iter().map(|row| Expected::one(night, metric, tables, rows, row)).collect()
    }

    fn one(
        night: &RunContext<'_>,
        metric: &Metric,
        tables: &BTreeMap<String, Rows>,
        rows: &'a Rows,
        row: &'a Row,
    ) -> Result<Expected<'a>> {
        let position = |name: &str| rows.head.iter().position(|head| head == name);
        let text = |name: &str| rows.cell(row, name).unwrap_or_default();
        let wrong = |name: &str, message: String| {
            let error = Diagnostic::project(message);
            match position(name) {
                Some(i) => error.at(row.place_of(i)),
                None => error.at(row.place.clone()),
            }
        };
        let one_of = |name: &str, known: BTreeSet<&str>| match known.contains(text(name)) {
            true => Ok(text(name)),
            false => Err(wrong(name, format!("`{}` is no {name} of {}", text(name), metric.id))
                .closest(text(name), known.iter().copied())
                .help(format!("it has {}", known.into_iter().collect::<Vec<_>>().join(", ")))),
        };
        let header = &metric.header;
        let level = one_of("level", header.levels.iter().map(String::as_str).collect())?;
        let entity = match entities(tables, level) {
            known if level == REP_IN_TEAM && is_rep_in_team(tables, text("entity"), &known) => text("entity"),
            known if level != REP_IN_TEAM && known.contains(text("entity")) => text("entity"),
            _ if level == REP_IN_TEAM => {
                return Err(wrong("entity", format!("`{}` names no team and rep of the case", text("entity")))
                    .help("write both with an escaped line between them: `alpha\\|ada`"));
            }
            known => {
                return Err(wrong("entity", format!("the case has no {level} `{}`", text("entity")))
                    .closest(text("entity"), known.iter().copied())
                    .help(format!("it has {}", known.into_iter().collect::<Vec<_>>().join(", "))));
            }
        };
        let slice = match text("slice") {
            "" => "",
            _ => one_of("slice", header.slices.iter().chain(&header.pairs).map(String::as_str).collect())?,
        };
        if slice.is_empty() != text("slice_value").is_empty() {
            return Err(wrong("slice_value", "a slice has a value, and a value a slice".into())
                .help("leave both empty for the total; facts without a value stand under `(none)`"));
        }
        let periods: Vec<Period> = header
            .cadence
            .iter()
            .flat_map(|grain| night.settings.calendar.trailing(*grain, night.anchor, PERIODS))
            .collect();
        let grain = rows.cell(row, "grain");
        let meant = |period: &&Period| {
            period.name() == text("period") && grain.is_none_or(|grain| grain == period.grain.name())
        };
        let period = match periods.iter().filter(meant).collect::<Vec<_>>()[..] {
            [period] => *period,
            [] => {
                let spans = periods
                    .chunks(PERIODS)
                    .map(|all| format!("{} {} to {}", all[0].grain, all[0].name(), all[all.len() - 1].name()));
                let grain = grain.map_or_else(String::new, |grain| format!("{grain} "));
                return Err(wrong("period", format!("there is no scored period {grain}`{}`", text("period"))).note(
                    format!("as of {}, {} has {}", night.as_of, metric.id, spans.collect::<Vec<_>>().join(", ")),
                ));
            }
            [one, other, ..] => {
                return Err(wrong("period", format!("`{}` is a {} and a {}", text("period"), one.grain, other.grain))
                    .help("say which in a column `grain`"));
            }
        };
        let mut said_numbers = Vec::new();
        for name in numbers() {
            let Some(i) = position(name) else { continue };
            let said = match row.cells[i].as_deref() {
                None => Said::Nothing,
                Some("?") => Said::Anything,
                Some(text) => Said::This(text.parse().map_err(|error| {
                    wrong(name, error).help("write a number such as 1234.5, `?` for anything, or nothing")
                })?),
            };
            said_numbers.push((i, name, said));
        }
        let words = WORDS.iter().filter_map(|column| Some((position(column.name)?, column.name)));
        let words = words.map(|(i, name)| (i, name, row.cells[i].as_deref())).collect();
        let (numbers, slice_value) = (said_numbers, text("slice_value"));
        Ok(Expected { row, level, entity, period, slice, slice_value, numbers, words })
    }

    /// What is otherwise among the scores.
    pub fn compare(&self, found: &[Score], not_supplied: Option<&NotSupplied>) -> Vec<Diagnostic> {
        let Some(score) = found.iter().find(|score| self.means(score)) else {
            let silent = self.numbers.iter().all(|(_, _, said)| matches!(said, Said::Nothing))
                && self.words.iter().all(|(_, _, said)| said.is_none());
            return if silent { Vec::new() } else { vec![*self.missing(found, not_supplied)] };
        };
        let differs = |(i, name, said): &(usize, &str, Said)| {
            let given = number(score, name);
            let wanted = match said {
                Said::Anything => return None,
                Said::Nothing => None,
                Said::This(number) => Some(*number),
            };
            let say = |number: Option<Number>| number.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            (given != wanted).then(|| {
                let error = Diagnostic::project(format!("{name} is {}, expected {}", say(given), say(wanted)));
                *error.at(self.row.place_of(*i))
            })
        };
        let differs_in_word = |(i, name, said): &(usize, &str, Option<&str>)| {
            let say = |word: Option<&str>| word.map_or_else(|| "nothing".to_owned(), |word| format!("`{word}`"));
            (word(score, name) != *said).then(|| {
                let message = format!("{name} is {}, expected {}", say(word(score, name)), say(*said));
                *Diagnostic::project(message).at(self.row.place_of(*i))
            })
        };
        let numbers = self.numbers.iter().filter_map(differs);
        numbers.chain(self.words.iter().filter_map(differs_in_word)).collect()
    }

    fn means(&self, score: &Score) -> bool {
        self.cell_of(score) && score.entity == self.entity && score.slice_value == self.slice_value
    }

    fn cell_of(&self, score: &Score) -> bool {
        score.level == self.level
            && score.grain == self.period.grain
            && score.period_start == self.period.start
            && score.slice == self.slice
    }

    /// The expected score is not there: what is there in its place.
    fn missing(&self, found: &[Score], not_supplied: Option<&NotSupplied>) -> Box<Diagnostic> {
        let error = Diagnostic::project("there is no such score").at(self.row.place.clone());
        if let Some(not) = not_supplied.filter(|not| not.is_in(self.period.grain, self.period.start)) {
            let none = if not.is_always() { "no scores at all" } else { "no score yet" };
            return error
                .note(format!("the metric has {none}: {}", not.reason(|day| day.to_string())))
                .help("give the case the table; if it has no rows, its head is enough");
        }
        let near: Vec<&Score> = found.iter().filter(|score| self.cell_of(score)).collect();
        let values: Vec<&str> = near
            .iter()
            .filter(|score| score.entity == self.entity && !score.slice.is_empty())
            .map(|score| score.slice_value.as_str())
            .collect();
        let entities: BTreeSet<&str> = near.iter().map(|score| score.entity.as_str()).collect();
        let (what, there) = match values.is_empty() {
            true => (format!("{} in {}", self.level, self.period.name()), entities.into_iter().collect()),
            false => (format!("{} of {}", self.slice, self.entity), values),
        };
        match there.is_empty() {
            true => error.note(format!("no {what} has one")),
            false => error.note(format!("{what}: {}", there.join(", "))),
        }
        .help("if that is right, leave the row's numbers empty")
    }
}

/// The entities of a level that a case can have scores of.
fn entities<'a>(tables: &'a BTreeMap<String, Rows>, level: &str) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    match level {
        COMPANY => {
            all.insert(COMPANY);
            return all;
        }
        "rep" | REP_IN_TEAM => all.extend(tables.get("reps").into_iter().flat_map(|reps| reps.column("rep_id"))),
        _ => {
            let teams = tables.get("teams").into_iter().flat_map(|teams| {
                let of_level = teams.rows.iter().filter(move |row| teams.cell(row, "level") == Some(level));
                of_level.filter_map(|row| teams.cell(row, "team_id"))
            });
            all.extend(teams);
        }
    }
    all.insert(UNASSIGNED);
    all
}

/// Whether a line of a rep within a team names a team and a rep of the case.
fn is_rep_in_team(tables: &BTreeMap<String, Rows>, entity: &str, reps: &BTreeSet<&str>) -> bool {
    let parts = entity.split_once('|');
    parts.is_some_and(|(team, rep)| entities(tables, "team").contains(team) && reps.contains(rep))
}
