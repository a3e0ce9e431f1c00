//! What two runs differ in, as it is printed.

use crate::cli::Format;
use crate::command::compare::changes::{ColumnChange, Origin, RecordChange, TableChange};
use crate::command::compare::compared::{Compared, Told};
use crate::command::compare::inputs::{Basis, Differing};
use crate::command::compare::moves::{Move, parts};
use crate::command::compare::run::Side;
use crate::command::compare::scores::{Cell, ScoreChange};
use crate::command::output::{Table, one_line};
use crate::domain::metric::{Metric, Unit};
use crate::domain::number::Number;
use crate::pipeline::render::format::{ENGLISH, Precision};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many columns of a record are shown to people.
const COLUMNS: usize = 4;
/// What people ask of a deal first.
const FIRST: [&str; 4] = ["stage", "amount", "closed_on", "credited_rep_id"];
/// So many facts beneath a score.
const FACTS: usize = 5;
/// So many files, settings and exports.
const FILES: usize = 12;

impl Compared<'_> {
    /// Everything.
    pub fn json(&self) -> String {
        let scores: Vec<Value> = self.scores.iter().map(|told| self.score(told)).collect();
        let said = json!({
            "basis": self.basis,
            "records": self.records,
            "scores": scores,
            "notes": self.notes,
        });
        format!("{said:#}\n")
    }

    fn score(&self, told: &Told) -> Value {
        let ScoreChange { metric, level, entity, name, period, slice, slice_value, before, after, hidden } =
            &told.change;
        json!({
            "metric": metric,
            "title": self.title(metric),
            "hidden": hidden,
            "level": level,
            "entity": entity,
            "name": name,
            "grain": period.grain,
            "period": period.name(),
            "period_start": period.start,
            "period_end": period.end,
            "slice": slice,
            "slice_value": slice_value,
            "before": before,
            "after": after,
            "facts": told.moves,
            "parts": self.parts(metric),
        })
    }

    fn metric(&self, id: &str) -> Option<&Metric> {
        let of = |side: &'_ Side<'_>| side.metrics.as_ref().is_some_and(|all| all.contains_key(id));
        let side = if of(self.to) { self.to } else { self.from };
        side.metrics.as_ref().and_then(|all| all.get(id))
    }

    /// A number as people read it, to the cent.
    fn number(&self, metric: &str, value: Number) -> String {
        let unit = self.metric(metric).map_or(Unit::Ratio, |metric| metric.header.unit);
        let unit = if unit == Unit::PerThousand { Unit::Ratio } else { unit };
        ENGLISH.value(unit, value, &self.to.settings.company.currency, Precision::exact(unit, [value]))
    }

    fn parts(&self, metric: &str) -> Vec<String> {
        let metric = self.metric(metric);
        metric.and_then(|metric| parts(metric).ok()).unwrap_or_default().into_iter().collect()
    }

    fn title<'a>(&'a self, metric: &'a str) -> &'a str {
        self.metric(metric).map_or(metric, |metric| metric.header.title.as_str())
    }

    /// The scores, as a table for programs.
    pub fn csv(&self) -> String {
        let mut table = Table::new(&[
            "metric",
            "level",
            "entity",
            "name",
            "grain",
            "period",
            "period_start",
            "slice",
            "slice_value",
            "before",
            "after",
            "n_before",
            "n_after",
            "target_before",
            "target_after",
            "state_before",
            "state_after",
        ]);
        for Told { change, .. } in &self.scores {
            let cell = |side: &Option<Cell>, get: fn(&Cell) -> Option<String>| side.as_ref().and_then(get);
            let (before, after) = (&change.before, &change.after);
            let pair = |get: fn(&Cell) -> Option<String>| [cell(before, get), cell(after, get)];
            let texts = [
                change.metric.clone(),
                change.level.clone(),
                change.entity.clone(),
                change.name.clone(),
                change.period.grain.to_string(),
                change.period.name(),
                change.period.start.to_string(),
                change.slice.clone(),
                change.slice_value.clone(),
            ];
            let numbers = [
                pair(|cell| cell.value.map(|value| value.to_string())),
                pair(|cell| Some(cell.n.to_string())),
                pair(|cell| cell.target.map(|target| target.to_string())),
                pair(|cell| cell.state.clone()),
            ];
            table.rows.push(texts.into_iter().map(Some).chain(numbers.into_iter().flatten()).collect());
        }
        table.render(Format::Csv)
    }

    /// For people: so many scores and records, 0 for all.
    pub fn for_people(&self, limit: usize) -> String {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let Basis { from, to, .. } = &self.basis;
        let mut text = format!("Run {} as of {}, and run {} as of {}\n", from.run, from.as_of, to.run, to.as_of);
        if self.is_same() {
            text.push_str("Nothing differs: the same exports, definitions, records and scores.\n");
            return text;
        }
        self.tell_records(&mut text, limit);
        self.tell_scores(&mut text, limit);
        self.tell_basis(&mut text);
        for note in &self.notes {
            text.push_str(&format!("\nnote: {note}"));
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text
    }

    fn is_same(&self) -> bool {
        let Basis { run, exports, definitions, .. } = &self.basis;
        let nothing = [run.is_empty(), exports.is_empty(), definitions.is_empty(), self.notes.is_empty()];
        nothing.into_iter().all(|empty| empty) && self.records.is_empty() && self.scores.is_empty()
    }

    fn tell_records(&self, text: &mut String, limit: usize) {
        text.push_str("\nRECORDS\n");
        if self.records.is_empty() {
            text.push_str("no row of the model differs\n");
            return;
        }
        let mut table = Table::new(&["table", "new", "gone", "changed"]);
        for TableChange { table: name, new, gone, changed, .. } in &self.records {
            table.row([name.clone(), new.to_string(), gone.to_string(), changed.to_string()]);
        }
        text.push_str(&table.render(Format::Table));
        for table in self.records.iter().filter(|table| table.table == "opportunities") {
            text.push_str(&format!("\nopportunities that differ: {}\n", table.rows.len()));
            table.rows.iter().take(limit).for_each(|row| text.push_str(&record(row)));
            if table.rows.len() > limit {
                text.push_str(&format!("and {} more: --limit 0 shows all\n", table.rows.len() - limit));
            }
        }
        if self.records.iter().any(|table| table.table != "opportunities") {
            text.push_str("--format json has the rows of all tables\n");
        }
    }

    fn tell_scores(&self, text: &mut String, limit: usize) {
        let seen: Vec<&Told> = self.scores.iter().filter(|told| !told.change.hidden).collect();
        text.push_str("\nSCORES\n");
        let mut by_metric: BTreeMap<&str, usize> = BTreeMap::new();
        for told in &seen {
            *by_metric.entry(&told.change.metric).or_default() += 1;
        }
        if seen.is_empty() {
            text.push_str("no score differs\n");
            return;
        }
        text.push_str(&format!("{} scores of {} metrics differ\n", seen.len(), by_metric.len()));
        for told in seen.iter().take(limit) {
            text.push_str(&self.told(told));
        }
        if seen.len() > limit {
            let metrics: Vec<String> = by_metric.iter().map(|(metric, count)| format!("{metric} {count}")).collect();
            text.push_str(&format!("\nand {} more: {}\n", seen.len() - limit, metrics.join(", ")));
            text.push_str("--limit 0 shows all; --metric, --level, --entity and --period show some; --format csv or json has all\n");
        }
    }

    fn told(&self, told: &Told) -> String {
        let change = &told.change;
        let slice = match change.slice.as_str() {
            "" => String::new(),
            slice => format!(", {slice} = {}", change.slice_value),
        };
        let cell = |side: &Option<Cell>| match side {
            None => "nothing".to_owned(),
            Some(Cell { state: Some(state), value: None, .. }) => state.clone(),
            Some(cell) => cell.value.map_or_else(|| "empty".to_owned(), |value| self.number(&change.metric, value)),
        };
        let mut text = format!(
            "\n{}, {}, {}{}\n  {} -> {}",
            self.title(&change.metric),
            one_line(&change.name),
            change.period.name(),
            one_line(&slice),
            cell(&change.before),
            cell(&change.after)
        );
        let n = |side: &Option<Cell>| side.as_ref().map_or(0, |cell| cell.n);
        text.push_str(&format!("   n {} -> {}", n(&change.before), n(&change.after)));
        let target = |side: &Option<Cell>| side.as_ref().and_then(|cell| cell.target);
        let said =
            |target: Option<Number>| target.map_or_else(|| "none".into(), |target| self.number(&change.metric, target));
        match (target(&change.before), target(&change.after)) {
            (before, after) if before != after => {
                text.push_str(&format!("   target {} -> {}", said(before), said(after)));
            }
            (target @ Some(_), _) => text.push_str(&format!("   target {}", said(target))),
            _ => {}
        }
        text.push('\n');
        match &told.moves {
            None => {
                let parts = self.parts(&change.metric);
                if !parts.is_empty() {
                    text.push_str(&format!("  by {}\n", parts.join(", ")));
                }
            }
            Some(moves) => {
                moves.iter().take(FACTS).for_each(|one| text.push_str(&self.fact(&change.metric, one)));
                if moves.len() > FACTS {
                    text.push_str(&format!("    and {} more facts: --format json has all\n", moves.len() - FACTS));
                }
            }
        }
        text
    }

    fn fact(&self, metric: &str, one: &Move) -> String {
        let has_two_sides = self.metric(metric).is_some_and(|metric| metric.aggregate().has_two_sides());
        let worth = |worth: &Option<(Option<Number>, Option<Number>)>| match (has_two_sides, worth) {
            (_, None) => String::new(),
            (true, Some((a, b))) => {
                let [a, b] = [a, b].map(|side| side.map_or_else(|| "nothing".into(), |side| side.to_string()));
                format!("{a} of {b}")
            }
            (_, Some((a, _))) => a.map_or_else(|| "nothing".into(), |a| self.number(metric, a)),
        };
        let (before, after) = (worth(&one.before), worth(&one.after));
        let value = match one.change {
            "changed" => format!("{before} -> {after}"),
            "gone" => before,
            _ => after,
        };
        let rep = one.rep.as_ref().map(|rep| self.names.get(rep).unwrap_or(rep));
        let rep = rep.map(|rep| format!("  {}", one_line(rep))).unwrap_or_default();
        let day = one.day.as_ref().map(|day| format!("  {day}")).unwrap_or_default();
        format!("    {:<7}  {}{rep}{day}  {value}{}\n", one.change, one_line(&one.record), origin(one.origin.as_ref()))
    }

    fn tell_basis(&self, text: &mut String) {
        let Basis { run, exports, definitions, settings, .. } = &self.basis;
        text.push_str("\nWHAT ELSE DIFFERS\n");
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
        let mut list = |what: &str, lines: Vec<String>| {
            if lines.is_empty() {
                text.push_str(&format!("{what:<12} none\n"));
            }
            for (i, line) in lines.iter().take(FILES).enumerate() {
                text.push_str(&format!("{:<12} {}\n", if i == 0 { what } else { "" }, one_line(line)));
            }
            if lines.len() > FILES {
                text.push_str(&format!("{:<12} and {} more: --format json has all\n", "", lines.len() - FILES));
            }
        };
        let differing = |all: &[Differing]| -> Vec<String> {
            all.iter().map(|one| format!("{}: {} -> {}", one.name, said(&one.before), said(&one.after))).collect()
        };
        list("run", differing(run));
        list(
            "exports",
            exports.iter().map(|e| format!("{:<7}  {}, {} records", e.change, e.path, e.records)).collect(),
        );
        list("definitions", definitions.iter().map(|file| format!("{:<7}  {}", file.change, file.path)).collect());
        list("settings", differing(settings));
    }
}

