//! Formulas: SQL expressions over metrics, such as `bookings / target(bookings)`.

use crate::diagnostic::{Diagnostic, Result};
use crate::engine::dialect::DIALECT;
use crate::engine::{bounds, chained};
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
};
use datafusion::sql::sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// What a formula takes of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accessor {
    /// Its value.
    Value,
    /// Its target.
    Target,
    /// Its value of the period before.
    Previous,
    /// Its value of the same period a year before.
    YearBefore,
    /// Its target of the next period.
    NextTarget,
    /// What of it stood on the day before the period's first.
    AtStart,
    /// What of it is due within the period.
    Due,
    /// Nothing: how many months the period has.
    Months,
}

/// A part of a formula.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The metric.
    pub metric: String,
    /// What of it.
    pub taken: Accessor,
}

impl Part {
    /// How many months the period has.
    pub fn months() -> Part {
        Part { metric: String::new(), taken: Accessor::Months }
    }

    /// The column under which [`Formula::sql`] knows it.
    pub fn column(&self) -> String {
        let suffix = match self.taken {
            Accessor::Value => "value",
            Accessor::Target => "target",
            Accessor::Previous => "previous",
            Accessor::YearBefore => "year_before",
            Accessor::NextTarget => "next_target",
            Accessor::AtStart => "at_start",
            Accessor::Due => "due",
            Accessor::Months => "months",
        };
        format!("{}__{suffix}", self.metric)
    }
}

/// A formula that SQL can compute.
#[derive(Clone, Debug, Default)]
pub struct Formula {
    /// The expression over [`Part::column`]s. Division by zero or less is empty.
    pub sql: String,
    /// Its parts, each once.
    pub parts: BTreeSet<Part>,
}

const FUNCTIONS: [(&str, Accessor); 6] = [
    ("target", Accessor::Target),
    ("previous", Accessor::Previous),
    ("year_before", Accessor::YearBefore),
    ("next_target", Accessor::NextTarget),
    ("at_start", Accessor::AtStart),
    ("due", Accessor::Due),
];
const MONTHS: &str = "months";
/// Plain functions that formulas may call.
const PLAIN: [&str; 6] = ["abs", "least", "greatest", "coalesce", "nullif", "round"];

fn expression(text: &str) -> Result<Expr> {
    bounds::refuse(text, &DIALECT).map_err(|(error, _)| error)?;
    let own = text.to_owned();
    let parsed = bounds::read(move || {
        Parser::new(&DIALECT).try_with_sql(&own).and_then(|mut parser| {
            let expression = parser.parse_expr()?;
            parser.expect_token(&datafusion::sql::sqlparser::tokenizer::Token::EOF)?;
            Ok(expression)
        })
    })?;
    let mut expression = parsed.map_err(|error| Diagnostic::project(format!("`{text}` is no formula: {error}")))?;
    chained::refuse(&mut expression).map_err(|(error, _)| error)?;
    Ok(expression)
}

/// The same formula over metrics of other names.
pub fn renamed(text: &str, name: impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut expression = expression(text)?;
    let _: ControlFlow<()> = ast::visit_expressions_mut(&mut expression, |expression: &mut Expr| {
        if let Expr::Identifier(identifier) = expression
            && let Some(other) = name(&identifier.value)
        {
            *identifier = Ident::new(other);
        }
        ControlFlow::Continue(())
    });
    Ok(expression.to_string())
}

/// Reads a formula.
pub fn parse(text: &str) -> Result<Formula> {
    let mut expression = expression(text)?;
    // Arguments are visited before the call around them: a name is a value until a call turns out to hold it.
    let mut names: Vec<String> = Vec::new();
    let mut parts = BTreeSet::new();
    let flow = ast::visit_expressions_mut(&mut expression, |expression: &mut Expr| match rewrite(expression) {
        Ok(Rewritten::Name(name)) => {
            names.push(name);
            ControlFlow::Continue(())
        }
        Ok(Rewritten::Part(part)) => {
            if part.taken != Accessor::Months {
                names.pop();
            }
            *expression = Expr::Identifier(Ident::new(part.column()));
            parts.insert(part);
            ControlFlow::Continue(())
        }
        Ok(Rewritten::Other) => ControlFlow::Continue(()),
        Err(problem) => ControlFlow::Break(problem),
    });
    if let ControlFlow::Break(problem) = flow {
        return Err(Diagnostic::project(problem));
    }
    parts.extend(names.into_iter().map(|metric| Part { metric, taken: Accessor::Value }));
    Ok(Formula { sql: expression.to_string(), parts })
}

enum Rewritten {
    Name(String),
    Part(Part),
    Other,
}

fn rewrite(expression: &mut Expr) -> std::result::Result<Rewritten, String> {
    match expression {
        Expr::Identifier(name) => {
            let metric = name.value.clone();
            *name = Ident::new(Part { metric: metric.clone(), taken: Accessor::Value }.column());
            Ok(Rewritten::Name(metric))
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            if name == MONTHS {
                return match &function.args {
                    FunctionArguments::List(list) if list.args.is_empty() => Ok(Rewritten::Part(Part::months())),
                    _ => Err(format!("`{MONTHS}` takes nothing")),
                };
            }
            if let Some((_, taken)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
                let metric = only_name(&function.args).ok_or_else(|| format!("`{name}` takes one metric"))?;
                let metric = metric.strip_suffix("__value").unwrap_or(&metric).to_owned();
                return Ok(Rewritten::Part(Part { metric, taken: *taken }));
            }
            match PLAIN.contains(&name.as_str()) {
                true => Ok(Rewritten::Other),
                false => Err(format!("a formula cannot call `{name}`")),
            }
        }
        Expr::BinaryOp { op: BinaryOperator::Divide, right, .. } => {
            // A ratio to less than zero would say the contrary of what it says.
            let divisor = format!("CASE WHEN {right} > 0 THEN {right} END");
            let divisor = Parser::new(&DIALECT).try_with_sql(&divisor).and_then(|mut p| p.parse_expr());
            **right = divisor.map_err(|error| error.to_string())?;
            Ok(Rewritten::Other)
        }
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => Err("a formula has no subquery".into()),
        _ => Ok(Rewritten::Other),
    }
}

fn only_name(arguments: &FunctionArguments) -> Option<String> {
    let FunctionArguments::List(list) = arguments else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name)))] => Some(name.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_columns() {
        let formula = parse("bookings / target(bookings) - 1").unwrap();
        assert_eq!(formula.sql, "bookings__value / CASE WHEN bookings__target > 0 THEN bookings__target END - 1");
        let parts: Vec<String> = formula.parts.iter().map(Part::column).collect();
        assert_eq!(parts, ["bookings__value", "bookings__target"]);
        assert_eq!(parse("target(bookings)").unwrap().parts.len(), 1);
        let formula = parse("churned / at_start(active) / months()").unwrap();
        let divisors = ["active__at_start", "__months"].map(|of| format!(" / CASE WHEN {of} > 0 THEN {of} END"));
        assert_eq!(formula.sql, format!("churned__value{}", divisors.concat()));
        assert_eq!(formula.parts.len(), 3);
        let other = renamed("bookings / target(deals) + months()", |name| (name == "deals").then(|| "won".into()));
        assert_eq!(other.unwrap(), "bookings / target(won) + months()");
        assert!(parse("months(bookings)").is_err());
        assert!(parse("now()").is_err());
        assert!(parse("bookings bookings").is_err());
    }
}
