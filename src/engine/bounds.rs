//! How large SQL may be. What is read, planned and computed by functions that call themselves needs a stack as deep as the SQL
//! is, and some texts take the parser longer than anybody waits: beyond these limits there is an error instead.
//!
//! [`refuse`] looks at the words, before anything that calls itself sees them; [`read`] parses on a thread with a large stack, and
//! not for ever; [`refuse_expansion`] looks at what the common table expressions come to once each stands where it is used.
//! A recursion is bounded while it runs ([`super::recursion`]).

use crate::diagnostic::{Diagnostic, Result};
use datafusion::sql::sqlparser::ast::{self, ObjectName, Query};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, Tokenizer};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::channel;
use std::time::Duration;

/// The most bytes of one query.
const MOST_BYTES: usize = 1 << 20;
/// The most words, numbers and signs of one query.
const MOST_TOKENS: usize = 50_000;
/// The most parentheses, brackets and CASEs within each other.
const DEEPEST: usize = 32;
/// The most operators that depend on each other, as in `a OR b OR c`.
const LONGEST: usize = 600;
/// The most signs in a row before one value, as in `NOT NOT a`.
const MOST_PREFIXES: usize = 30;
/// The most columns of a CUBE, which groups by each choice of them, and of a ROLLUP.
const MOST_CUBED: usize = 10;
const MOST_ROLLED: usize = 50;
/// The most queries put together by UNION, INTERSECT and EXCEPT.
const MOST_SETS: usize = 100;
/// The most tables that a query reads once its common table expressions are put in place, and the longest row of those that
/// read each other.
const MOST_READS: u64 = 200;
const LONGEST_ROW: u64 = 50;

/// How long the parser may take. It needs milliseconds, but tries some texts in two ways at every level.
const PATIENCE: Duration = Duration::from_secs(20);
/// Enough for the deepest SQL within the limits, also without optimisation.
const STACK_BYTES: usize = 64 << 20;

/// A query beyond a limit, and the place where it goes beyond, if that is one.
pub(super) type Refused = (Box<Diagnostic>, Option<Span>);

/// Refuses a text that is too large to be read, looking at its words alone.
pub(super) fn refuse(text: &str, dialect: &dyn Dialect) -> std::result::Result<(), Refused> {
    if text.len() > MOST_BYTES {
        return Err(beyond(format!("it has {} bytes, and one query has at most {MOST_BYTES}", text.len()), None));
    }
    // What is no SQL at all is the parser's to tell.
    let Ok(tokens) = Tokenizer::new(dialect, text).tokenize_with_location() else { return Ok(()) };
    let mut words = Words { levels: vec![Level::default()], sets: 0, count: 0, prefixes: 0, is_distinct: false };
    for token in &tokens {
        words.take(&token.token).map_err(|why| beyond(why, Some(token.span)))?;
    }
    Ok(())
}

/// What stands within the same parentheses.
#[derive(Default)]
struct Level {
    /// Whether CASE opened it.
    is_case: bool,
    /// The operators of the expression that is being read.
    operators: usize,
    /// How deep the deepest part of it is.
    inner: usize,
    /// How deep the deepest expression before it is.
    before: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.before.max(self.operators + self.inner)
    }

    /// Another expression begins.
    fn separate(&mut self) {
        *self = Level { is_case: self.is_case, before: self.depth(), ..Level::default() };
    }
}

struct Words {
    levels: Vec<Level>,
    sets: usize,
    count: usize,
    /// The operators in a row since the last word or value.
    prefixes: usize,
    /// Whether the last word was DISTINCT.
    is_distinct: bool,
}

