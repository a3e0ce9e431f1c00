//! The header: the names of an export's columns, each one unique.
//!
//! Only names are looked at here, never a cell below them.

use crate::diagnostic::{Diagnostic, Place, Result};
use std::collections::BTreeSet;

/// The column that every snapshot starts with: the record's number.
pub const ROW: &str = "_row";

/// The names in a header, as they stand but for blanks around them.
///
/// A header that cannot be a header is a data error: better than a night of rejects.
pub fn check(file_name: &str, cells: &[String]) -> Result<Vec<String>> {
    let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
    let refused = |message: &str| Err(Diagnostic::data(message).at(Place::file(file_name)));
    if names.iter().all(String::is_empty) {
        return refused("the header names no column")
            .map_err(|error| error.help("the first line must hold the names of the columns"));
    }
    if names.iter().any(|name| name.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))) {
        return refused("this export is not a text file").map_err(|error| {
            error
                .note("its header holds control characters")
                .help("save a workbook as CSV; set `encoding` if this is UTF-16 without a byte order mark")
        });
    }
    if names.iter().any(|name| name.replace("\r\n", "").contains('\r')) {
        return refused("the lines of this export end in a lone carriage return")
            .map_err(|error| error.help("save it with LF or CRLF line ends"));
    }
    Ok(names)
}

/// Makes names unique: the first of its kind keeps its name, a repeated one becomes `name_2`, `name_3` and so on, an
/// empty one `column_7` by its position. No name is taken that stands in the header itself or is [`ROW`].
pub fn unique(names: &[String]) -> Vec<String> {
    let given: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut used = BTreeSet::from([ROW.to_owned()]);
    let mut unique = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let base = if name.is_empty() { format!("column_{}", i + 1) } else { name.clone() };
        let free = |candidate: &String| !used.contains(candidate) && !given.contains(candidate.as_str());
        let own = !used.contains(&base) && (!name.is_empty() || free(&base));
        let chosen = match own {
            true => base,
            false => (2..).map(|n| format!("{base}_{n}")).find(free).unwrap_or_default(),
        };
        used.insert(chosen.clone());
        unique.push(chosen);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_become_unique() {
        let unique_of = |given: &[&str]| unique(&names(given)).join(" ");
        assert_eq!(unique_of(&["a", "b", "a", "a"]), "a b a_2 a_3");
        assert_eq!(unique_of(&["a", "a", "a_2"]), "a a_3 a_2");
        assert_eq!(unique_of(&["", "x", ""]), "column_1 x column_3");
        assert_eq!(unique_of(&["", "column_1"]), "column_1_2 column_1");
        assert_eq!(unique_of(&["_row", "A", "a"]), "_row_2 A a");
    }

    #[test]
    fn what_cannot_be_a_header_is_refused() {
        let refused = |given: &[&str]| check("a.csv", &names(given)).unwrap_err().message;
        assert_eq!(refused(&["", " "]), "the header names no column");
        assert_eq!(refused(&["I\0d\0"]), "this export is not a text file");
        assert_eq!(refused(&["Id", "Name\r1"]), "the lines of this export end in a lone carriage return");
        assert_eq!(check("a.csv", &names(&[" Id ", "Close\r\nDate"])).unwrap(), ["Id", "Close\r\nDate"]);
    }
}
