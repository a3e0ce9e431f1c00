//! Joins that multiply what is added up: in `SUM(o.amount) FROM deals AS o JOIN lines AS l ... GROUP BY o.deal_id` each
//! amount counts once per line, and nothing in the result shows it.
//!
//! Of each sum, count, mean or list over joined rows the rows behind it must be different: in a group no combination of
//! rows of the relations that it takes its values from may stand twice. That is known for sure where every other relation
//! is joined by a key of its own, or has its key among the groups ([`joined`]). Elsewhere the rows themselves are
//! asked. What repetition does not change (`MIN`, `MAX`, `DISTINCT`) is left alone.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::engine::sql::Sql;
use crate::engine::{fault, plan};
use arrow::util::display::array_value_to_string;
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as Answer;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{GroupingSet, WindowFunctionDefinition};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, LogicalPlan, LogicalPlanBuilder, Operator, ident, lit, when};
use datafusion::prelude::SessionContext;
use joined::Joined;
pub use joined::Keys;
use std::collections::BTreeSet;

mod joined;
mod numbered;

/// The aggregates that repeated rows do not change.
const UNCHANGED: [&str; 12] = [
    "min",
    "max",
    "bool_and",
    "bool_or",
    "bit_and",
    "bit_or",
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "approx_distinct",
    "grouping",
];
/// The column that counts how often a combination stands in a group.
const TIMES: &str = "__times";

/// Something that is added up over the rows of joins.
struct Sum {
    /// What it looks like.
    text: String,
    name: String,
    arguments: Vec<Expr>,
    filter: Option<Expr>,
    group: Vec<Expr>,
}

/// Refuses SQL in which a join multiplies what is added up.
///
/// # Errors
/// The sum, the join, and a row that counts several times.
pub(super) async fn refuse((context, keys): (&SessionContext, &Keys), sql: &Sql<'_>, plan: &LogicalPlan) -> Result<()> {
    let failed = |error| fault::of_definition(sql, &error);
    let mut all: Vec<(Sum, LogicalPlan)> = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        all.extend(sums(node).into_iter().map(|(sum, input)| (sum, input.clone())));
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(failed)?;
    for (sum, input) in all {
        if is_lateral(&input).map_err(failed)? {
            return Err(lateral(sql, &sum));
        }
        let joined = Joined::of(&input, keys);
        if joined.relations.len() < 2 || is_correlated(&input).map_err(failed)? {
            continue;
        }
        for term in sum.terms() {
            let taken = term.taken(&joined, &input);
            let Some(others) = joined.unsure(&taken, &term.group, &input) else { continue };
            let repeated = term.repeated(context, &input, &joined, &taken).await.map_err(failed)?;
            if let Some(repeated) = repeated {
                return Err(refused(sql, &term, &joined, &taken, &others, &repeated));
            }
        }
    }
    Ok(())
}

/// Whether a join goes into a query for each of its rows: what that returns cannot be told from what it repeats.
fn is_lateral(plan: &LogicalPlan) -> Answer<bool> {
    plan.exists(|node| Ok(matches!(node, LogicalPlan::Subquery(of) if !of.outer_ref_columns.is_empty())))
}

fn lateral(sql: &Sql<'_>, sum: &Sum) -> Box<Diagnostic> {
    let place = ["LATERAL", "lateral"].map(|word| sql.place_of(word)).into_iter().find(|place| place.column > 0);
    Diagnostic::project(format!("`{}` adds up over a LATERAL join, which may multiply it", sum.text))
        .at(place.or_else(|| place_of(sql, sum)).unwrap_or_else(|| Place::file(sql.file)))
        .help("add the rows up in a CTE of its own with its own GROUP BY, and join the sums by their key")
}

