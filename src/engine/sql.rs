//! SQL with the place where it stands.

use crate::diagnostic::Place;
use crate::engine::dialect::DIALECT;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// SQL, and where it stands, so that faults can be shown there.
#[derive(Clone, Copy, Debug)]
pub struct Sql<'a> {
    /// The file within the project, or a name such as `the query`.
    pub file: &'a str,
    /// The whole file.
    pub source: &'a str,
    /// The SQL itself.
    pub text: &'a str,
    /// The line of the file on which the SQL starts, counted from 1.
    pub first_line: usize,
    /// Whether it makes numbers that must be the same on every run, or is a question asked once.
    pub is_definition: bool,
}

impl<'a> Sql<'a> {
    /// SQL that stands in no file.
    pub fn bare(name: &'a str, text: &'a str) -> Sql<'a> {
        Sql { file: name, source: text, text, first_line: 1, is_definition: false }
    }

    /// A place in it, from a line and column of the SQL itself, both counted from 1.
    pub(super) fn place(&self, line: usize, column: usize, width: usize) -> Place {
        Place::line(self.file, self.source, self.first_line + line.saturating_sub(1)).columns(column, width)
    }

    /// The place of the first line that has the word, else the file.
    pub fn place_of(&self, word: &str) -> Place {
        let lines = self.text.lines().enumerate();
        let places = lines.map(|(i, _)| Place::line(self.file, self.source, self.first_line + i).word(word));
        places.into_iter().find(|place| place.column > 0).unwrap_or_else(|| Place::file(self.file))
    }

    /// The place of a word in the outermost query, else where it first stands.
    pub fn place_of_outer(&self, word: &str) -> Place {
        let span = self.outer().into_iter().find(|token| is_word(token, word)).map(|token| token.span);
        span.and_then(|span| self.place_of_span(span)).unwrap_or_else(|| self.place_of(word))
    }

    /// The place of the name of a column that the query returns, else where the word first stands.
    pub fn place_of_column(&self, name: &str) -> Place {
        let outer = self.outer();
        let named = outer.windows(2).find(|pair| is_word(&pair[0], "AS") && is_word(&pair[1], name));
        let span = named.map(|pair| pair[1].span);
        span.and_then(|span| self.place_of_span(span)).unwrap_or_else(|| self.place_of_outer(name))
    }

    /// The words and signs that stand in no parentheses.
    fn outer(&self) -> Vec<TokenWithSpan> {
        let mut depth = 0;
        let mut tokens = Tokenizer::new(&DIALECT, self.text).tokenize_with_location().unwrap_or_default();
        tokens.retain(|token| {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::Whitespace(_) => return false,
                _ => {}
            }
            depth == 0
        });
        tokens
    }

    /// The place at which a reader of SQL gives up.
    pub(super) fn place_of_stop(&self) -> Option<Place> {
        let mut parser = Parser::new(&DIALECT).try_with_sql(self.text).ok()?;
        parser.parse_statements().err()?;
        self.place_of_span(parser.get_current_token().span)
    }

    pub(super) fn place_of_span(&self, span: Span) -> Option<Place> {
        let (line, column) = (span.start.line as usize, span.start.column as usize);
        let width =
            if span.end.line == span.start.line { span.end.column.saturating_sub(span.start.column) } else { 1 };
        (line > 0).then(|| self.place(line, column, width as usize))
    }
}

fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(text))
}

/// The parameters of a definition: name without the `$`, and its value as SQL.
pub type Parameters = BTreeMap<String, String>;

/// The parameters every definition may use.
pub fn parameters(as_of: Date) -> Parameters {
    Parameters::from([("as_of".to_owned(), format!("DATE '{as_of}'"))])
}
