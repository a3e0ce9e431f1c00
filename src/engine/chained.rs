//! Comparisons in a row without parentheses, which databases read differently: `is_won = stage IN ('Won', 'Signed')` is
//! `(is_won = stage) IN (...)` to one and `is_won = (stage IN (...))` to another, and both run. They are refused.

use crate::diagnostic::Diagnostic;
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, Expr, Spanned, UnaryOperator};
use datafusion::sql::sqlparser::tokenizer::Span;
use std::ops::ControlFlow;

/// Refuses a comparison of a comparison, unless parentheses say which comes first. `IS TRUE` and its like may follow one, as the
/// standard has it. The error lacks its place; the span tells it. What is refused has been changed.
pub(super) fn refuse(node: &mut impl ast::VisitMut) -> std::result::Result<(), (Box<Diagnostic>, Span)> {
    let flow = ast::visit_expressions_mut(node, |expression: &mut Expr| {
        if !operands(expression).iter().any(|operand| is_comparison(operand)) {
            return ControlFlow::Continue(());
        }
        let (given, span) = (expression.to_string(), expression.span());
        for operand in operands(expression).into_iter().filter(|operand| is_comparison(operand)) {
            *operand = Expr::Nested(Box::new(operand.clone()));
        }
        ControlFlow::Break((given, expression.to_string(), span))
    });
    let ControlFlow::Break((given, read, span)) = flow else { return Ok(()) };
    let error = Diagnostic::project(format!("`{given}` is refused: it compares a comparison, without parentheses"))
        .note("databases differ in which of the two they read first, and each answer looks right")
        .note(format!("here it would be read as `{read}`"))
        .help("put the part that comes first in parentheses");
    Err((error, span))
}

/// What an operator takes that is no boolean's own. Those of AND, OR and NOT may be comparisons, and a list has parentheses.
fn operands(expression: &mut Expr) -> Vec<&mut Expr> {
    match expression {
        Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor, .. } => Vec::new(),
        Expr::BinaryOp { left, right, .. }
        | Expr::IsDistinctFrom(left, right)
        | Expr::IsNotDistinctFrom(left, right)
        | Expr::Like { expr: left, pattern: right, .. }
        | Expr::ILike { expr: left, pattern: right, .. }
        | Expr::SimilarTo { expr: left, pattern: right, .. }
        | Expr::RLike { expr: left, pattern: right, .. } => vec![left, right],
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::IsNull(expr)
        | Expr::IsNotNull(expr)
        | Expr::InList { expr, .. }
        | Expr::InSubquery { expr, .. }
        | Expr::InUnnest { expr, .. }
        | Expr::AllOp { left: expr, .. }
        | Expr::AnyOp { left: expr, .. } => vec![expr],
        _ => Vec::new(),
    }
}

fn is_comparison(expression: &Expr) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, Spaceship};
    match expression {
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => is_comparison(expr),
        Expr::BinaryOp { op, .. } => matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship),
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. }
        | Expr::RLike { .. }
        | Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::InUnnest { .. }
        | Expr::AllOp { .. }
        | Expr::AnyOp { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dialect::DIALECT;
    use datafusion::sql::sqlparser::parser::Parser;

    fn said(text: &str) -> Option<String> {
        let mut expression = Parser::new(&DIALECT).try_with_sql(text).unwrap().parse_expr().unwrap();
        refuse(&mut expression).err().map(|(error, _)| error.notes[1].clone())
    }

    #[test]
    fn a_comparison_of_a_comparison_needs_parentheses() {
        let cases = [
            ("won = stage IN ('a', 'b')", "(won = stage) IN ('a', 'b')"),
            ("1 < x < 10", "(1 < x) < 10"),
            ("a = b = c", "(a = b) = c"),
            ("a = b IS NULL", "(a = b) IS NULL"),
            ("a IS NULL = b", "(a IS NULL) = b"),
            ("a LIKE 'x' = TRUE", "a LIKE ('x' = true)"),
            ("x BETWEEN a AND b = c", "(x BETWEEN a AND b) = c"),
            ("a = b BETWEEN 1 AND 2", "(a = b) BETWEEN 1 AND 2"),
            ("a IS DISTINCT FROM b = c", "a IS DISTINCT FROM (b = c)"),
            ("a IS DISTINCT FROM b IS NULL", "(a IS DISTINCT FROM b) IS NULL"),
            ("a IS DISTINCT FROM b IS DISTINCT FROM c", "(a IS DISTINCT FROM b) IS DISTINCT FROM c"),
            ("a = NOT b = c", "a = (NOT b = c)"),
            ("p AND (q OR 1 < x < 10)", "(1 < x) < 10"),
        ];
        for (text, read) in cases {
            assert_eq!(said(text).as_deref(), Some(format!("here it would be read as `{read}`").as_str()), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_one_way_only_passes() {
        let plain = [
            "a = b AND c < d OR NOT e = f",
            "(a = b) = c",
            "a = (b IN (1, 2))",
            "a = b IS NOT TRUE",
            "a IS DISTINCT FROM b IS TRUE",
            "x IN (a = b, c)",
            "a + b < c * d",
            "x BETWEEN a + 1 AND b",
            "CASE WHEN a = b THEN c = d END = e",
            "a IS DISTINCT FROM (b = c)",
            "NOT a IS NULL",
            "a IS NOT NULL AND b IS NULL",
            "COALESCE(a = b, c) = d",
            "a = ANY(b)",
        ];
        for text in plain {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