/// What a node adds up, and over which rows.
fn sums(node: &LogicalPlan) -> Vec<(Sum, &LogicalPlan)> {
    let (all, input): (&[Expr], &LogicalPlan) = match node {
        LogicalPlan::Aggregate(aggregate) => (&aggregate.aggr_expr, &aggregate.input),
        LogicalPlan::Window(window) => (&window.window_expr, &window.input),
        _ => return Vec::new(),
    };
    let group: &[Expr] = if let LogicalPlan::Aggregate(aggregate) = node { &aggregate.group_expr } else { &[] };
    // Of several groupings the finest.
    let group = group.iter().flat_map(|expression| match expression {
        Expr::GroupingSet(set) => GroupingSet::distinct_expr(set).into_iter().cloned().collect(),
        expression => vec![expression.clone()],
    });
    let group: Vec<Expr> = group.collect();
    let own = all.iter().filter_map(|expression| {
        let text = expression.to_string();
        let (name, arguments, distinct, filter, group) = match expression.clone().unalias() {
            Expr::AggregateFunction(of) => {
                let params = of.params;
                (of.func.name().to_owned(), params.args, params.distinct, params.filter, group.clone())
            }
            Expr::WindowFunction(of) => match of.fun {
                WindowFunctionDefinition::AggregateUDF(function) => {
                    let params = of.params;
                    let group = params.partition_by;
                    (function.name().to_owned(), params.args, params.distinct, params.filter, group)
                }
                WindowFunctionDefinition::WindowUDF(_) => return None,
            },
            _ => return None,
        };
        let filter = filter.map(|filter| *filter);
        let changes = !distinct && !UNCHANGED.contains(&name.as_str());
        changes.then_some((Sum { text, name, arguments, filter, group }, input))
    });
    own.collect()
}

/// Whether rows depend on those of a query around them, without which they cannot be asked for.
fn is_correlated(plan: &LogicalPlan) -> Answer<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= node.contains_outer_reference();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

impl Sum {
    /// What it adds up, one by one: each summand alone must not be multiplied, also where another names the joined row. Only a
    /// product of both sides counts once for each pair of rows.
    fn terms(&self) -> Vec<Sum> {
        let [argument] = &self.arguments[..] else { return vec![self.of(self.arguments.clone())] };
        match self.name.as_str() {
            "sum" | "avg" => terms(argument).into_iter().map(|term| self.of(vec![term])).collect(),
            _ => vec![self.of(self.arguments.clone())],
        }
    }

    fn of(&self, arguments: Vec<Expr>) -> Sum {
        let (text, name) = (self.text.clone(), self.name.clone());
        Sum { text, name, arguments, filter: self.filter.clone(), group: self.group.clone() }
    }

    /// The relations whose values are added up.
    fn taken(&self, joined: &Joined, input: &LogicalPlan) -> BTreeSet<usize> {
        let values = self.arguments.iter().flat_map(values);
        let columns = values.flat_map(|value| value.column_refs());
        columns.filter_map(|column| joined.column(column, input)).flat_map(|source| source.of.clone()).collect()
    }

    /// A group in which a combination of rows stands several times, in words. Where no values are taken, as in `COUNT(*)`,
    /// it must be the rows of one relation that are counted, whichever that is.
    async fn repeated(
        &self,
        context: &SessionContext,
        input: &LogicalPlan,
        joined: &Joined,
        taken: &BTreeSet<usize>,
    ) -> Answer<Option<String>> {
        let (numbered, rows) = numbered::numbered(input, &joined.picks)?;
        let numbered = self.that_count(numbered)?;
        if !taken.is_empty() {
            let key = taken.iter().map(|relation| rows[*relation].clone()).collect();
            return self.ask(context, numbered, key).await;
        }
        // Rows of an outer join that find none are those of another relation.
        let own = |one: usize| vec![rows[one].clone()];
        let with = |one: usize, other: usize| -> Answer<Vec<Expr>> {
            let rest = when(rows[one].clone().is_null(), rows[other].clone()).end()?;
            Ok(vec![rows[one].clone(), rest])
        };
        let mut keys: Vec<Vec<Expr>> = (0..rows.len()).map(own).collect();
        for one in 0..rows.len() {
            for other in (0..rows.len()).filter(|other| *other != one) {
                keys.push(with(one, other)?);
            }
        }
        let mut first = None;
        for key in keys {
            match self.ask(context, numbered.clone(), key).await? {
                None => return Ok(None),
                repeated => first = first.or(repeated),
            }
        }
        Ok(first)
    }

