//! What the contract may say of versions.

use crate::diagnostic::Diagnostic;
use crate::pipeline::stage::contract::{AS_OF, Column, Contract, Kind, Table};
use crate::pipeline::stage::versions::table::{FROM, TO};

/// What an error says, and the word of the contract that it is about.
type Wrong = (Box<Diagnostic>, String);

/// Checks what a table of the contract says of versions.
pub(in crate::pipeline::stage) fn check(
    contract: &Contract,
    name: &str,
    table: &Table,
) -> std::result::Result<(), Wrong> {
    let Some(base_name) = &table.versions_of else { return Ok(()) };
    let wrong =
        |word: &str, message: String, help: &str| Err((Diagnostic::project(message).help(help), word.to_owned()));
    let base = match contract.tables.get(base_name) {
        Some(base) if base.versions_of.is_none() => base,
        _ => {
            let message = format!("{name} keeps the versions of `{base_name}`, which is no table that staging fills");
            return wrong("versions_of", message, "name a table of queries/model.toml");
        }
    };
    let id =
        base.key.first().and_then(|key| base.column(key)).filter(|key| base.key.len() == 1 && key.kind == Kind::Id);
    let Some(id) = id else {
        let message = format!("the key of {base_name} is not one id, so its rows have no versions");
        return wrong("versions_of", message, "drop `versions_of`");
    };
    let own_id = table.column(&id.name).is_some_and(|own| own.names.as_ref() == Some(base_name) && !own.is_part);
    if table.key != [id.name.as_str(), FROM] || !own_id {
        let help =
            format!("write key = [\"{}\", \"{FROM}\"], and names = \"{base_name}\" at the former column", id.name);
        return wrong("key", format!("the key of {name} must tell the versions of a record apart"), &help);
    }
    for day in [FROM, TO] {
        if table.column(day).is_none_or(|column| column.kind != Kind::Date) {
            return wrong("versions_of", format!("{name} lacks the date column `{day}`"), "add it to its columns");
        }
    }
    for column in table.columns.iter().filter(|column| ![FROM, TO].contains(&column.name.as_str())) {
        let same = |own: &&Column| own.kind == column.kind && own.currency == column.currency;
        if base.column(&column.name).filter(same).is_none() {
            let message = format!("{name}.{} is not as it is in {base_name}", column.name);
            return wrong(&column.name, message, "give both tables the same column, of one type and currency");
        }
        let is_moving = |on: &String| on == AS_OF;
        if column.original.is_some() || column.at_plan.is_some() || column.converts_on.as_ref().is_some_and(is_moving) {
            let message = format!("{name}.{} cannot be converted so", column.name);
            let help =
                "write converts_on = \"<a date column>\"; where that is empty, a version is converted on its first day";
            return wrong(&column.name, message, help);
        }
    }
    Ok(())
}
