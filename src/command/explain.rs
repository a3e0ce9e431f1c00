//! `scorebook explain`: from a printed number to its definition, its facts and targets, and the export rows behind them.

mod targets;

use crate::artifact::document::{CONTEXT, Document};
use crate::artifact::snapshot::Snapshot;
use crate::cli::{ExplainArgs, Format, Global};
use crate::command::lineage::{self, Lineage};
use crate::command::opened::Opened;
use crate::command::output::{self, Table, printable};
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::code;
use crate::domain::metric::{Header, Metric, Metrics};
use crate::domain::period::{Grain, Period};
use crate::domain::score::{NO_VALUE, pair_parts as pair_parts_of};
use crate::engine::text::literal;
use crate::engine::{Session, formula, parameters};
use crate::ledger::{Entry, Ledger};
use crate::pipeline::score::prepared::PreparedFacts;
use crate::pipeline::score::{self, definition};
use crate::pipeline::stage::contract_check;
use crate::project::Project;
use crate::settings::Settings;
use crate::store::object_name;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use targets::Asked;

/// A printed number: which score it is, and the run and document that print it.
struct Found<'a> {
    entry: &'a Entry,
    document: &'a Document,
    line: Value,
    cell: Cell,
}

/// What a cell of a context says of itself.
#[derive(Clone, Debug, serde::Deserialize)]
struct Cell {
    column: String,
    metric: String,
    level: String,
    entity: String,
    grain: Grain,
    period_start: Date,
    slice: String,
    slice_value: String,
    value: Option<String>,
    text: String,
    n: i64,
    target: Option<String>,
    #[serde(default)]
    target_notes: Vec<String>,
}

pub(super) async fn explain(global: &Global, args: ExplainArgs) -> Result<()> {
    let typed = code::parse(&args.code).map_err(|why| {
        Diagnostic::usage(format!("`{}` is no reference code", printable(&args.code)))
            .note(why)
            .help("type it as it stands beside the line: 7K3M-9QXD-2F4T-5, and the column's letter behind a point")
    })?;
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let found = find(&opened, &ledger, &typed).await?;
    let project = Project::from_ledger(&opened.store, &found.entry.definitions).await?;
    let metrics = definition::read(&project)?;
    let part_scores = Vec::new();
    let settings = Settings::of(&project)?;
    let mut explained =
        Explained { opened: &opened, settings, project, metrics, found, part_scores, targets: Vec::new() };
    explained.read_part_scores().await?;
    explained.read_targets().await?;
    let mut parts = Vec::new();
    for metric in explained.parts(&explained.found.cell.metric)? {
        parts.push((metric.clone(), explained.facts(&metric, args.limit).await?));
    }
    match global.format {
        Format::Table => output::write(&explained.for_people(&parts)?),
        Format::Json => output::write(&explained.json(&parts)),
        Format::Csv => parts.iter().try_for_each(|(_, facts)| output::write(&facts.table.render(Format::Csv))),
    }
}

/// Looks for a code in the contexts of all documents, the newest run first.
async fn find<'a>(opened: &Opened, ledger: &'a Ledger, typed: &code::Typed) -> Result<Found<'a>> {
    let mut seen = BTreeSet::new();
    for entry in ledger.entries.iter().rev() {
        for document in &entry.documents {
            let Some(digest) = document.files.get(CONTEXT).filter(|digest| seen.insert(**digest)) else { continue };
            // A context that cannot be trusted may be the one with the code, and an older number is not what was asked for.
            let bytes = opened.store.get(&Document::path(CONTEXT, digest)).await.map_err(|error| {
                error.note(format!("it says what {} of run {} prints", document.view, entry.number))
            })?;
            let Ok(text) = std::str::from_utf8(&bytes) else { continue };
            if !text.contains(&typed.code) {
                continue;
            }
            let context: Value = serde_json::from_str(text).unwrap_or_default();
            let Some(line) = line(&context, &typed.code) else { continue };
            let cells: Vec<Cell> = serde_json::from_value(line["cells"].clone()).map_err(|error| {
                Diagnostic::internal(format!("the context of {} is damaged: {error}", document.view))
            })?;
            let wanted = typed.column.map(String::from);
            let cell = cells.iter().find(|cell| wanted.as_ref().is_none_or(|wanted| cell.column == *wanted));
            let Some(cell) = cell.cloned() else {
                let known: Vec<&str> = cells.iter().map(|cell| cell.column.as_str()).collect();
                return Err(Diagnostic::usage(format!("line {} has no such column", typed.code))
                    .help(format!("its columns are {}", known.join(", "))));
            };
            return Ok(Found { entry, document, line: line.clone(), cell });
        }
    }
    Err(Diagnostic::usage(format!("no document of this warehouse has the code {}", typed.code))
        .note(format!("{} runs were searched", ledger.entries.len()))
        .help("is it from another project? name its folder with --project DIR"))
}

