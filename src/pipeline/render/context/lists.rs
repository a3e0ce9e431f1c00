//! Lists of records and the definitions in force.
//!
//! Their one constraint: text of the data stays as it is, but for line breaks.

use crate::domain::digest::Digest;
use crate::domain::metric::{Better, Metric, Unit};
use crate::domain::number::Number;
use crate::pipeline::render::context::schema::{Definition, ListCell, ListHead, ListTable};
use crate::pipeline::render::format::{Locale, NO_NUMBER, Precision, one_line};
use crate::pipeline::render::input::{ColumnKind, Input, List};

/// A list, formatted column by column.
pub fn list(list: &List, locale: &Locale, currency: &str) -> ListTable {
    let precisions: Vec<Precision> = list
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let cells = list.rows.iter().filter_map(|row| row.get(i)?.as_deref()?.parse::<Number>().ok());
            Precision::exact(unit(column.kind).unwrap_or(Unit::Count), cells)
        })
        .collect();
    let rows = list.rows.iter().map(|row| {
        let cells = list.columns.iter().zip(&precisions).zip(row.iter());
        cells
            .map(|((column, precision), raw)| ListCell {
                raw: raw.clone(),
                text: cell_text(column.kind, raw.as_deref(), locale, currency, *precision),
            })
            .collect()
    });
    let count = |rows: usize| locale.count(i64::try_from(rows).unwrap_or(i64::MAX));
    let (shown, all) = (list.rows.len(), list.total_rows);
    ListTable {
        id: list.id.clone(),
        title: list.title.clone(),
        question: list.question.clone(),
        columns: list
            .columns
            .iter()
            .map(|column| ListHead {
                name: column.name.clone(),
                title: column.title.clone(),
                numeric: unit(column.kind).is_some(),
            })
            .collect(),
        rows: rows.collect(),
        more: (shown < all).then(|| format!("{} of {} are shown", count(shown), count(all))),
        empty: list.rows.is_empty().then(|| list.empty.clone()),
    }
}

fn unit(kind: ColumnKind) -> Option<Unit> {
    match kind {
        ColumnKind::Money => Some(Unit::Money),
        ColumnKind::Count => Some(Unit::Count),
        ColumnKind::Percent => Some(Unit::Percent),
        ColumnKind::Days => Some(Unit::Days),
        ColumnKind::Text | ColumnKind::Date => None,
    }
}

/// A cell as printed. A number or date that cannot be read is shown as it is: the page must not hide it.
fn cell_text(kind: ColumnKind, raw: Option<&str>, locale: &Locale, currency: &str, precision: Precision) -> String {
    let Some(raw) = raw.filter(|raw| !raw.is_empty()) else { return NO_NUMBER.into() };
    let number = unit(kind).and_then(|unit| Some(locale.value(unit, raw.parse().ok()?, currency, precision)));
    let date = || (kind == ColumnKind::Date).then(|| raw.parse().ok().map(|day| locale.short_date(day))).flatten();
    number.or_else(date).unwrap_or_else(|| one_line(raw))
}

/// The definitions of the report's metrics, in the order in which they first appear.
pub fn definitions(input: &Input<'_>, locale: &Locale) -> Vec<Definition> {
    let metrics = input.report.used().into_iter().filter_map(|id| input.metrics.get(id));
    metrics.map(|metric| definition(metric, input.definitions.get(&metric.id).copied(), locale)).collect()
}

/// A metric's definition as it is printed.
pub fn definition(metric: &Metric, digest: Option<Digest>, locale: &Locale) -> Definition {
    Definition {
        metric: metric.id.clone(),
        title: metric.header.title.clone(),
        question: metric.header.question.clone(),
        definition: metric.header.definition.clone(),
        small_print: small_print(metric, locale),
        benchmark: metric.header.benchmark.clone(),
        better: metric.header.better,
        digest,
    }
}

fn small_print(metric: &Metric, locale: &Locale) -> String {
    let header = &metric.header;
    let version = header.version.unwrap_or(1);
    let since = header.since.as_ref().map(|day| format!(" since {day}")).unwrap_or_default();
    let better = match header.better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::Neither => "neither way is better",
        Better::Range => "too low and too high are both bad",
    };
    let called = metric.called().unwrap_or("facts");
    let judged = match header.minimum_n {
        ..=1 => String::new(),
        n => format!("; judged from {} on", locale.records(n, called)),
    };
    format!("Version {version}{since}; {better}{judged}.")
}
