//! What SQL may say: one query, over known tables, with known parameters, and nothing of the clock or of chance.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::engine::dialect::DIALECT;
use crate::engine::sql::{Parameters, Sql};
use crate::engine::{bounds, chained, fault};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{self, Expr, Spanned, Value};
use datafusion::sql::sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The functions of the clock and of chance that DataFusion has: all refused.
pub(super) const UNREPEATABLE: [&str; 11] = [
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "today",
    "localtime",
    "localtimestamp",
    "random",
    "rand",
    "uuid",
    "version",
];

pub(super) struct Guarded {
    pub statement: Statement,
    pub tables: BTreeSet<String>,
    pub parameters: BTreeSet<String>,
}

/// Parses one read-only query and fills in its parameters.
pub(super) fn read_only(sql: &Sql<'_>, parameters: &Parameters) -> Result<Guarded> {
    let refused = |(error, span): bounds::Refused| {
        let place = span.and_then(|span| sql.place_of_span(span)).unwrap_or_else(|| Place::file(sql.file));
        error.at(place)
    };
    bounds::refuse(sql.text, &DIALECT).map_err(refused)?;
    let text = sql.text.to_owned();
    let parsed = bounds::read(move || {
        DFParserBuilder::new(text.as_str()).with_dialect(&DIALECT).build().and_then(|mut p| p.parse_statements())
    });
    let parsed = parsed.map_err(|error| error.at(Place::file(sql.file)))?;
    let statements = parsed.map_err(|error| fault::of_definition(sql, &error))?;
    let mut statements: Vec<Statement> = statements.into_iter().collect();
    let only = match (statements.pop(), statements.is_empty()) {
        (Some(only), true) => only,
        (None, _) => return Err(Diagnostic::project("there is no SQL here").at(Place::file(sql.file))),
        (Some(_), false) => {
            return Err(Diagnostic::project("a definition is one query, and here are several statements")
                .at(sql.place_of(";"))
                .help("keep one SELECT and remove what follows its semicolon"));
        }
    };
    let Statement::Statement(mut statement) = only else { return Err(writes(sql, &only.to_string())) };
    let ast::Statement::Query(query) = statement.as_ref() else { return Err(writes(sql, &statement.to_string())) };
    if let ast::SetExpr::Insert(inner) | ast::SetExpr::Update(inner) | ast::SetExpr::Delete(inner) = &*query.body {
        return Err(writes(sql, &inner.to_string()));
    }
    bounds::refuse_expansion(&statement).map_err(refused)?;
    let used = substitute(sql, &mut statement, parameters)?;
    refuse_functions(sql, &statement)?;
    chained::refuse(statement.as_mut())
        .map_err(|(error, span)| error.at(sql.place_of_span(span).unwrap_or_else(|| Place::file(sql.file))))?;
    if sql.is_definition {
        refuse_chance_order(sql, &statement)?;
    }
    let statement = Statement::Statement(statement);
    let (tables, _) = resolve_table_references(&statement, true).map_err(|error| fault::of_definition(sql, &error))?;
    let tables = tables.into_iter().map(|table| table.to_string().replace('"', "")).collect();
    Ok(Guarded { statement, tables, parameters: used })
}

fn writes(sql: &Sql<'_>, statement: &str) -> Box<Diagnostic> {
    let verb = statement.split_whitespace().next().unwrap_or_default().to_uppercase();
    let lower = verb.to_lowercase();
    let place = [verb.as_str(), lower.as_str()].map(|word| sql.place_of(word)).into_iter().find(|p| p.column > 0);
    let error = Diagnostic::project(format!("{verb} is refused: a definition only reads"))
        .at(place.unwrap_or_else(|| Place::file(sql.file)).label("this would change something"));
    match sql.is_definition {
        true => error
            .note("a metric is a query for the rows that count; Scorebook writes the results itself")
            .help("write one SELECT that returns the rows"),
        false => error
            .note("only SELECT is answered")
            .help("`scorebook sql tables` lists the tables, and SELECT * FROM one LIMIT 3 shows its columns"),
    }
}

