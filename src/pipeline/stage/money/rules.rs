//! What the contract may say of currencies.

use crate::diagnostic::Diagnostic;
use crate::domain::exchange::Kind as RateKind;
use crate::pipeline::stage::contract::{AS_OF, Column, EXCHANGE_RATES, Kind, Table};

/// What the engine needs of it; its key is all but the rate.
pub(super) const COLUMNS: [(&str, Kind); 4] =
    [("from_currency", Kind::Text), ("valid_on", Kind::Date), ("kind", Kind::Text), ("rate", Kind::Rate)];

/// What an error says, and the word of the contract that it is about.
type Wrong = (Box<Diagnostic>, String);

/// Checks what a table of the contract says of currencies.
pub fn check(name: &str, table: &Table) -> std::result::Result<(), Wrong> {
    if name == EXCHANGE_RATES {
        check_rates(table)?;
    }
    let mut filled: Vec<&str> = Vec::new();
    for column in &table.columns {
        let at = |word: &str, message: String| (Diagnostic::project(message), word.to_owned());
        let full = format!("{name}.{}", column.name);
        let Some(currency) = &column.currency else {
            let rest =
                [("converts_on", &column.converts_on), ("original", &column.original), ("at_plan", &column.at_plan)];
            if let Some((word, _)) = rest.iter().find(|(_, value)| value.is_some()) {
                let (error, word) = at(word, format!("{full} has `{word}`, and no `currency`"));
                return Err((error.help("name the column that holds the currency: currency = \"currency\""), word));
            }
            continue;
        };
        if column.kind != Kind::Money {
            let (error, word) = at(&quoted(&column.name), format!("{full} has a currency and so must be money"));
            return Err((error.help("write type = \"money\""), word));
        }
        if name == EXCHANGE_RATES {
            return Err(at(
                &quoted(&column.name),
                format!("{full} cannot be converted: {EXCHANGE_RATES} is what converts"),
            ));
        }
        let Some(converts_on) = &column.converts_on else {
            let (error, word) = at(&quoted(&column.name), format!("{full} does not say which day's rate converts it"));
            let help = "add converts_on = \"<a date column>\", or converts_on = \"as_of\" for the date of the run";
            return Err((error.help(help), word));
        };
        a_column(table, &full, "currency", currency, Kind::Text)?;
        if converts_on != AS_OF {
            a_column(table, &full, "converts_on", converts_on, Kind::Date)?;
        }
        for (word, target) in [("original", &column.original), ("at_plan", &column.at_plan)] {
            let Some(target) = target else { continue };
            let to = a_column(table, &full, word, target, Kind::Money)?;
            let wrong = match () {
                () if to.name == column.name => "which is the column itself",
                () if to.currency.is_some() => "which is converted itself",
                () if filled.contains(&to.name.as_str()) => "which another column has named already",
                () if to.required => "which is required, though it may stay empty",
                () if table.key.contains(&to.name) => "which is part of the key",
                () => {
                    filled.push(&to.name);
                    continue;
                }
            };
            let (error, word) = at(&names(word, target), format!("{full} has {word} = \"{target}\", {wrong}"));
            let error = error.note("the engine fills that column with the amount in another form");
            return Err((error.help("name a money column of its own for it"), word));
        }
    }
    Ok(())
}

/// A column's name as the contract writes it.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// How the contract says that a column names another.
fn names(word: &str, name: &str) -> String {
    format!("{word} = \"{name}\"")
}

/// The column of a table that another one names.
fn a_column<'a>(
    table: &'a Table,
    full: &str,
    word: &str,
    name: &str,
    kind: Kind,
) -> std::result::Result<&'a Column, Wrong> {
    match table.column(name) {
        Some(column) if column.kind == kind => Ok(column),
        Some(column) => {
            let (is, must) = (column.kind.words(), kind.words());
            let error =
                Diagnostic::project(format!("{full} has {word} = \"{name}\", which is {is} and must be {must}"));
            Err((error, names(word, name)))
        }
        None => {
            let error = Diagnostic::project(format!("{full} has {word} = \"{name}\", which is no column of its table"));
            let known = table.columns.iter().filter(|column| column.kind == kind).map(|column| column.name.as_str());
            Err((error.closest(name, known), names(word, name)))
        }
    }
}

