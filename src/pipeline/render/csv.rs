//! The CSV twin: every number of a document, raw and as printed.
//!
//! Its one constraint: a text that a spreadsheet would run gets an apostrophe before what it would run; a number never does.

use crate::domain::number::Number;
use crate::domain::spreadsheet;
use crate::pipeline::render::context::schema::{Cell, Column, Context, Line, ListTable, Note, Table, WorkingDays};

const HEAD: [&str; 20] = [
    "section",
    "row",
    "title",
    "column",
    "reference",
    "metric",
    "level",
    "entity",
    "grain",
    "period_start",
    "period_end",
    "slice",
    "slice_value",
    "value",
    "text",
    "n",
    "target",
    "low",
    "high",
    "note",
];

/// The twin of a document: UTF-8, a header, one record for each number, lines ending in a line feed.
pub fn twin(context: &Context) -> String {
    let mut out = Csv::new(&HEAD);
    context.working_days.iter().for_each(|days| out.records(working_days(context, days)));
    for table in context.tables() {
        for (row, line) in table.lines.iter().chain(&table.total).enumerate() {
            for (column, cell) in table.columns.iter().zip(&line.cells) {
                out.record(&score(table, row, line, column, cell));
            }
            out.records(
                table
                    .columns
                    .iter()
                    .zip(&line.cells)
                    .filter_map(|(column, cell)| share(table, row, line, column, cell)),
            );
            out.records(change(table, row, line));
        }
    }
    for (row, note) in context.coaching.iter().enumerate() {
        out.record(&coaching(row, note));
    }
    for list in &context.lists {
        for (row, cells) in list.rows.iter().enumerate() {
            out.records((0..cells.len()).map(|column| listed(list, row, column)));
        }
    }
    out.finish()
}

fn score(table: &Table, row: usize, line: &Line, column: &Column, cell: &Cell) -> Vec<Field> {
    let optional = |number: Option<Number>| Field::number(number.map(|number| number.to_string()).unwrap_or_default());
    vec![
        Field::text(&table.id),
        Field::number((row + 1).to_string()),
        Field::text(&line.title),
        Field::text(match &column.note {
            Some(note) => format!("{} {note}", column.title),
            None => column.title.clone(),
        }),
        Field::text(format!("{}.{}", line.code, cell.column)),
        Field::text(&cell.metric),
        Field::text(&cell.level),
        Field::text(&cell.entity),
        Field::text(cell.grain.name()),
        Field::text(cell.period_start.to_string()),
        Field::text(cell.period_end.to_string()),
        Field::text(&cell.slice),
        Field::text(&cell.slice_value),
        optional(cell.value),
        Field::number(&cell.text),
        Field::number(cell.n.to_string()),
        optional(cell.target),
        optional(cell.low),
        optional(cell.high),
        Field::text(cell.reason.as_deref().unwrap_or_default()),
    ]
}

/// The period's working days, one record for each number that says something of this rep and period.
fn working_days(context: &Context, days: &WorkingDays) -> Vec<Vec<Field>> {
    let whole = |number: u32| Number::whole(number.into());
    let said = |number: Number| Some(number).filter(|number| *number > Number::ZERO);
    let numbers = [
        ("worked", Some(days.worked), days.text.as_str()),
        ("all", Some(whole(days.all)), ""),
        ("on leave", said(days.on_leave), ""),
        ("before the first day", said(whole(days.before_first_day)), ""),
        ("after the last day", said(whole(days.after_last_day)), ""),
        ("gone by", days.gone_by.map(whole), ""),
    ];
    let (entity, period) = (&context.entity, &context.period);
    let record = |(column, number, text): (&str, Option<Number>, &str)| {
        let place =
            ["working_days", "1", "Working days", column, "", "", &entity.level, &entity.id, period.grain.name()];
        let mut fields = Vec::from(place.map(Field::text));
        fields.extend([period.start, period.end].map(|day| Field::text(day.to_string())));
        fields.extend(["", ""].map(Field::text));
        fields.push(Field::number(number?.to_string()));
        fields.push(Field::text(text));
        fields.resize_with(HEAD.len(), || Field::text(""));
        Some(fields)
    };
    numbers.into_iter().filter_map(record).collect()
}

/// A number's part of the step above it.
fn share(table: &Table, row: usize, line: &Line, column: &Column, cell: &Cell) -> Option<Vec<Field>> {
    let beneath = cell.beneath.as_ref()?;
    let mut fields = vec![
        Field::text(&table.id),
        Field::number((row + 1).to_string()),
        Field::text(&line.title),
        Field::text(format!("{}: of the step above", column.title)),
    ];
    fields.resize_with(13, || Field::text(""));
    fields.push(Field::number(beneath.share?.to_string()));
    fields.push(Field::text(&beneath.text));
    fields.resize_with(HEAD.len(), || Field::text(""));
    Some(fields)
}

/// A note: whose and which number, and what is said of it.
fn coaching(row: usize, note: &Note) -> Vec<Field> {
    let about = note.about.as_deref().map_or_else(|| note.title.clone(), |about| format!("{about}: {}", note.title));
    let mut fields = vec![
        Field::text("coaching"),
        Field::number((row + 1).to_string()),
        Field::text(about),
        Field::text(""),
        Field::text(note.reference.as_deref().unwrap_or_default()),
        Field::text(&note.metric),
    ];
    fields.resize_with(14, || Field::text(""));
    fields.push(Field::text(&note.figure));
    fields.resize_with(HEAD.len() - 1, || Field::text(""));
    fields.push(Field::text(&note.remedy));
    fields
}

