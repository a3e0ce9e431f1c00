//! What the contract may say of matching.

use crate::diagnostic::Diagnostic;
use crate::pipeline::stage::contract::{Kind, MAPPINGS, RECORD_TABLE, Table};

/// The columns of a mapping, and what its cells are.
pub(super) const MAPPING: [(&str, Kind); 4] =
    [(RECORD_TABLE, Kind::Text), ("record_id", Kind::Id), ("same_as", Kind::Id), ("is_same", Kind::Boolean)];

/// What an error says, and the word of the contract that it is about.
type Wrong = (Box<Diagnostic>, String);

/// Checks what a table of the contract says of matching.
pub fn check(name: &str, table: &Table) -> std::result::Result<(), Wrong> {
    let wrong =
        |word: &str, message: String, help: &str| Err((Diagnostic::project(message).help(help), word.to_owned()));
    if name == MAPPINGS {
        for (column, kind) in MAPPING {
            if table.column(column).is_none_or(|found| found.kind != kind) {
                let help = "the engine reads it while other tables are staged: give it record_table (text, with the tables \
                    that it may name as `allowed`), record_id and same_as (id), and is_same (boolean)";
                return wrong(MAPPINGS, format!("{MAPPINGS} lacks the column `{column}`, {}", kind.words()), help);
            }
        }
        let key = MAPPING[..3].iter().map(|(column, _)| *column);
        if !table.key.iter().map(String::as_str).eq(key) {
            let help = "write key = [\"record_table\", \"record_id\", \"same_as\"]";
            return wrong("key", format!("the key of {MAPPINGS} must be what it says of which records"), help);
        }
    }
    if table.same_by.is_empty() {
        return Ok(());
    }
    let key = table.key.first().and_then(|key| table.column(key)).filter(|_| table.key.len() == 1);
    if key.is_none_or(|key| key.kind != Kind::Id) {
        let help = "drop `same_by`: only records with an id can be the same in several sources";
        return wrong("same_by", format!("the key of {name} is not one id"), help);
    }
    for column in table.same_by.iter().flatten() {
        if table.column(column).is_none() {
            let help = format!("its columns are {}", columns(table));
            return wrong("same_by", format!("`same_by` names `{column}`, which is no column of {name}"), &help);
        }
    }
    match table.same_by.iter().any(Vec::is_empty) {
        true => wrong("same_by", format!("a rule of {name} has no columns"), "write same_by = [[\"email\"]]"),
        false => Ok(()),
    }
}

fn columns(table: &Table) -> String {
    table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}
