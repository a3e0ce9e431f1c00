//! Controlled sums: what was won in closed months should not move from run to run.

use crate::artifact::baseline::{Baseline, Sealed};
use crate::artifact::model::Model;
use crate::diagnostic::{Kind, Place, Result};
use crate::domain::number::Number;
use crate::engine::{Parameters, Session, Sql};
use crate::pipeline::check::finding::Found;
use crate::pipeline::check::finding::SHOWN;
use crate::pipeline::stage::contract::{self, Column, Controlled, Table};
use crate::pipeline::stage::contract_check;
use crate::run_context::RunContext;
use crate::store::Store;
use arrow::util::display::array_value_to_string;
use std::collections::{BTreeMap, BTreeSet};

/// The check's name.
const CHECK: &str = "control_sums";

/// Holds every controlled column against the last run's.
pub(super) async fn compare(night: &RunContext<'_>, model: &Model, baseline: &Baseline<'_>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let Some(earlier) = baseline.earlier else { return Ok(found) };
    for (name, table) in &contract_check::read(night.project)?.tables {
        let (Some(now), Some(then)) = (model.tables.get(name), earlier.model.get(name)) else { continue };
        if now.digest == then.digest {
            continue;
        }
        for column in &table.columns {
            let Some(rule) = &column.controlled else { continue };
            let of = Of { name, table, column, rule };
            let now = of.rows(night, night.store, &now.path(name)).await?;
            match of.rows(night, baseline.store, &then.path(name)).await {
                Ok(then) => found.extend(of.moved(night, earlier, &then, &now)),
                Err(error) => found.push(
                    Found::warning(
                        CHECK,
                        of.name(),
                        format!("{} cannot be held against run {}", of.name(), earlier.number),
                    )
                    .note(error.message)
                    .help(match error.kind {
                        Kind::Verification => {
                            "restore that run's table from a backup; the next run is held against this one"
                        }
                        _ => "that run's table had another form; the next run is held against this one",
                    }),
                ),
            }
        }
    }
    Ok(found)
}

/// A record's amount and the day it belongs to, by its key.
type Rows = BTreeMap<String, (Number, String)>;

/// A controlled column.
struct Of<'a> {
    name: &'a str,
    table: &'a Table,
    column: &'a Column,
    rule: &'a Controlled,
}