/// The change of a line is derived from its first two cells, so both letters stand in its reference.
fn change(table: &Table, row: usize, line: &Line) -> Option<Vec<Field>> {
    let change = line.change.as_ref()?;
    let mut fields = vec![
        Field::text(&table.id),
        Field::number((row + 1).to_string()),
        Field::text(&line.title),
        Field::text(format!("change from {}", change.against)),
        Field::text(format!("{}.a-b", line.code)),
        Field::text(&line.metric),
    ];
    fields.resize_with(14, || Field::text(""));
    fields.push(Field::number(&change.text));
    fields.resize_with(HEAD.len(), || Field::text(""));
    Some(fields)
}

fn listed(list: &ListTable, row: usize, column: usize) -> Vec<Field> {
    let (head, cell) = (&list.columns[column], &list.rows[row][column]);
    let raw = cell.raw.as_deref().unwrap_or_default();
    let field = |text: &str| if head.numeric && is_number(raw) { Field::number(text) } else { Field::text(text) };
    let mut fields = vec![
        Field::text(&list.id),
        Field::number((row + 1).to_string()),
        Field::text(&list.title),
        Field::text(&head.title),
    ];
    fields.resize_with(13, || Field::text(""));
    fields.extend([field(raw), field(&cell.text)]);
    fields.resize_with(HEAD.len(), || Field::text(""));
    fields
}

/// A column may say that it holds numbers and yet hold a text that could not be read.
fn is_number(text: &str) -> bool {
    text.parse::<Number>().is_ok()
}

/// One field, safe to be opened in a spreadsheet.
pub struct Field(String);

impl Field {
    /// A text: harmless, whatever a spreadsheet takes for the end of a cell.
    pub fn text(text: impl AsRef<str>) -> Field {
        Field(spreadsheet::harmless(text.as_ref()).into_owned())
    }

    /// A number: as it is, whatever its sign.
    pub fn number(text: impl Into<String>) -> Field {
        Field(text.into())
    }
}

/// RFC 4180, but for its line ends.
pub struct Csv {
    writer: ::csv::Writer<Vec<u8>>,
}

impl Csv {
    /// With a header.
    pub fn new(head: &[&str]) -> Csv {
        let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        writer.write_record(head).expect("writing to memory does not fail");
        Csv { writer }
    }

    /// Adds a record, as long as the header.
    pub fn record(&mut self, fields: &[Field]) {
        let fields = fields.iter().map(|field| field.0.as_bytes());
        self.writer
            .write_record(fields)
            .expect("writing to memory does not fail, and records are as long as the header");
    }

    /// Adds several.
    pub fn records(&mut self, records: impl IntoIterator<Item = Vec<Field>>) {
        records.into_iter().for_each(|fields| self.record(&fields));
    }

    /// The whole text.
    pub fn finish(self) -> String {
        let bytes = self.writer.into_inner().expect("writing to memory does not fail");
        String::from_utf8(bytes).expect("every field is UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_splits_at_semicolons_finds_no_formula() {
        let texts = ["x;=cmd()", "x;\"=cmd()\"", "a\n=1", "a\t+1", "; @x", "\";-x", "=1;=2", "a;\u{ff1d}1"];
        let mut csv = Csv::new(&["name", "value", "other"]);
        texts.iter().for_each(|text| csv.record(&[Field::text("rep"), Field::number("-12.5"), Field::text(text)]));
        let written = csv.finish();
        // As a spreadsheet reads it whose locale has another separator: quotes count only where a cell begins with one.
        for separator in [b';', b'\t', b'|'] {
            let mut reader = ::csv::ReaderBuilder::new()
                .delimiter(separator)
                .flexible(true)
                .has_headers(false)
                .from_reader(written.as_bytes());
            for record in reader.records() {
                for cell in &record.unwrap() {
                    let start = cell.trim_start_matches(|c: char| c == '"' || c.is_whitespace());
                    assert!(!start.starts_with(['=', '+', '-', '@', '\u{ff1d}']), "{cell:?} in {written}");
                }
            }
        }
        // And as it is meant to be read: the same texts but for the marks, and the numbers as they are.
        let mut reader = ::csv::Reader::from_reader(written.as_bytes());
        for (record, text) in reader.records().zip(texts) {
            let record = record.unwrap();
            assert_eq!((&record[1], record[2].replace('\'', "")), ("-12.5", text.to_owned()));
        }
    }

    #[test]
    fn only_texts_that_a_spreadsheet_would_run_are_prefixed() {
        let mut csv = Csv::new(&["a", "b"]);
        csv.record(&[Field::text("=cmd|' /C calc'!A0"), Field::number("-12.5")]);
        csv.record(&[Field::text("+1"), Field::text("-x")]);
        csv.record(&[Field::text("@a"), Field::text("\tb")]);
        csv.record(&[Field::text("a=b, \"c\"\nd"), Field::text("Ω")]);
        let lines = "a,b\n'=cmd|' /C calc'!A0,-12.5\n'+1,'-x\n'@a,'\tb\n\"a=b, \"\"c\"\"\nd\",Ω\n";
        assert_eq!(csv.finish(), lines);
    }
}