    /// The rows that change it: nothing adds nothing.
    fn that_count(&self, rows: LogicalPlan) -> Answer<LogicalPlan> {
        let mut rows = LogicalPlanBuilder::from(rows);
        rows = match &self.filter {
            Some(filter) => rows.filter(filter.clone())?,
            None => rows,
        };
        for argument in self.arguments.iter().filter(|argument| !argument.column_refs().is_empty()) {
            rows = rows.filter(argument.clone().is_not_null())?;
            if self.name == "sum" {
                rows = rows.filter(argument.clone().not_eq(lit(0_i64)))?;
            }
        }
        rows.build()
    }

    async fn ask(&self, context: &SessionContext, rows: LogicalPlan, key: Vec<Expr>) -> Answer<Option<String>> {
        let named = |(i, expression): (usize, &Expr)| expression.clone().unalias().alias(format!("__group_{i}"));
        let numbers = key.into_iter().enumerate().map(|(i, number)| number.alias(format!("__number_{i}")));
        let group: Vec<Expr> = self.group.iter().enumerate().map(named).chain(numbers).collect();
        let plan = LogicalPlanBuilder::from(rows).aggregate(group, vec![count(lit(1_i64)).alias(TIMES)])?;
        let plan = plan.filter(ident(TIMES).gt(lit(1_i64)))?.limit(0, Some(1))?.build()?;
        let batches = plan::collect(context, plan).await?;
        let Some(row) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
        let cell = |name: &str| {
            let cell = row.column_by_name(name).and_then(|column| array_value_to_string(column, 0).ok());
            cell.filter(|cell| !cell.is_empty()).unwrap_or_else(|| "empty".into())
        };
        let groups = self.group.iter().enumerate();
        let groups = groups.map(|(i, expression)| format!("{expression} {}", cell(&format!("__group_{i}"))));
        let groups = groups.collect::<Vec<_>>().join(", ");
        let times = cell(TIMES);
        Ok(Some(match groups.is_empty() {
            true => format!("one row counts {times} times"),
            false => format!("one row counts {times} times in the group of {groups}"),
        }))
    }
}

/// What of an expression becomes the value: what a CASE asks for only chooses.
fn values(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Alias(alias) => values(&alias.expr),
        Expr::Cast(cast) => values(&cast.expr),
        Expr::TryCast(cast) => values(&cast.expr),
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let then = when_then_expr.iter().map(|(_, then)| then);
            then.chain(else_expr).flat_map(|value| values(value)).collect()
        }
        other => vec![other],
    }
}