fn check_rates(table: &Table) -> std::result::Result<(), Wrong> {
    for (name, kind) in COLUMNS {
        if table.column(name).is_none_or(|column| column.kind != kind || !column.required) {
            let error = Diagnostic::project(format!("{EXCHANGE_RATES} needs `{name}`: {}, required", kind.words()));
            return Err((error.note("the engine converts money with this table"), quoted(name)));
        }
    }
    let mut key: Vec<&str> = table.key.iter().map(String::as_str).collect();
    key.sort_unstable();
    if key != ["from_currency", "kind", "valid_on"] {
        let error =
            Diagnostic::project(format!("the key of {EXCHANGE_RATES} must be from_currency, valid_on and kind"));
        return Err((error.note("a currency has one rate of a kind a day"), "key".to_owned()));
    }
    let kinds = &table.columns[table.columns.iter().position(|column| column.name == "kind").unwrap_or(0)].allowed;
    if kinds.is_empty() || kinds.iter().any(|kind| RateKind::of(kind).is_none()) {
        let error = Diagnostic::project(format!("{EXCHANGE_RATES}.kind must be market or plan"));
        return Err((error.help("write allowed = [\"market\", \"plan\"]"), quoted("kind")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"
        description = ""
        key = ["id"]
        columns = [
            { name = "id", type = "id" },
            { name = "closed_on", type = "date" },
            { name = "currency", type = "text" },
            { name = "amount", type = "money", currency = "currency", converts_on = "closed_on",
              original = "given", at_plan = "planned" },
            { name = "fee", type = "money", currency = "currency", converts_on = "as_of" },
            { name = "given", type = "money" },
            { name = "planned", type = "money" },
        ]
    "#;
    const RATES: &str = r#"
        description = ""
        key = ["kind", "from_currency", "valid_on"]
        columns = [
            { name = "from_currency", type = "text", required = true },
            { name = "valid_on", type = "date", required = true },
            { name = "rate", type = "rate", required = true },
            { name = "kind", type = "text", required = true, allowed = ["market", "plan"] },
        ]
    "#;

    fn said(name: &str, text: &str) -> String {
        let table: Table = toml::from_str(text).unwrap();
        match check(name, &table) {
            Ok(()) => String::new(),
            Err((error, word)) => {
                assert!(text.contains(word.trim_matches('"')), "{word}");
                error.to_string()
            }
        }
    }

    #[test]
    fn a_contract_that_contradicts_itself_is_refused() {
        assert_eq!(said("deals", RIGHT), "");
        let slips = [
            (r#"converts_on = "closed_on""#, r#"converts_on = "close_on""#, "did you mean `closed_on`?"),
            (
                r#"converts_on = "closed_on""#,
                r#"converts_on = "given""#,
                "which is an amount of money and must be a date",
            ),
            (r#"currency = "currency", converts_on = "as_of""#, r#"converts_on = "as_of""#, "and no `currency`"),
            (r#", converts_on = "as_of""#, "", "does not say which day's rate converts it"),
            (
                r#"type = "money", currency = "currency", converts_on = "as_of""#,
                r#"type = "decimal", currency = "currency", converts_on = "as_of""#,
                "must be money",
            ),
            (
                r#"currency = "currency", converts_on = "as_of""#,
                r#"currency = "id", converts_on = "as_of""#,
                "which is an id and must be text",
            ),
            (r#"original = "given""#, r#"original = "amount""#, "which is the column itself"),
            (r#"original = "given""#, r#"original = "fee""#, "which is converted itself"),
            (r#"original = "given""#, r#"original = "planned""#, "which another column has named already"),
            (r#"original = "given""#, r#"original = "id""#, "which is an id and must be an amount of money"),
            (r#""given", type = "money""#, r#""given", type = "money", required = true"#, "though it may stay empty"),
            (r#"key = ["id"]"#, r#"key = ["id", "given"]"#, "which is part of the key"),
        ];
        for (from, to, expected) in slips {
            let text = RIGHT.replace(from, to);
            assert_ne!(text, RIGHT, "{from}");
            let said = said("deals", &text);
            assert!(said.contains(expected), "{to}: {said}");
        }
    }

    #[test]
    fn rates_have_one_form() {
        assert_eq!(said(EXCHANGE_RATES, RATES), "");
        let slips = [
            (r#"type = "rate""#, r#"type = "decimal""#, "needs `rate`: an exchange rate, required"),
            (r#"type = "date", required = true"#, r#"type = "date""#, "needs `valid_on`: a date, required"),
            (r#""kind", "from"#, r#""from"#, "the key of exchange_rates must be"),
            (r#", "plan""#, r#", "budget""#, "must be market or plan"),
            (
                r#"{ name = "rate""#,
                r#"{ name = "fee", type = "money", currency = "kind", converts_on = "as_of" }, { name = "rate""#,
                "exchange_rates is what converts",
            ),
        ];
        for (from, to, expected) in slips {
            let said = said(EXCHANGE_RATES, &RATES.replacen(from, to, 1));
            assert!(said.contains(expected), "{to}: {said}");
        }
    }
}
