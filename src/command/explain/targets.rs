//! The rows of the table `targets` behind the target of a cell.

use crate::command::output::{self, Table};
use crate::diagnostic::Result;
use crate::domain::calendar::Calendar;
use crate::domain::metric::Metric;
use crate::domain::number::Number;
use crate::domain::period::Period;
use crate::domain::score::{COMPANY, REP_IN_TEAM};
use crate::engine::Session;
use crate::engine::text::literal;
use crate::pipeline::score;
use crate::pipeline::stage::contract::Contract;
use jiff::ToSpan;
use jiff::civil::Date;

/// Whose target is asked for, and of when.
pub struct Asked<'a> {
    pub metric: &'a Metric,
    pub level: &'a str,
    pub entity: &'a str,
    /// The slice's name and value; empty for the total.
    pub slice: (&'a str, &'a str),
    pub period: Period,
    pub as_of: Date,
}

impl Asked<'_> {
    /// How the rows make the target.
    pub fn how(&self) -> String {
        match score::is_spread(self.metric) {
            true => "spread over its working days: what falls on the period's counts".into(),
            false => format!("in force on {}, the one that began last counts", self.period.end),
        }
    }

    /// The rows, from the session's tables `targets`, `membership` and `of_targets`, which is the lineage of targets: whose,
    /// when, how much, and the export row.
    pub async fn rows(&self, session: &Session, contract: &Contract, calendar: &Calendar) -> Result<Table> {
        let all = session.query_own(&self.sql(contract)).await?;
        let Some(first) = all.first() else { return Ok(Table::default()) };
        let mut table = output::table(&first.schema(), &all);
        let text = |row: &[Option<String>], i: usize| row[i].clone().unwrap_or_default();
        let days = |i: usize| -> Option<(Date, Date)> {
            let row = &table.rows[i];
            let start: Date = text(row, 2).parse().ok()?;
            let later = table.rows[i + 1..].iter().filter(|other| other[1] == row[1]);
            let next = later.filter_map(|other| text(other, 2).parse::<Date>().ok()).find(|next| *next > start);
            let end = text(row, 3).parse().ok().or(next.map(|next| next - 1.day())).unwrap_or(Date::MAX);
            Some(if row[4].is_some() { score::nearest(calendar, start, end) } else { (start, end) })
        };
        let (from, to) = match score::is_spread(self.metric) {
            true => self.metric.days(self.period, self.as_of),
            false => (self.period.end, self.period.end),
        };
        let counts = |i: usize| days(i).is_some_and(|(start, end)| start <= to && from <= end);
        let counted: Vec<bool> = (0..table.rows.len()).map(counts).collect();
        let mut counted = counted.into_iter();
        table.rows.retain(|_| counted.next().unwrap_or_default());
        for name in ["ends_on", "align", "amount", "low", "high"] {
            let Some(i) = table.head.iter().position(|head| head == name) else { continue };
            if table.rows.iter().all(|row| row[i].is_none()) {
                table.head.remove(i);
                table.rows.iter_mut().for_each(|row| drop(row.remove(i)));
                continue;
            }
            for cell in table.rows.iter_mut().filter_map(|row| row[i].as_mut()) {
                *cell = cell.parse::<Number>().map_or(cell.clone(), |number| number.to_string());
            }
        }
        Ok(table)
    }

    fn sql(&self, contract: &Contract) -> String {
        let columns = contract.tables.get("targets").map(|table| table.columns.as_slice()).unwrap_or_default();
        // A project may do without the columns that few need.
        let column = |name: &str| match columns.iter().any(|column| column.name == name) {
            true => format!("CAST(t.{name} AS VARCHAR)"),
            false => "CAST(NULL AS VARCHAR)".to_owned(),
        };
        let (level, entity) = match (self.level, self.entity.split_once('|')) {
            (REP_IN_TEAM, Some((_, rep))) => ("rep", rep),
            _ => (self.level, self.entity),
        };
        let own = match level {
            "rep" => format!("t.rep_id = {}", literal(entity)),
            COMPANY => "t.rep_id IS NULL AND t.team_id IS NULL".into(),
            _ => format!("t.team_id = {}", literal(entity)),
        };
        let (from, to) = self.metric.days(self.period, self.as_of);
        let of_reps = match score::is_spread(self.metric) {
            true => format!(
                "t.rep_id IN (SELECT m.rep_id FROM membership AS m WHERE m.level = {} AND m.entity = {} \
                 AND m.valid_from <= DATE '{to}' AND DATE '{from}' < m.valid_to)",
                literal(self.level),
                literal(self.entity)
            ),
            false => "FALSE".into(),
        };
        let (slice, value) = self.slice;
        let is = |name: &str, value: &str| format!("COALESCE({}, '') = {}", column(name), literal(value));
        format!(
            "SELECT t.target_id, COALESCE(t.rep_id, t.team_id, '{COMPANY}') AS whose, {} AS starts_on, {} AS ends_on, \
             {} AS align, {} AS amount, {} AS low, {} AS high, l._snapshot AS export, l._row AS \"row\" \
             FROM targets AS t LEFT JOIN of_targets AS l ON l.target_id = t.target_id \
             WHERE t.metric = {} AND {} AND {} AND (({own}) OR {of_reps}) ORDER BY whose, starts_on, target_id",
            column("starts_on"),
            column("ends_on"),
            column("align"),
            column("amount"),
            column("low"),
            column("high"),
            literal(self.metric.targets_of()),
            is("slice", slice),
            is("slice_value", value),
        )
    }
}