/// The line with a code, anywhere in a context.
fn line<'a>(value: &'a Value, code: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) if members.get("code").and_then(Value::as_str) == Some(code) => Some(value),
        Value::Object(members) => members.values().find_map(|member| line(member, code)),
        Value::Array(items) => items.iter().find_map(|item| line(item, code)),
        _ => None,
    }
}

/// The two values of a pair, which are joined by `*` with any `*` of their own escaped; or the one value as it is.
pub(super) fn pair_parts(value: &str, is_pair: bool) -> Vec<String> {
    if !is_pair {
        return vec![value.to_owned()];
    }
    pair_parts_of(value)
}

struct Explained<'a> {
    opened: &'a Opened,
    project: Project,
    settings: Settings,
    metrics: Metrics,
    found: Found<'a>,
    /// A formula's parts in the same cell: metric, value, target.
    part_scores: Vec<(String, Option<String>, Option<String>)>,
    /// The rows behind the targets.
    targets: Vec<Targets>,
}

/// The rows behind the targets of a metric.
struct Targets {
    metric: String,
    how: String,
    rows: Table,
}

/// The slices whose named values are not in a number: all that stand apart, but for the one whose line it is. That line
/// has revenue alone, unless it is the line of overlay credit.
pub(super) fn kept_apart<'a>(header: &'a Header, slice: &'a str) -> impl Iterator<Item = &'a String> {
    let on_its_own = header.apart.iter().any(|apart| apart == slice);
    header.apart.iter().filter(move |apart| *apart != slice && (!on_its_own || *apart == definition::CREDIT_KIND))
}

/// The facts of one metric behind the number, with their export rows.
struct Facts {
    table: Table,
    total: usize,
}