/// The summands of a value. One that is chosen among several is empty where another is chosen.
fn terms(value: &Expr) -> Vec<Expr> {
    let chosen = |condition: Expr, value: &Expr| -> Vec<Expr> {
        let only = |term: Expr| when(condition.clone(), term.clone()).end().unwrap_or(term);
        terms(value).into_iter().map(only).collect()
    };
    match value {
        Expr::Alias(alias) => terms(&alias.expr),
        Expr::Cast(cast) => terms(&cast.expr),
        Expr::TryCast(cast) => terms(&cast.expr),
        Expr::Negative(of) => terms(of),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus, right }) => {
            [left, right].into_iter().flat_map(|side| terms(side)).collect()
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply | Operator::Divide, right }) => {
            match (left.column_refs().is_empty(), right.column_refs().is_empty()) {
                (false, true) => terms(left),
                (true, false) => terms(right),
                _ => vec![value.clone()],
            }
        }
        Expr::Case(case) => {
            let thens = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr).map(AsRef::as_ref);
            let branch = |(place, then): (usize, &Expr)| {
                let mut asks = case.clone();
                for (i, (_, then)) in asks.when_then_expr.iter_mut().enumerate() {
                    **then = lit(i == place);
                }
                asks.else_expr = Some(Box::new(lit(place == case.when_then_expr.len())));
                chosen(Expr::Case(asks), then)
            };
            thens.enumerate().flat_map(branch).collect()
        }
        Expr::ScalarFunction(of) => match (of.name(), &of.args[..]) {
            ("coalesce" | "nvl" | "ifnull", args) => {
                let empty = |before: &[Expr]| before.iter().map(|before| before.clone().is_null()).reduce(Expr::and);
                let each = |(i, argument)| match empty(&args[..i]) {
                    Some(condition) => chosen(condition, argument),
                    None => terms(argument),
                };
                args.iter().enumerate().flat_map(each).collect()
            }
            ("greatest" | "least", args) => {
                args.iter().flat_map(|argument| chosen(value.clone().eq(argument.clone()), argument)).collect()
            }
            ("nullif", [first, ..]) => chosen(value.clone().is_not_null(), first),
            ("round" | "trunc" | "floor" | "ceil", [first, ..]) => terms(first),
            _ => vec![value.clone()],
        },
        _ => vec![value.clone()],
    }
}

fn refused(
    sql: &Sql<'_>,
    sum: &Sum,
    joined: &Joined,
    taken: &BTreeSet<usize>,
    others: &BTreeSet<usize>,
    repeated: &str,
) -> Box<Diagnostic> {
    let names = |which: &BTreeSet<usize>| {
        let names: BTreeSet<String> = which.iter().map(|i| format!("`{}`", joined.relations[*i].name)).collect();
        names.into_iter().collect::<Vec<_>>().join(" and ")
    };
    let finds = match taken.is_empty() {
        true => format!("{} are joined many to many, so their rows multiply each other", names(others)),
        false => format!("{} has several rows for one of {}", names(others), names(taken)),
    };
    let joins = others.iter().map(|i| join(sql, &joined.relations[*i].name)).find(|place| place.column > 0);
    let place = joins.or_else(|| place_of(sql, sum)).unwrap_or_else(|| Place::file(sql.file));
    let error = Diagnostic::project(format!("a join multiplies what `{}` adds up", sum.text));
    error
        .at(place.label("this finds several rows for one"))
        .note(finds)
        .note(repeated)
        .help("add each side up first, in a CTE of its own with its own GROUP BY, and join the sums by that key")
        .help("what repetition does not change may stay: MIN, MAX, COUNT(DISTINCT ...)")
        .help("if each of the joined rows is to count, let what is added up name one: SUM(p.points * l.quantity)")
}

/// Where a relation is joined.
fn join(sql: &Sql<'_>, name: &str) -> Place {
    let joins = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.trim_matches(|c| "\"();,".contains(c)));
        words.any(|word| word.eq_ignore_ascii_case("join")) && words.any(|word| word.eq_ignore_ascii_case(name))
    };
    let line = sql.text.lines().position(joins);
    line.map_or_else(
        || Place::file(sql.file),
        |line| Place::line(sql.file, sql.source, sql.first_line + line).word(name),
    )
}

/// Where a column of the sum stands.
fn place_of(sql: &Sql<'_>, sum: &Sum) -> Option<Place> {
    let columns = sum.arguments.iter().flat_map(Expr::column_refs);
    let span = columns.filter_map(|column: &Column| column.spans().first()).min_by_key(|span| span.start)?;
    let width = span.end.column.saturating_sub(span.start.column) as usize;
    Some(sql.place(span.start.line as usize, span.start.column as usize, width.max(1)))
}
