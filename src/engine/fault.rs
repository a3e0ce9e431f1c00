//! DataFusion's errors in Scorebook's one style.

use crate::diagnostic::{Diagnostic, Place};
use crate::engine::sql::Sql;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use std::error::Error;

/// A fault of the machine or of Scorebook's own SQL.
pub(super) fn internal(what: &str, error: &DataFusionError) -> Box<Diagnostic> {
    if let Some(damage) = damage(error) {
        return damage.note(format!("it is read to {what}"));
    }
    match root(error) {
        DataFusionError::ResourcesExhausted(text) => Diagnostic::internal(format!("not enough memory to {what}"))
            .note(first_line(text))
            .note("it was tried again on one thread, with joins that can spill to the disk, and that was too much as well")
            .help("raise `memory_mib` under [engine] in scorebook.toml: it may be as much as the machine can spare")
            .help("or let the query hold less: join fewer columns, or narrow its rows before they are joined and grouped"),
        root => Diagnostic::internal(format!("cannot {what}")).note(first_line(&root.strip_backtrace())),
    }
}

/// Whether there was not enough memory.
pub(super) fn is_out_of_memory(error: &DataFusionError) -> bool {
    matches!(root(error), DataFusionError::ResourcesExhausted(_))
}

/// A fault in a definition, at its place.
pub(super) fn of_definition(sql: &Sql<'_>, error: &DataFusionError) -> Box<Diagnostic> {
    if let Some(damage) = damage(error) {
        return damage.note(format!("{} reads it", sql.file));
    }
    let place = place(sql, error);
    match root(error) {
        DataFusionError::SchemaError(fault, _) => match &**fault {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let mut known: Vec<&str> = valid_fields.iter().map(|column| column.name()).collect();
                known.sort_unstable();
                known.dedup();
                let quoted: Vec<String> = known.iter().map(|name| in_sql(name)).collect();
                let place = place.unwrap_or_else(|| sql.place_of(field.name()));
                Diagnostic::project(format!("unknown column `{}`", field.name()))
                    .at(place.label("no table here has it"))
                    .note(format!("the columns here are {}", quoted.join(", ")))
                    .closest(field.name(), known.iter().copied())
                    .help("`scorebook sql \"SELECT * FROM <table> LIMIT 3\"` shows a table as it stands")
            }
            fault => other(sql, place, fault.to_string()),
        },
        DataFusionError::SQL(fault, _) => {
            let text = fault.to_string();
            if text.contains("recursion limit exceeded") {
                return Diagnostic::project("this SQL is too large to be read")
                    .at(Place::file(sql.file))
                    .note("its queries, calls and parentheses stand more than 50 deep within each other")
                    .help("take it apart: a common table expression for each part");
            }
            let place = place.or_else(|| parser_place(sql, &text)).or_else(|| sql.place_of_stop());
            let reason = text.split(" at Line:").next().unwrap_or_default();
            let reason = reason.trim_start_matches("sql parser error: ");
            Diagnostic::project(format!("this is not valid SQL: {}", lower_first(reason)))
                .at(place.unwrap_or_else(|| Place::file(sql.file)))
                .help("a definition is plain SQL after its header: SELECT ... FROM ... WHERE ...")
        }
        DataFusionError::ResourcesExhausted(_) => internal(&format!("run {}", sql.file), error),
        root => other(sql, place, root.strip_backtrace()),
    }
}

/// Tables that scoring keeps for itself.
const OWN_TABLES: [&str; 8] =
    ["entities", "measuring_days", "measuring_slots", "measurings", "members", "period_days", "spans", "unfinished"];

/// A table that does not exist, with the one probably meant.
pub(super) fn unknown_table(sql: &Sql<'_>, table: &str, known: &[String]) -> Box<Diagnostic> {
    let known: Vec<&str> = known.iter().map(String::as_str).filter(|name| !OWN_TABLES.contains(name)).collect();
    Diagnostic::project(format!("unknown table `{table}`"))
        .at(sql.place_of(table).label("no such table"))
        .note(format!("the tables here are {}", known.join(", ")))
        .closest(table, known)
        .help("model tables are described in queries/model.toml")
}