/// A row, with some of its columns, and where it stands.
fn record(row: &RecordChange) -> String {
    let said = |value: &Option<String>| value.as_deref().map_or_else(|| "empty".into(), one_line);
    let name = row.columns.iter().find(|column| column.name == "name");
    let name = name.and_then(|name| name.after.as_ref().or(name.before.as_ref()));
    let name = name.map(|name| format!("  {}", one_line(name))).unwrap_or_default();
    let after = row.after.as_ref().or(row.before.as_ref());
    let why = row.why.as_ref().map(|why| format!("  {}", one_line(why))).unwrap_or_default();
    let mut text = format!("  {:<7}  {}{name}{why}{}\n", row.change, row.key.join(" "), origin(after));
    if row.change != "changed" {
        let cells = FIRST.iter().filter_map(|name| row.columns.iter().find(|column| column.name == *name));
        let cells = cells.map(|cell| {
            format!("{} {}", cell.name, said(if row.change == "gone" { &cell.before } else { &cell.after }))
        });
        let cells: Vec<String> = cells.collect();
        if !cells.is_empty() {
            text.push_str(&format!("           {}\n", cells.join(", ")));
        }
        return text;
    }
    let mut cells: Vec<&ColumnChange> = row.columns.iter().collect();
    cells.sort_by_key(|cell| FIRST.iter().position(|name| *name == cell.name).unwrap_or(FIRST.len()));
    let cells = cells.into_iter().take(COLUMNS);
    let cells: Vec<String> =
        cells.map(|cell| format!("{}: {} -> {}", cell.name, said(&cell.before), said(&cell.after))).collect();
    let more = row.columns.len().saturating_sub(COLUMNS);
    let more = if more > 0 { format!("; {more} more columns") } else { String::new() };
    text.push_str(&format!("           {}{more}\n", cells.join("; ")));
    text
}

fn origin(origin: Option<&Origin>) -> String {
    origin.map(|Origin { export, row }| format!("  ({export}, record {row})")).unwrap_or_default()
}
