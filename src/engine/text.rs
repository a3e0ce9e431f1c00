//! SQL text that Scorebook writes itself: literals, names, and templates. Nobody else puts texts into SQL.

use crate::diagnostic::{Diagnostic, Result};

/// A text as a literal, with its quotation marks.
pub fn literal(text: impl AsRef<str>) -> String {
    format!("'{}'", text.as_ref().replace('\'', "''"))
}

/// Texts as literals with commas between them, as `IN (...)` takes them.
pub fn literals(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().map(literal).collect::<Vec<_>>().join(", ")
}

/// A column's or table's name as it stands, with its quotation marks.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Puts values in the place of `{name}` in an SQL file of Scorebook's own. Braces within a value are its own.
///
/// # Errors
/// A name without a value, or a value that no name asks for.
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let wrong = |what: &str, name: &str| Diagnostic::internal(format!("an SQL template {what} `{name}`"));
    let mut filled = String::with_capacity(template.len());
    let mut used = vec![false; values.len()];
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (asked, after) = after.split_once('}').ok_or_else(|| wrong("does not close", after))?;
        let place = values.iter().position(|(name, _)| *name == asked);
        let place = place.ok_or_else(|| wrong("has no value for", asked))?;
        used[place] = true;
        filled.push_str(before);
        filled.push_str(values[place].1);
        rest = after;
    }
    filled.push_str(rest);
    match used.iter().position(|used| !used) {
        Some(place) => Err(wrong("does not ask for", values[place].0)),
        None => Ok(filled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_quotation_marks() {
        assert_eq!(literal("O'Hara"), "'O''Hara'");
        assert_eq!(literals(["a", "'"]), "'a', ''''");
        assert_eq!(name(r#"say "when""#), r#""say ""when""""#);
    }

    #[test]
    fn a_template_takes_exactly_its_values() {
        assert_eq!(fill("SELECT {a} + {a}", &[("a", "{b}")]).unwrap(), "SELECT {b} + {b}");
        for (template, values) in [("{a} {b}", vec![("a", "1")]), ("{a}", vec![("a", "1"), ("b", "2")]), ("{a", vec![])]
        {
            assert!(fill(template, &values).is_err(), "{template}");
        }
    }
}