impl Words {
    fn take(&mut self, token: &Token) -> std::result::Result<(), String> {
        use Keyword::{
            AND, AT, BETWEEN, BY, CASE, COLLATE, DISTINCT, ELSE, END, EXCEPT, FROM, HAVING, ILIKE, IN, INTERSECT,
            INTERVAL, IS, JOIN, LIKE, LIMIT, NOT, ON, OR, SELECT, THEN, UNION, WHEN, WHERE, XOR,
        };
        if !matches!(token, Token::Whitespace(_)) {
            self.count += 1;
        }
        match token {
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => self.prefixes += 1,
            Token::Word(word) if word.keyword == NOT => self.prefixes += 1,
            Token::Whitespace(_) => {}
            _ => self.prefixes = 0,
        }
        if self.prefixes > MOST_PREFIXES {
            return Err(format!("more than {MOST_PREFIXES} signs stand in a row before one value, as in `NOT NOT a`"));
        }
        if self.count > MOST_TOKENS {
            return Err(format!("it has more than {MOST_TOKENS} words, numbers and signs"));
        }
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => self.open(false)?,
            Token::RParen | Token::RBracket | Token::RBrace => self.close(false),
            Token::Comma | Token::SemiColon => self.level().separate(),
            Token::Word(word) => match word.keyword {
                CASE => self.open(true)?,
                END if self.levels.last().is_some_and(|level| level.is_case) => self.close(true),
                UNION | EXCEPT | INTERSECT => {
                    self.sets += 1;
                    self.level().separate();
                }
                // Not that of `IS DISTINCT FROM`, which is an operator.
                FROM if self.is_distinct => {}
                SELECT | FROM | WHERE | BY | HAVING | ON | JOIN | LIMIT => self.level().separate(),
                WHEN | THEN | ELSE if self.level().is_case => self.level().separate(),
                AND | OR | XOR | NOT | IS | IN | LIKE | ILIKE | BETWEEN | COLLATE | AT | INTERVAL => {
                    self.level().operators += 1;
                }
                _ => {}
            },
            Token::Whitespace(_) | Token::Period | Token::Colon | Token::EOF => {}
            token if is_value(token) => {}
            _ => self.level().operators += 1,
        }
        if !matches!(token, Token::Whitespace(_)) {
            self.is_distinct = matches!(token, Token::Word(word) if word.keyword == DISTINCT);
        }
        if self.sets > MOST_SETS {
            return Err(format!("it puts more than {MOST_SETS} queries together by UNION, INTERSECT and EXCEPT"));
        }
        if self.level().depth() > LONGEST {
            return Err(format!("more than {LONGEST} operators depend on each other, as in `a OR b OR c`"));
        }
        Ok(())
    }

    /// The innermost level; there always is one.
    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn open(&mut self, is_case: bool) -> std::result::Result<(), String> {
        self.levels.push(Level { is_case, ..Level::default() });
        match self.levels.len() - 1 > DEEPEST {
            true => Err(format!("more than {DEEPEST} parentheses, brackets or CASEs stand within each other")),
            false => Ok(()),
        }
    }

    fn close(&mut self, is_case: bool) {
        // A parenthesis closes a CASE that has no END; the parser tells of it.
        while self.levels.len() > 1 {
            let Some(closed) = self.levels.pop() else { return };
            let depth = closed.depth() + 1;
            let level = self.level();
            level.inner = level.inner.max(depth);
            if closed.is_case == is_case {
                return;
            }
        }
    }
}

fn is_value(token: &Token) -> bool {
    use Token::{
        Char, DollarQuotedString, DoubleQuotedString, EscapedStringLiteral, HexStringLiteral, NationalStringLiteral,
        Number, Placeholder, SingleQuotedString, UnicodeStringLiteral,
    };
    matches!(
        token,
        Number(..)
            | Char(_)
            | SingleQuotedString(_)
            | DoubleQuotedString(_)
            | DollarQuotedString(_)
            | EscapedStringLiteral(_)
            | HexStringLiteral(_)
            | NationalStringLiteral(_)
            | UnicodeStringLiteral(_)
            | Placeholder(_)
    )
}

fn beyond(why: String, span: Option<Span>) -> Refused {
    let error = Diagnostic::project("this SQL is too large to be read")
        .note(why)
        .help("take it apart: IN with a list instead of many ORs, a table of its own instead of many values or UNIONs");
    (error, span)
}

/// Does what may take a deep stack or for ever: reads a text, on a thread of its own.
///
/// # Errors
/// If it takes too long, or the machine gives no thread.
pub(super) fn read<T: Send + 'static>(parse: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (send, receive) = channel();
    let work = move || drop(send.send(parse()));
    let thread = std::thread::Builder::new().name("sql".into()).stack_size(STACK_BYTES).spawn(work);
    thread.map_err(|error| Diagnostic::internal(format!("cannot start a thread: {error}")))?;
    receive.recv_timeout(PATIENCE).map_err(|_| {
        Diagnostic::project("this SQL cannot be read in reasonable time")
            .note(format!("the parser did not come to its end within {} s", PATIENCE.as_secs()))
            .help("calls that stand within each other many times are tried in several ways: take them apart")
    })
}

