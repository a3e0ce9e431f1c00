//! The rows of joins with the number of the row of each relation that they are made of, so that one can be told that
//! stands twice.

use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias};
use std::sync::Arc;

/// A plan with further columns, and the column of each relation's numbers, in the order of [`super::joined::Joined`], which
/// knows which filters pick rows.
pub fn numbered(plan: &LogicalPlan, picks: &[bool]) -> Result<(LogicalPlan, Vec<Expr>)> {
    let (plan, columns) = walk(plan, &mut At { relation: 0, picks })?;
    Ok((plan, columns.into_iter().map(Expr::Column).collect()))
}

type Numbered = (LogicalPlan, Vec<Column>);

/// How far a walk is.
struct At<'a> {
    /// The next relation.
    relation: usize,
    /// Of the next filters, whether they pick rows.
    picks: &'a [bool],
}

fn walk(plan: &LogicalPlan, at: &mut At<'_>) -> Result<Numbered> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let (input, numbers) = walk(&projection.input, at)?;
            let mut all = projection.expr.clone();
            all.extend(numbers.iter().cloned().map(Expr::Column));
            Ok((LogicalPlan::Projection(Projection::try_new(all, Arc::new(input))?), numbers))
        }
        LogicalPlan::Filter(filter) => {
            let before = at.relation;
            let (input, numbers) = walk(&filter.input, at)?;
            let (picks, rest) = at.picks.split_first().map_or((false, at.picks), |(first, rest)| (*first, rest));
            at.picks = rest;
            if picks {
                at.relation = before;
                return relation(plan, at);
            }
            Ok((LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), Arc::new(input))?), numbers))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let (input, numbers) = walk(&alias.input, at)?;
            let own = |number: Column| Column::new(Some(alias.alias.clone()), number.name);
            let aliased = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
            Ok((LogicalPlan::SubqueryAlias(aliased), numbers.into_iter().map(own).collect()))
        }
        LogicalPlan::Window(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Repartition(_) => {
            let mut numbers = Vec::new();
            let mut inputs = Vec::new();
            for input in plan.inputs() {
                let (input, own) = walk(input, at)?;
                inputs.push(input);
                numbers.extend(own);
            }
            Ok((plan.with_new_exprs(plan.expressions(), inputs)?, numbers))
        }
        LogicalPlan::Join(join) => joined(plan, join, at),
        _ => relation(plan, at),
    }
}

fn joined(plan: &LogicalPlan, join: &Join, at: &mut At<'_>) -> Result<Numbered> {
    let (left, right, numbers) = match join.join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => {
            let (left, numbers) = walk(&join.left, at)?;
            (left, join.right.as_ref().clone(), numbers)
        }
        JoinType::RightSemi | JoinType::RightAnti => {
            let (right, numbers) = walk(&join.right, at)?;
            (join.left.as_ref().clone(), right, numbers)
        }
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            let (left, mut numbers) = walk(&join.left, at)?;
            let (right, own) = walk(&join.right, at)?;
            numbers.extend(own);
            (left, right, numbers)
        }
        _ => return relation(plan, at),
    };
    let joined = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        join.on.clone(),
        join.filter.clone(),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    Ok((LogicalPlan::Join(joined), numbers))
}

fn relation(plan: &LogicalPlan, at: &mut At<'_>) -> Result<Numbered> {
    let name = format!("__row_{}", at.relation);
    at.relation += 1;
    let numbered = LogicalPlanBuilder::from(plan.clone()).window(vec![row_number().alias(&name)])?.build()?;
    Ok((numbered, vec![Column::new_unqualified(name)]))
}
