//! What of the data does not print as it stands, told with the records that have it.
//!
//! Documents say which texts they are, whether made tonight or before; the model says whose they are. So the same is told of the
//! same night, however much of it was found.

use crate::artifact::document::Rendered;
use crate::artifact::finding::{Finding, Severity};
use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::domain::digest::{Digest, Key};
use crate::parquet_file;
use crate::pipeline::render::format::one_line;
use crate::pipeline::render::glyphs::{Told, by_text, is_turn};
use crate::pipeline::stage::contract::{Kind, Table};
use crate::pipeline::stage::contract_check;
use crate::run_context::RunContext;
use crate::steps::Made;
use arrow::array::{Array, AsArray};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Raised when other cells are found for the same texts.
const FORMAT: u32 = 1;
/// So many texts are told, and so many signs and records of one.
const SHOWN: usize = 12;
/// So many letters of a text are told.
const LETTERS: usize = 60;
/// So many rows of a table are in memory.
const BATCH_ROWS: usize = 8_192;

/// A cell that has a text: `opportunities.name of salesforce:006...`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Cell {
    place: String,
    text: String,
}

/// The cells of one table.
#[derive(Serialize, Deserialize)]
struct MadeCells(BTreeSet<Cell>);

impl Made for MadeCells {
    fn objects(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Tells which signs of which records do not print, if any.
pub async fn finding(night: &RunContext<'_>, model: &Model, rendered: &Rendered) -> Result<Option<Finding>> {
    let documents = rendered.unprinted.iter().map(|(report, reader, texts)| (report.as_str(), reader.as_str(), texts));
    let told = by_text(documents);
    if told.is_empty() {
        return Ok(None);
    }
    let signs: BTreeSet<char> = told.values().flat_map(|told| &told.signs).copied().collect();
    let cells = cells(night, model, &signs, told.keys().map(String::as_str).collect()).await?;
    let mut shown: Vec<String> = told.iter().take(SHOWN).map(|(text, told)| line(text, told, &cells)).collect();
    if told.len() > SHOWN {
        shown.push(format!("and {} more texts", told.len() - SHOWN));
    }
    Ok(Some(Finding {
        check: "unprinted".into(),
        of: None,
        title: match told.len() {
            1 => "a text does not print as it stands: signs that no font has print as a box".into(),
            count => format!("{count} texts do not print as they stand: signs that no font has print as a box"),
        },
        severity: Severity::Warning,
        accepted: false,
        rows: 0,
        shown,
        help: "put a font that has them into report_templates/fonts/, or correct the records; attachments, pages and the CSV \
               twins have the texts as they are"
            .into(),
    }))
}

/// One text, what of it is not printed, whose it is, and where it stands.
fn line(text: &str, told: &Told, cells: &BTreeSet<Cell>) -> String {
    let mut signs: Vec<String> =
        told.signs.iter().take(SHOWN).map(|sign| format!("U+{:04X}", u32::from(*sign))).collect();
    if told.signs.len() > SHOWN {
        signs.push("…".into());
    }
    let has = |cell: &&Cell| text.to_lowercase().contains(&cell.text.to_lowercase());
    let mut records: Vec<&str> = cells.iter().filter(has).map(|cell| cell.place.as_str()).collect();
    records.truncate(SHOWN);
    let whose = match records.is_empty() {
        true => String::new(),
        false => format!(", {}", records.join(", ")),
    };
    let (report, reader) = &told.document;
    let place = if told.place.is_empty() { String::new() } else { format!("{} of ", told.place) };
    let others = match told.documents {
        1 => String::new(),
        2 => " and in one more document".to_owned(),
        more => format!(" and in {} more documents", more - 1),
    };
    // A terminal turns round what follows as a page would.
    let beginning: String = text.chars().filter(|c| !is_turn(*c)).take(LETTERS).collect();
    let ellipsis = if text.chars().count() > LETTERS { "…" } else { "" };
    format!("{} in `{beginning}{ellipsis}`{whose}; printed in {place}the {report} of {reader}{others}", signs.join(" "))
}

/// The cells of the model whose text is in one of the texts and has one of the signs.
async fn cells(
    night: &RunContext<'_>,
    model: &Model,
    signs: &BTreeSet<char>,
    texts: Vec<&str>,
) -> Result<BTreeSet<Cell>> {
    let contract = contract_check::read(night.project)?;
    let mut all = BTreeSet::new();
    for (name, table) in &contract.tables {
        let is_free = table.columns.iter().any(|column| column.kind == Kind::Text && column.allowed.is_empty());
        let Some(made) = model.tables.get(name).filter(|_| is_free) else { continue };
        let key = Key::of("unprinted", FORMAT, &(name, table, made.digest, signs, &texts));
        let found = match night.steps.recall::<MadeCells>(key).await? {
            Some(MadeCells(found)) => found,
            None => {
                let found = in_table(night, name, table, made.digest, signs, &texts).await?;
                night.steps.remember(key, &found)?;
                found
            }
        };
        all.extend(found);
    }
    night.steps.flush().await?;
    Ok(all)
}

async fn in_table(
    night: &RunContext<'_>,
    name: &str,
    table: &Table,
    digest: Digest,
    signs: &BTreeSet<char>,
    texts: &[&str],
) -> Result<BTreeSet<Cell>> {
    let path = crate::store::object_name(&format!("model/{name}"), &digest, "parquet");
    let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    let mut found = BTreeSet::new();
    // Of each column, so that one that has many hides no other.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for batch in parquet_file::read(night.store.file(&path).await?, BATCH_ROWS)? {
        let batch = batch?;
        for column in table.columns.iter().filter(|column| column.kind == Kind::Text && column.allowed.is_empty()) {
            let Some(cells) = batch.column_by_name(&column.name).and_then(|cells| cells.as_string_opt::<i32>()) else {
                continue;
            };
            for row in 0..cells.len() {
                if cells.is_null(row) || !is_suspect(cells.value(row)) {
                    continue;
                }
                // As it is printed, for that is what the documents tell of.
                let text = one_line(cells.value(row));
                let lower = text.to_lowercase();
                if !text.contains(|c| signs.contains(&c)) || !texts.iter().any(|told| told.contains(&lower)) {
                    continue;
                }
                let count = counts.entry(&column.name).or_default();
                *count += 1;
                if *count > texts.len() * SHOWN {
                    continue;
                }
                let key = table.key.iter().filter_map(|key| batch.column_by_name(key));
                let key = key.map(|key| arrow::util::display::array_value_to_string(key, row).unwrap_or_default());
                let place = format!("{name}.{} of {}", column.name, key.collect::<Vec<_>>().join(" "));
                found.insert(Cell { place, text });
            }
        }
    }
    Ok(found)
}

/// Whether a text has anything that a font might lack.
fn is_suspect(text: &str) -> bool {
    !text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