impl Explained<'_> {
    /// The metrics whose facts stand behind a metric: itself, or a formula's and a second-order metric's parts.
    fn parts(&self, id: &str) -> Result<Vec<String>> {
        let metric = &self.metrics[id];
        let Some(text) = &metric.header.formula else { return Ok(vec![id.to_owned()]) };
        let mut all = Vec::new();
        let parts: BTreeSet<String> = formula::parse(text)?.parts.into_iter().map(|part| part.metric).collect();
        for part in parts {
            all.extend(self.parts(&part)?);
        }
        Ok(all)
    }

    /// Reads the scores of a formula's parts in the cell's place.
    async fn read_part_scores(&mut self) -> Result<()> {
        let cell = &self.found.cell;
        if !self.metrics[&cell.metric].is_formula() {
            return Ok(());
        }
        let mut all = Vec::new();
        for part in self.parts(&cell.metric)? {
            let session = Session::new(self.opened.limits, &self.opened.store)?;
            session.register_parquet("scores", &self.found.entry.scores[&part].path(&part)).await?;
            let sql = format!(
                "SELECT value, target FROM scores WHERE level = {} AND entity = {} AND grain = '{}' \
                 AND period_start = DATE '{}' AND slice = ''",
                literal(&cell.level),
                literal(&cell.entity),
                cell.grain,
                cell.period_start
            );
            let batches = session.query_own(&sql).await?;
            let schema =
                batches.first().map(|batch| batch.schema()).unwrap_or_else(|| arrow::datatypes::Schema::empty().into());
            for row in output::table(&schema, &batches).rows {
                let number =
                    |i: usize| Some(row.get(i)?.as_ref()?.parse::<crate::domain::number::Number>().ok()?.to_string());
                all.push((part.clone(), number(0), number(1)));
            }
        }
        self.part_scores = all;
        Ok(())
    }

    /// Reads the rows behind the cell's target, and behind those that a formula takes: targets are set for wholes.
    async fn read_targets(&mut self) -> Result<()> {
        let cell = &self.found.cell;
        let own = cell.target.iter().map(|_| (&cell.metric, (cell.slice.as_str(), cell.slice_value.as_str())));
        let of_parts =
            self.part_scores.iter().filter(|(_, _, target)| target.is_some()).map(|(part, ..)| (part, ("", "")));
        let (contract, entry) = (contract_check::read(&self.project)?, self.found.entry);
        let mut all = Vec::new();
        for (id, slice) in own.chain(of_parts) {
            let Some(lineage) = entry.model.get("targets").and_then(|table| table.lineage) else { continue };
            let session = Session::new(self.opened.limits, &self.opened.store)?;
            for name in ["targets", "membership"] {
                session.register_parquet(name, &entry.model[name].path(name)).await?;
            }
            session.register_parquet("of_lineage", &object_name("model/targets__lineage", &lineage, "parquet")).await?;
            session.materialize("of_targets", "SELECT target_id, _snapshot, _row FROM of_lineage").await?;
            let asked = Asked {
                metric: &self.metrics[id],
                level: &cell.level,
                entity: &cell.entity,
                slice,
                period: self.period(),
                as_of: entry.as_of,
            };
            let mut rows = asked.rows(&session, &contract, &self.settings.calendar).await?;
            self.name_exports(&mut rows);
            all.push(Targets { metric: id.clone(), how: asked.how(), rows });
        }
        self.targets = all;
        Ok(())
    }

    fn period(&self) -> Period {
        self.settings.calendar.period(self.found.cell.grain, self.found.cell.period_start)
    }

    async fn facts(&self, id: &str, limit: usize) -> Result<Facts> {
        let metric = &self.metrics[id];
        let entry = self.found.entry;
        let session = Session::new(self.opened.limits, &self.opened.store)?;
        for (name, table) in &entry.model {
            session.register_parquet(name, &table.path(name)).await?;
        }
        let reads: Vec<String> = metric.header.reads.iter().map(|part| entry.scores[part].path(part)).collect();
        if !reads.is_empty() {
            session.register_parquets("scores", &reads).await?;
        }
        let prepared = score::facts_of(&session, &self.metrics, metric, &parameters(entry.as_of)).await?;
        let contract = contract_check::read(&self.project)?;
        let lineage = lineage::add(&session, entry, &contract, &self.metrics, metric).await?;
        let sql = self.sql(metric, &prepared, lineage)?;
        let batches = session.query_own(&sql).await?;
        let total = batches.iter().map(|batch| batch.num_rows()).sum();
        let schema =
            batches.first().map(|batch| batch.schema()).unwrap_or_else(|| arrow::datatypes::Schema::empty().into());
        let mut table = output::table(&schema, &batches);
        table.rows.truncate(limit);
        self.name_exports(&mut table);
        Ok(Facts { table, total })
    }

    fn sql(&self, metric: &Metric, prepared: &PreparedFacts, lineage: Lineage) -> Result<String> {
        let (cell, stock) = (&self.found.cell, prepared.is_stock());
        let period = self.period();
        let measured_on = period.measured_on(self.found.entry.as_of);
        let given = !metric.header.reads.is_empty();
        let (select, day, within) = match (given, stock) {
            (true, _) => (
                "f.record_id, f.a, f.b".to_owned(),
                String::new(),
                format!(
                    "f.level = {} AND f.entity = {} AND f.grain = '{}' AND f.period_start = DATE '{}'",
                    literal(&cell.level),
                    literal(&cell.entity),
                    cell.grain,
                    cell.period_start
                ),
            ),
            (_, true) => (
                "f.record_id, f.rep_id, f.valid_from, f.valid_to, f.a, f.b".into(),
                format!("DATE '{measured_on}'"),
                format!(
                    "f.valid_from <= DATE '{measured_on}' AND (f.valid_to IS NULL OR DATE '{measured_on}' < f.valid_to)"
                ),
            ),
            _ => ("f.record_id, f.rep_id, f.day, f.a, f.b".into(), "f.day".into(), {
                let (from, to) = metric.days(period, self.found.entry.as_of);
                format!("f.day BETWEEN DATE '{from}' AND DATE '{to}'")
            }),
        };
        let membership = match given {
            true => String::new(),
            false => format!(
                "JOIN membership AS m ON m.rep_id = f.rep_id AND m.level = {} AND m.entity = {} AND m.valid_from <= {day} AND {day} < m.valid_to",
                literal(&cell.level),
                literal(&cell.entity)
            ),
        };
        let names =
            cell.slice.split('*').filter(|name| !name.is_empty() && metric.header.slices.iter().any(|s| s == name));
        let slices: String = names
            .zip(pair_parts(&cell.slice_value, cell.slice.contains('*')))
            .map(|(name, value)| match metric.header.multi.iter().any(|multi| multi == name) {
                true => format!(" AND ARRAY_HAS(f.{name}, {})", literal(&value)),
                false => format!(" AND f.{name} = {}", literal(&value)),
            })
            .collect();
        let apart: String =
            kept_apart(&metric.header, &cell.slice).map(|name| format!(" AND f.{name} = '{NO_VALUE}'")).collect();
        let day = format!("DATE '{measured_on}'");
        let allocated = metric.header.allocated.iter().find(|slice| **slice == cell.slice);
        let facts = match allocated {
            Some(slice) => format!("({})", score::allocated_sql(metric, prepared, slice)?),
            None => prepared.worth_on("facts", &day),
        };
        let facts = prepared.on_day(&facts, &day);
        let of_record = "LEFT JOIN lineage AS l ON l.record = f.record_id";
        let of_day = format!(
            "LEFT JOIN traced AS t ON t.record = f.record_id AND t.day = f.{}",
            if stock { "valid_from" } else { "day" }
        );
        let (rows, join) = match (lineage.of_record, lineage.of_day) {
            (false, false) => ("", String::new()),
            (true, false) => (", l._snapshot AS export, l._row AS row", of_record.to_owned()),
            (false, true) => (", t._snapshot AS export, t._row AS row", of_day),
            // A fact that no row of its day stands behind comes from its record itself.
            (true, true) => (
                ", COALESCE(t._snapshot, l._snapshot) AS export, CASE WHEN t._snapshot IS NULL THEN l._row ELSE t._row END AS row",
                format!("{of_day} {of_record}"),
            ),
        };
        Ok(format!(
            "SELECT {select}{rows} FROM ({facts}) AS f {membership} {join} WHERE {within}{slices}{apart} ORDER BY f.record_id"
        ))
    }

    /// Puts the exports' paths in the place of their snapshots' digests.
    fn name_exports(&self, table: &mut Table) {
        let rename = [("a", "value"), ("b", "of")];
        table.head.iter_mut().for_each(|head| {
            if let Some((_, name)) = rename.iter().find(|(old, _)| old == head) {
                *head = (*name).to_owned();
            }
        });
        let Some(column) = table.head.iter().position(|head| head == "export") else { return };
        for row in &mut table.rows {
            let digest = row[column].clone().unwrap_or_default();
            row[column] = Snapshot::named(&self.found.entry.observations, &digest).map(|s| s.path.clone());
        }
        for name in ["value", "of"] {
            if let Some(column) = table.head.iter().position(|head| head == name) {
                for cell in table.rows.iter_mut().filter_map(|row| row[column].as_mut()) {
                    *cell = cell.parse::<crate::domain::number::Number>().map_or(cell.clone(), |n| n.to_string());
                }
                if table.rows.iter().all(|row| row[column].is_none()) {
                    table.head.remove(column);
                    table.rows.iter_mut().for_each(|row| drop(row.remove(column)));
                }
            }
        }
    }

    fn for_people(&self, parts: &[(String, Facts)]) -> Result<String> {
        let Found { entry, document, line, cell } = &self.found;
        let metric = &self.metrics[&cell.metric];
        let period = self.period();
        let code = line["code"].as_str().unwrap_or_default();
        let mut text = format!("{code}.{}  {}: {}\n\n", cell.column, metric.header.title, cell.text);
        let mut say = |name: &str, value: &str| text.push_str(&format!("{name:<11} {value}\n"));
        say("level", &format!("{} {}", cell.level, cell.entity));
        say("period", &format!("{} {} ({} to {})", cell.grain, period.name(), period.start, period.end));
        if !cell.slice.is_empty() {
            say("slice", &printable(&format!("{} = {}", cell.slice, cell.slice_value)));
        }
        say("value", cell.value.as_deref().unwrap_or("empty"));
        if let Some(target) = &cell.target {
            say("target", target);
            cell.target_notes.iter().for_each(|note| say("", note));
        }
        say("facts", &cell.n.to_string());
        say(
            "document",
            &format!("{} ({} of run {}, as of {})", document.view, document.report, entry.number, entry.as_of),
        );
        say(
            "definition",
            &format!(
                "{} ({})",
                metric.path,
                self.project.find(&metric.path).map(|f| f.digest.to_string()[..16].to_owned()).unwrap_or_default()
            ),
        );
        say("", &metric.header.definition);
        if let Some(formula) = &metric.header.formula {
            say("formula", formula);
            for (part, value, target) in &self.part_scores {
                let target = target.as_ref().map_or_else(String::new, |target| format!(", target {target}"));
                say("", &format!("{part} {}{target}", value.as_deref().unwrap_or("empty")));
            }
        }
        for Targets { metric, how, rows } in &self.targets {
            let targets = if rows.rows.len() == 1 { "target" } else { "targets" };
            text.push_str(&format!("\n{} {targets} of {metric}, {how}\n", rows.rows.len()));
            text.push_str(&rows.render(Format::Table));
        }
        for (part, facts) in parts {
            let part = &self.metrics[part];
            text.push_str(&format!("\n{}\n", part.path));
            part.sql.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
            text.push_str(&format!("\n{} {}\n", facts.total, if facts.total == 1 { "fact" } else { "facts" }));
            text.push_str(&facts.table.render(Format::Table));
            if facts.total > facts.table.rows.len() {
                text.push_str(&format!("and {} more: --limit {}\n", facts.total - facts.table.rows.len(), facts.total));
            }
        }
        Ok(text)
    }

    fn json(&self, parts: &[(String, Facts)]) -> String {
        let Found { entry, document, line, cell } = &self.found;
        let facts: serde_json::Map<_, _> = parts
            .iter()
            .map(|(part, facts)| {
                let rows: Value = serde_json::from_str(&facts.table.render(Format::Json)).unwrap_or_default();
                let metric = &self.metrics[part];
                (
                    part.clone(),
                    json!({ "definition": metric.path, "sql": metric.sql, "facts": facts.total, "rows": rows }),
                )
            })
            .collect();
        let rows_of = |of: &Targets| serde_json::from_str(&of.rows.render(Format::Json)).unwrap_or_default();
        let targets: serde_json::Map<String, Value> =
            self.targets.iter().map(|of| (of.metric.clone(), rows_of(of))).collect();
        let of_column = |column: &Value| column["column"] == cell.column.as_str();
        let printed = line["cells"].as_array().and_then(|cells| cells.iter().find(|cell| of_column(cell))).cloned();
        let explained = json!({
            "code": line["code"],
            "run": entry.number,
            "document": document.view,
            "cell": printed,
            "targets": targets,
            "parts": facts,
        });
        format!("{explained:#}\n")
    }
}