impl Of<'_> {
    /// `opportunities.amount`.
    fn name(&self) -> String {
        format!("{}.{}", self.name, self.column.name)
    }

    /// The rows that count.
    async fn rows(&self, night: &RunContext<'_>, store: &Store, path: &str) -> Result<Rows> {
        let session = Session::new(night.limits, store)?;
        session.register_parquet(self.name, path).await?;
        let keys: Vec<String> = self.table.key.iter().map(|key| format!("CAST({key} AS VARCHAR)")).collect();
        let (amount, day) = (&self.column.name, &self.rule.on);
        let text = format!(
            "SELECT CONCAT_WS(' ', {}) AS record, {amount} AS amount, CAST({day} AS VARCHAR) AS day FROM {} \
             WHERE ({}) AND {amount} IS NOT NULL AND {day} IS NOT NULL",
            keys.join(", "),
            self.name,
            self.rule.when,
        );
        let file = format!("{}: `controlled` of {}", contract::FILE, self.name());
        let (_, batches) = session.query(&Sql::bare(&file, &text), &Parameters::new()).await?;
        let mut rows = Rows::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let [record, amount, day] =
                    [0, 1, 2].map(|i| array_value_to_string(batch.column(i), row).unwrap_or_default());
                rows.insert(record, (amount.parse().unwrap_or_default(), day));
            }
        }
        Ok(rows)
    }

    /// What moved in the months that were closed when the last run was made.
    fn moved(&self, night: &RunContext<'_>, earlier: &Sealed, then: &Rows, now: &Rows) -> Option<Found> {
        let open = earlier.as_of.first_of_month().to_string();
        let month = |day: &str| day.get(..7).unwrap_or(day).to_owned();
        let sums = |rows: &Rows| {
            let mut sums: BTreeMap<String, Number> = BTreeMap::new();
            for (amount, day) in rows.values().filter(|(_, day)| *day < open) {
                let sum = sums.entry(month(day)).or_default();
                *sum = sum.checked_add(*amount).unwrap_or(*sum);
            }
            sums
        };
        let (before, after) = (sums(then), sums(now));
        let total = |sums: &BTreeMap<String, Number>| add(sums.values().copied());
        let months: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let change = |month: &&&String| {
            let of = |sums: &BTreeMap<String, Number>| sums.get(**month).copied().unwrap_or_default();
            of(&after).checked_sub(of(&before)).unwrap_or_default()
        };
        let changed: Vec<(&String, Number)> =
            months.iter().map(|month| (*month, change(&month))).filter(|(_, by)| *by != Number::ZERO).collect();
        let by = add(changed.iter().map(|(_, by)| by.magnitude()));
        let is_over = |by: Number, of: Number, percent: u32| {
            by.units().saturating_mul(100) > of.magnitude().units().saturating_mul(i128::from(percent))
        };
        // One month that moved is told of; only where much of the whole moved it may be another export.
        let is_told = |percent: u32| {
            let of = |month: &str| before.get(month).copied().unwrap_or_default();
            changed.iter().any(|(month, by)| is_over(by.magnitude(), of(month), percent))
        };
        let checks = &night.settings.checks;
        let (warning, error) = (checks.sums_warning_percent, checks.sums_error_percent);
        let title = format!(
            "{} of closed months moved by {} in all: it added up to {} in run {}, and is {} now",
            self.name(),
            by.to_fixed(2),
            total(&before).to_fixed(2),
            earlier.number,
            total(&after).to_fixed(2)
        );
        let (found, limit) = match (is_over(by, total(&before), error), is_told(warning)) {
            (true, _) => (Found::error(CHECK, self.name(), title), ("sums_error_percent", error)),
            (false, true) => (Found::warning(CHECK, self.name(), title), ("sums_warning_percent", warning)),
            (false, false) => return None,
        };
        let told: Vec<String> =
            changed.iter().rev().take(SHOWN).map(|(month, by)| format!("{month} {}", signed(*by))).collect();
        let found = found.at(self.place(night)).note(format!(
            "the limit is {} % {}; {} moved: {}",
            limit.1,
            if limit.0 == "sums_error_percent" { "of them all" } else { "of a month" },
            if changed.len() == 1 { "1 month".to_owned() } else { format!("{} months", changed.len()) },
            told.join(", ")
        ));
        let found = self.records(then, now, &open).into_iter().fold(found, Found::note);
        Some(found.help(format!(
            "look at these records in the CRM: were closed deals changed, or is the export another one? \
             `{}` under [checks] in scorebook.toml moves the limit",
            limit.0
        )))
    }

    /// Where the contract says so.
    fn place(&self, night: &RunContext<'_>) -> Place {
        let source = night.project.text(contract::FILE).unwrap_or_default();
        let head = format!("[tables.{}]", self.name);
        let lines = source.lines().enumerate().skip_while(|(_, line)| line.trim() != head);
        let column = format!("\"{}\"", self.column.name);
        let own = lines.skip_while(|(_, line)| !line.contains(&column));
        let line = own.into_iter().find(|(_, line)| line.contains("controlled"));
        line.map_or_else(
            || Place::file(contract::FILE),
            |(i, _)| Place::line(contract::FILE, source, i + 1).word("controlled").label("should not move"),
        )
    }

    /// The records that moved most.
    fn records(&self, then: &Rows, now: &Rows, open: &str) -> Vec<String> {
        let of = |rows: &Rows, key: &str| rows.get(key).filter(|(_, day)| day.as_str() < open).cloned();
        let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let mut moved: Vec<(Number, String)> = Vec::new();
        for key in keys {
            let (before, after) = (of(then, key), of(now, key));
            if before == after {
                continue;
            }
            let amount = |side: &Option<(Number, String)>| side.as_ref().map_or(Number::ZERO, |(amount, _)| *amount);
            let said = |side: &Option<(Number, String)>| {
                side.as_ref().map_or("nothing".into(), |(amount, day)| format!("{} on {day}", amount.to_fixed(2)))
            };
            let by = amount(&after).checked_sub(amount(&before)).unwrap_or_default().magnitude();
            moved.push((by, format!("{key}: {}, then {}", said(&before), said(&after))));
        }
        moved.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        moved.into_iter().take(SHOWN).map(|(_, said)| said).collect()
    }
}

fn add(numbers: impl Iterator<Item = Number>) -> Number {
    numbers.fold(Number::ZERO, |sum, number| sum.checked_add(number).unwrap_or(sum))
}

fn signed(number: Number) -> String {
    let text = number.to_fixed(2);
    if number > Number::ZERO { format!("+{text}") } else { text }
}
