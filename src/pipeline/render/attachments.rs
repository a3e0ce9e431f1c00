//! What a PDF carries besides its pages: its scores, the facts behind them, the definitions, and what made it.
//!
//! Its one constraint: everything comes from the context and from the definitions it names, so that equal contexts give
//! equal attachments.

use crate::domain::json;
use crate::domain::metric::Metrics;
use crate::domain::number::Number;
use crate::pipeline::render::context::schema::{Context, Definition, Note, Table, WorkingDays};
use crate::pipeline::render::csv::{self, Csv, Field};
use jiff::civil::Date;
use serde::Serialize;

/// A file inside a PDF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name; the same few names for every document.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// What it is, for the reader's list of attachments.
    pub description: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Attachment {
    fn new(name: &str, mime: &str, description: impl Into<String>, text: String) -> Attachment {
        Attachment { name: name.into(), mime: mime.into(), description: description.into(), bytes: text.into_bytes() }
    }
}

/// The attachments of a document: `scores.json`, `scores.csv`, `facts.csv`, `definitions.json` and, given its text,
/// `document.json`.
pub fn attachments(context: &Context, metrics: &Metrics, document: Option<String>) -> Vec<Attachment> {
    let json = "application/json";
    let mut all = vec![
        Attachment::new("scores.json", json, "Every number of this document with its reference code", scores(context)),
        Attachment::new("scores.csv", "text/csv", "The same numbers for a spreadsheet", csv::twin(context)),
        Attachment::new("facts.csv", "text/csv", facts_description(context), facts(context)),
        Attachment::new(
            "definitions.json",
            json,
            "The definitions in force, with their SQL",
            definitions(context, metrics),
        ),
    ];
    all.extend(document.map(|text| Attachment::new("document.json", json, "What made this document, by digest", text)));
    all
}

fn scores(context: &Context) -> String {
    #[derive(Serialize)]
    struct Scores<'a> {
        tables: Vec<&'a Table>,
        coaching: &'a [Note],
        working_days: &'a Option<WorkingDays>,
    }
    let Context { coaching, working_days, .. } = context;
    json::canonical(&Scores { tables: context.tables().collect(), coaching, working_days })
}

fn facts(context: &Context) -> String {
    let mut out = Csv::new(&["metric", "record_id", "event_date", "valid_from", "value", "numerator", "denominator"]);
    for fact in &context.facts {
        let date = |date: Option<Date>| Field::text(date.map(|d| d.to_string()).unwrap_or_default());
        let number = |number: Option<Number>| Field::number(number.map(|n| n.to_string()).unwrap_or_default());
        out.record(&[
            Field::text(&fact.metric),
            Field::text(&fact.record_id),
            date(fact.event_date),
            date(fact.valid_from),
            number(fact.value),
            number(fact.numerator),
            number(fact.denominator),
        ]);
    }
    out.finish()
}

/// Says how many facts are not there, and how to get at them.
fn facts_description(context: &Context) -> String {
    let total: usize = context.facts_total.values().sum();
    match total.checked_sub(context.facts.len()) {
        Some(left) if left > 0 => format!(
            "The first {} of {total} facts behind these numbers; `scorebook explain CODE` shows the rest",
            context.facts.len()
        ),
        _ if total == 0 => "Without facts: `scorebook explain CODE` shows those behind a number".into(),
        _ => "The facts behind these numbers".into(),
    }
}

fn definitions(context: &Context, metrics: &Metrics) -> String {
    #[derive(Serialize)]
    struct InForce<'a> {
        #[serde(flatten)]
        printed: &'a Definition,
        formula: Option<&'a str>,
        sql: Option<&'a str>,
    }
    let in_force: Vec<InForce<'_>> = (context.definitions.iter())
        .map(|printed| {
            let metric = metrics.get(&printed.metric);
            InForce {
                printed,
                formula: metric.and_then(|metric| metric.header.formula.as_deref()),
                sql: metric.map(|metric| metric.sql.as_str()).filter(|sql| !sql.is_empty()),
            }
        })
        .collect();
    json::canonical(&in_force)
}