fn other(sql: &Sql<'_>, place: Option<Place>, text: String) -> Box<Diagnostic> {
    let text = first_line(&text);
    let text = [
        "Error during planning: ",
        "Arrow error: ",
        "Execution error: ",
        "Optimizer rule ",
        "This feature is not implemented: ",
    ]
    .iter()
    .fold(text.as_str(), |text, prefix| text.strip_prefix(prefix).unwrap_or(text))
    .to_owned();
    Diagnostic::project(format!("this SQL cannot be run: {}", lower_first(&text)))
        .at(place.unwrap_or_else(|| Place::line(sql.file, sql.source, sql.first_line)))
        .help("`scorebook sql` with a part of the query shows which part")
}

fn place(sql: &Sql<'_>, error: &DataFusionError) -> Option<Place> {
    let span = error.diagnostic()?.span?;
    let (line, column) = (span.start.line as usize, span.start.column as usize);
    let width = if span.end.line == span.start.line { span.end.column.saturating_sub(span.start.column) } else { 1 };
    (line > 0).then(|| sql.place(line, column, width as usize))
}

/// The parser says `... at Line: 3, Column: 14`.
fn parser_place(sql: &Sql<'_>, text: &str) -> Option<Place> {
    let (line, column) = text.split_once("Line: ")?.1.split_once(", Column: ")?;
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some(sql.place(line.parse().ok()?, column.parse().ok()?, 1))
}

/// The store's own error, if the engine carries one: it gave no rows since an object is not what its name says.
fn damage(error: &DataFusionError) -> Option<Box<Diagnostic>> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<Diagnostic>() {
            return Some(Box::new(found.clone()));
        }
        next = match current.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::Collection(all)) => all.first().map(|first| first as &(dyn Error + 'static)),
            _ => current.source(),
        };
    }
    None
}

/// The innermost error, below contexts and shared wrappers.
fn root(error: &DataFusionError) -> &DataFusionError {
    let mut innermost = error;
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<DataFusionError>() {
            innermost = found;
        }
        next = match current.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Collection(all)) => all.first().map(|first| first as &(dyn Error + 'static)),
            _ => None,
        };
    }
    innermost
}

/// A column's name as SQL must spell it.
fn in_sql(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            let rest: String = text.chars().skip(1).collect();
            first.to_lowercase().collect::<String>() + &rest
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Kind;
    use crate::engine::{Limits, Parameters, Session, Sql};
    use crate::parquet_file::{ROW_GROUP_ROWS, write};
    use crate::store::{Store, object_name};
    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use std::sync::Arc;

    /// The engine opens a file again for each of its parts, long after the table was named.
    #[tokio::test]
    async fn a_table_that_changes_under_the_engine_gives_no_rows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5_000));
        let rows = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let bytes = write(rows.schema(), &[rows], ROW_GROUP_ROWS).unwrap();
        let digest = store.put_named("model/numbers", "parquet", bytes.clone()).await.unwrap();
        let path = object_name("model/numbers", &digest, "parquet");
        let session = Session::new(Limits { threads: 2, memory_bytes: 1 << 26 }, &store).unwrap();
        session.register_parquet("numbers", &path).await.unwrap();
        let text = "SELECT SUM(n) FROM numbers";
        assert_eq!(session.query_own(text).await.unwrap()[0].num_rows(), 1);
        std::thread::sleep(std::time::Duration::from_millis(20));
        let mut damaged = bytes;
        damaged[200] ^= 1;
        std::fs::write(folder.path().join(&path), damaged).unwrap();
        let own = session.query_own(text).await.unwrap_err();
        let of_a_definition = session.query(&Sql::bare("sums.sql", text), &Parameters::new()).await.unwrap_err();
        let as_they_come = match session.stream("SELECT n FROM numbers").await {
            Ok(mut rows) => rows.next().await.unwrap_err(),
            Err(error) => error,
        };
        for error in [&own, &of_a_definition, &as_they_come] {
            assert_eq!(error.kind, Kind::Verification, "{error}");
            assert!(error.message.contains(&path), "{error}");
        }
        assert!(of_a_definition.to_string().contains("sums.sql reads it"), "{of_a_definition}");
        let again = Session::new(Limits { threads: 1, memory_bytes: 1 << 26 }, &store).unwrap();
        assert_eq!(again.register_parquet("numbers", &path).await.unwrap_err().kind, Kind::Verification);
    }
}