/// Puts values in the place of `$name`.
fn substitute(sql: &Sql<'_>, statement: &mut ast::Statement, parameters: &Parameters) -> Result<BTreeSet<String>> {
    let mut used = BTreeSet::new();
    let flow = ast::visit_expressions_mut(statement, |expression: &mut Expr| {
        let Expr::Value(value) = expression else { return ControlFlow::Continue(()) };
        let Value::Placeholder(placeholder) = &value.value else { return ControlFlow::Continue(()) };
        let name = placeholder.trim_start_matches('$');
        let known = parameters
            .get(name)
            .and_then(|text| Parser::new(&DIALECT).try_with_sql(text).and_then(|mut parser| parser.parse_expr()).ok());
        match known {
            Some(value) => {
                used.insert(name.to_owned());
                *expression = value;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break((placeholder.clone(), value.span)),
        }
    });
    match flow {
        ControlFlow::Continue(()) => Ok(used),
        ControlFlow::Break((placeholder, span)) => {
            let known: Vec<String> = parameters.keys().map(|name| format!("${name}")).collect();
            let place = sql.place_of_span(span).unwrap_or_else(|| sql.place_of(&placeholder));
            Err(Diagnostic::project(format!("unknown parameter `{placeholder}`"))
                .at(place)
                .help(format!("the parameters here are {}", known.join(", ")))
                .closest(&placeholder, known.iter().map(String::as_str)))
        }
    }
}

/// Refuses functions whose answer depends on when or how often they are asked.
fn refuse_functions(sql: &Sql<'_>, statement: &ast::Statement) -> Result<()> {
    let flow = ast::visit_expressions(statement, |expression: &Expr| {
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        if UNREPEATABLE.contains(&name.as_str()) {
            return ControlFlow::Break((name, function.name.span()));
        }
        ControlFlow::Continue(())
    });
    let ControlFlow::Break((name, span)) = flow else { return Ok(()) };
    let place = sql.place_of_span(span).unwrap_or_else(|| sql.place_of(&name));
    Err(unrepeatable_function(&name).at(place.label("not the same on every run")))
}

/// Functions whose answer depends on the order of rows.
const ORDERED: [&str; 9] =
    ["first_value", "last_value", "nth_value", "array_agg", "string_agg", "row_number", "lag", "lead", "ntile"];

/// Refuses what depends on the order of rows where no order is given: threads would decide.
fn refuse_chance_order(sql: &Sql<'_>, statement: &ast::Statement) -> Result<()> {
    let refused = |what: &str, place: Place| {
        Err(Diagnostic::project(format!("{what} without ORDER BY is refused: the order of rows is left to chance"))
            .at(place.label("which rows come first?"))
            .help("give an ORDER BY that tells all rows apart, down to the record's id"))
    };
    let flow = ast::visit_expressions(statement, |expression: &Expr| {
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        match is_left_to_chance(&name, function) {
            true => ControlFlow::Break((name, function.name.span())),
            false => ControlFlow::Continue(()),
        }
    });
    if let ControlFlow::Break((name, span)) = flow {
        let place = sql.place_of_span(span).unwrap_or_else(|| sql.place_of(&name));
        return refused(&format!("`{name}`"), place);
    }
    match ast::Visit::visit(statement, &mut Unordered) {
        ControlFlow::Break(word) => {
            let lower = word.to_lowercase();
            let places = [word, &lower, "FETCH"].map(|word| sql.place_of(word));
            let place = places.into_iter().find(|place| place.column > 0).unwrap_or_else(|| Place::file(sql.file));
            refused(word, place)
        }
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Whether a call takes rows in an order that nothing gives: neither its own ORDER BY nor that of its window.
fn is_left_to_chance(name: &str, function: &ast::Function) -> bool {
    let arguments = match &function.args {
        ast::FunctionArguments::List(list) => list.clauses.as_slice(),
        _ => &[],
    };
    let own = arguments.iter().any(|clause| matches!(clause, ast::FunctionArgumentClause::OrderBy(_)))
        || !function.within_group.is_empty();
    let (is_ordered, is_running) = match &function.over {
        None => (false, false),
        Some(ast::WindowType::NamedWindow(_)) => (false, false),
        Some(ast::WindowType::WindowSpec(spec)) => {
            let counts = |frame: &ast::WindowFrame| !matches!(frame.units, ast::WindowFrameUnits::Range);
            let whole = |frame: &ast::WindowFrame| {
                let all = ast::WindowFrameBound::Preceding(None);
                frame.start_bound == all && frame.end_bound == Some(ast::WindowFrameBound::Following(None))
            };
            let running = spec.window_frame.as_ref().is_some_and(|frame| counts(frame) && !whole(frame));
            (!spec.order_by.is_empty(), running)
        }
    };
    // A list is in its own order; a place among rows is that of the window's.
    let is_aggregate = matches!(name, "array_agg" | "string_agg" | "first_value" | "last_value" | "nth_value");
    let has_order = is_ordered || (is_aggregate && own);
    (ORDERED.contains(&name) && !has_order) || (is_running && !is_ordered)
}

/// Looks for a query that takes the first rows, and has no order.
struct Unordered;

impl ast::Visitor for Unordered {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<&'static str> {
        let piped = query.pipe_operators.iter().any(|pipe| matches!(pipe, ast::PipeOperator::Limit { .. }));
        let first_of_each = matches!(&*query.body, ast::SetExpr::Select(select) if matches!(select.distinct, Some(ast::Distinct::On(_))));
        match query.order_by.is_none() {
            true if query.limit_clause.is_some() || query.fetch.is_some() => ControlFlow::Break("LIMIT"),
            true if first_of_each => ControlFlow::Break("DISTINCT ON"),
            _ if piped => ControlFlow::Break("LIMIT"),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn unrepeatable_function(name: &str) -> Box<Diagnostic> {
    Diagnostic::project(format!("`{name}` is refused: its answer depends on when it is asked"))
        .note("a run must give the same numbers when it is replayed years later")
        .help("use $as_of for the run's date: `closed_on <= $as_of`")
}

/// A second net under [`refuse_functions`]: whatever the planner knows to be volatile.
pub(super) fn repeatable(sql: &Sql<'_>, plan: &LogicalPlan) -> Result<()> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            if expression.is_volatile() {
                found = Some(expression.to_string());
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    walked.map_err(|error| fault::of_definition(sql, &error))?;
    match found {
        Some(expression) => Err(unrepeatable_function(&expression).at(Place::file(sql.file))),
        None => Ok(()),
    }
}
