//! Which columns SQL names. A wildcard names none.

use crate::diagnostic::Result;
use crate::engine::dialect::DIALECT;
use crate::engine::guard;
use crate::engine::sql::{Parameters, Sql};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Expr, Ident, TableFactor};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The columns that SQL names, as the engine spells them.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Those of a table: its name, and the column.
    of_table: BTreeSet<(String, String)>,
    /// Those that may be of any table that the SQL reads.
    of_any: BTreeSet<String>,
}

impl Named {
    /// Those that may be of this table.
    pub fn of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.of_table.iter().filter(move |(of, _)| of == table).map(|(_, column)| column.as_str());
        own.chain(self.of_any.iter().map(String::as_str))
    }
}

/// The columns that a definition names.
///
/// # Errors
/// What is no SQL that only reads.
pub fn columns_named(sql: &Sql<'_>) -> Result<Named> {
    let guarded = guard::read_only(sql, &Parameters::new())?;
    let Statement::Statement(statement) = guarded.statement else { return Ok(Named::default()) };
    let mut tables = Tables::default();
    let _: ControlFlow<()> = ast::Visit::visit(&statement, &mut tables);
    let mut named = Named::default();
    let _: ControlFlow<()> = ast::visit_expressions(&statement, |expression: &Expr| {
        match expression {
            Expr::Identifier(column) => drop(named.of_any.insert(spelled(column))),
            Expr::CompoundIdentifier(parts) => {
                if let [.., table, column] = parts.as_slice() {
                    let (table, column) = (spelled(table), spelled(column));
                    // Of what is no table, such as a query within the query, nobody knows.
                    match tables.called(&table) {
                        own if own.is_empty() => drop(named.of_any.insert(column)),
                        own => named.of_table.extend(own.into_iter().map(|table| (table, column.clone()))),
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    named.of_any.extend(joined_by(sql));
    Ok(named)
}

/// The tables of a query: what each is called there, and its name.
#[derive(Default)]
struct Tables(Vec<(String, String)>);

impl Tables {
    fn called(&self, name: &str) -> BTreeSet<String> {
        self.0.iter().filter(|(called, _)| called == name).map(|(_, table)| table.clone()).collect()
    }
}

impl ast::Visitor for Tables {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor
            && let Some(table) = name.0.last().and_then(|part| part.as_ident()).map(spelled)
        {
            let called = alias.as_ref().map_or_else(|| table.clone(), |alias| spelled(&alias.name));
            self.0.push((called, table));
        }
        ControlFlow::Continue(())
    }
}

/// A name as the engine takes it: in lower case unless it is quoted.
fn spelled(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// The columns in `JOIN ... USING (...)`, which are no expressions.
fn joined_by(sql: &Sql<'_>) -> BTreeSet<String> {
    let mut tokens = Tokenizer::new(&DIALECT, sql.text).tokenize().unwrap_or_default();
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    let starts = tokens.iter().enumerate().filter(|(_, token)| {
        matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("using"))
    });
    let within = |start: usize| tokens[start + 1..].iter().take_while(|token| **token != Token::RParen);
    let words = starts.flat_map(|(start, _)| within(start)).filter_map(|token| match token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, table: &str) -> Vec<String> {
        let found = columns_named(&Sql::bare("the query", text)).unwrap();
        let all: BTreeSet<String> = found.of(table).map(String::from).collect();
        all.into_iter().collect()
    }

    #[test]
    fn columns_are_those_that_expressions_name() {
        let text = "SELECT d._row, d.\"Amount\" AS email, s.label, UPPER(Plain) AS x FROM deals AS d \
                    LEFT JOIN \"Stages\" AS s ON s.\"Id\" = d.\"Stage\" WHERE d.\"Kind\" = 'Phone' ORDER BY d.\"Rank\"";
        assert_eq!(named(text, "deals"), ["Amount", "Kind", "Rank", "Stage", "_row", "plain"]);
        assert_eq!(named(text, "Stages"), ["Id", "label", "plain"]);
    }

    #[test]
    fn a_wildcard_names_nothing_and_nobody_knows_whose_a_bare_name_is() {
        assert_eq!(named("SELECT d.* FROM deals AS d", "deals"), [""; 0]);
        // What a query within the query is called is no name of the table that it reads.
        let text = "WITH x AS (SELECT \"A\" AS a FROM deals) SELECT x.a, (SELECT MAX(\"B\") FROM other) FROM x";
        assert_eq!(named(text, "deals"), ["A", "B"]);
        let text = "WITH x AS (SELECT * FROM deals) SELECT x.\"New\" FROM x";
        assert_eq!(named(text, "deals"), [""; 0]);
        assert_eq!(named("SELECT 1 FROM a JOIN b USING (\"Id\", key)", "a"), ["Id", "key"]);
    }
}