/// Refuses a query whose common table expressions come to more than can be planned once each stands where it is used.
pub(super) fn refuse_expansion(statement: &ast::Statement) -> std::result::Result<(), Refused> {
    let mut reads = Reads { open: Vec::new() };
    let flow = ast::Visit::visit(statement, &mut reads);
    match if flow.is_continue() { ast::visit_expressions(statement, expanded) } else { flow } {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(why) => Err(beyond(why, None)),
    }
}

/// What comes to much more than its words: groups by each choice of columns, and frames of more rows than there can be.
fn expanded(expression: &ast::Expr) -> ControlFlow<String> {
    let too_many = |word: &str, most: usize| {
        ControlFlow::Break(format!("a {word} of more than {most} columns groups by too many choices of them"))
    };
    match expression {
        ast::Expr::Cube(columns) if columns.len() > MOST_CUBED => too_many("CUBE", MOST_CUBED),
        ast::Expr::Rollup(columns) if columns.len() > MOST_ROLLED => too_many("ROLLUP", MOST_ROLLED),
        ast::Expr::Function(function) => {
            let Some(ast::WindowType::WindowSpec(spec)) = &function.over else { return ControlFlow::Continue(()) };
            let frame = spec.window_frame.as_ref();
            let bounds = frame.into_iter().flat_map(|frame| [Some(&frame.start_bound), frame.end_bound.as_ref()]);
            let mut rows = bounds.flatten().filter_map(|bound| match bound {
                ast::WindowFrameBound::Preceding(rows) | ast::WindowFrameBound::Following(rows) => rows.as_ref(),
                ast::WindowFrameBound::CurrentRow => None,
            });
            let is_large = |rows: String| rows.len() > 9 && rows.bytes().all(|byte| byte.is_ascii_digit());
            match rows.any(|rows| is_large(rows.to_string())) {
                true => ControlFlow::Break("the frame of a window has more than 999999999 rows".to_owned()),
                false => ControlFlow::Continue(()),
            }
        }
        _ => ControlFlow::Continue(()),
    }
}

/// What a query reads: how many tables, and through how many common table expressions.
#[derive(Clone, Copy, Default)]
struct Size {
    tables: u64,
    row: u64,
}

/// Counts from the innermost query outwards.
struct Reads {
    open: Vec<Open>,
}

/// A query that is being counted.
struct Open {
    size: Size,
    /// The queries of its common table expressions, by where they stand in memory, and their names.
    named: BTreeMap<usize, String>,
    known: BTreeMap<String, Size>,
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

impl ast::Visitor for Reads {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let named = tables.map(|table| (address(&table.query), table.alias.name.value.to_lowercase())).collect();
        self.open.push(Open { size: Size::default(), named, known: BTreeMap::new() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let Some(Open { size, .. }) = self.open.pop() else { return ControlFlow::Continue(()) };
        let Some(outer) = self.open.last_mut() else { return ControlFlow::Continue(()) };
        match outer.named.remove(&address(query)) {
            Some(name) => {
                outer.known.insert(name, Size { tables: size.tables.max(1), row: size.row + 1 });
                ControlFlow::Continue(())
            }
            // A query that reads no table is a row, and joined like one.
            None => outer.add(Size { tables: size.tables.max(1), ..size }),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<String> {
        let name = relation.to_string().replace('"', "").to_lowercase();
        let known = self.open.iter().rev().find_map(|open| open.known.get(&name)).copied();
        match self.open.last_mut() {
            Some(open) => open.add(known.unwrap_or(Size { tables: 1, row: 0 })),
            None => ControlFlow::Continue(()),
        }
    }
}

impl Open {
    fn add(&mut self, size: Size) -> ControlFlow<String> {
        self.size.tables = self.size.tables.saturating_add(size.tables);
        self.size.row = self.size.row.max(size.row);
        if self.size.tables > MOST_READS {
            return ControlFlow::Break(format!(
                "it reads more than {MOST_READS} tables, once each WITH stands where it is used"
            ));
        }
        match self.size.row > LONGEST_ROW {
            true => ControlFlow::Break(format!("more than {LONGEST_ROW} WITHs read each other in a row")),
            false => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests;
