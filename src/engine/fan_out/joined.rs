//! Which relations the rows of joins are made of, which of them each column comes from, and what is joined by a key.

use arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, ScalarValue};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Distinct, Expr, LogicalPlan, Operator};
use std::collections::{BTreeMap, BTreeSet};

/// The keys of tables by their names.
pub type Keys = BTreeMap<String, Vec<String>>;

/// A column of a relation: its number and the column's.
type Place = (usize, usize);

/// What is joined: a table, or a query whose rows stand for themselves.
pub struct Relation {
    /// What the SQL calls it.
    pub name: String,
    /// The columns that tell its rows apart, if any are known to.
    key: Option<BTreeSet<usize>>,
}

/// Where a column comes from.
#[derive(Clone, Default)]
pub struct Source {
    /// The relations that it depends on.
    pub of: BTreeSet<usize>,
    /// The column of a relation that it is, if it is one.
    is: Option<Place>,
    /// Whether it is numbered or compared over joined rows, so that a filter on it picks out of those that a join multiplied.
    is_over_rows: bool,
}

/// Joins, taken apart.
pub struct Joined {
    /// In the order in which a walk from left to right meets them.
    pub relations: Vec<Relation>,
    /// Of each filter beneath, after those beneath it: whether it picks rows out of several, so that all beneath it is one
    /// relation.
    pub picks: Vec<bool>,
    columns: Vec<Source>,
    equal: Vec<(Place, Place)>,
    fixed: BTreeSet<Place>,
}

impl Joined {
    /// Takes the joins of a plan apart.
    pub fn of(plan: &LogicalPlan, keys: &Keys) -> Joined {
        let (relations, picks, columns, equal, fixed) = Default::default();
        let mut joined = Joined { relations, picks, columns, equal, fixed };
        joined.columns = joined.walk(plan, keys);
        joined
    }

    /// Where a column of the plan comes from.
    pub fn column(&self, column: &Column, plan: &LogicalPlan) -> Option<&Source> {
        self.columns.get(plan.schema().maybe_index_of_column(column)?)
    }

    /// The relations that may multiply rows of those that are `taken`, within a group; none if surely none does. If none is
    /// taken, rows are counted: one relation must be in no other's way.
    pub fn unsure(&self, taken: &BTreeSet<usize>, group: &[Expr], plan: &LogicalPlan) -> Option<BTreeSet<usize>> {
        let columns = group.iter().filter_map(|expression| match expression.clone().unalias() {
            Expr::Column(column) => self.column(&column, plan)?.is,
            _ => None,
        });
        let fixed: BTreeSet<Place> = columns.chain(self.fixed.iter().copied()).collect();
        let left = |taken: &BTreeSet<usize>| {
            let reached = self.reached(taken.clone(), fixed.clone());
            (0..self.relations.len()).filter(|i| !reached.contains(i)).collect::<BTreeSet<usize>>()
        };
        let left = match taken.is_empty() {
            false => left(taken),
            true => (0..self.relations.len()).map(|i| left(&BTreeSet::from([i]))).min_by_key(BTreeSet::len)?,
        };
        (!left.is_empty()).then_some(left)
    }

    /// The relations of which there is one row at most, where there is one row of those reached already.
    fn reached(&self, mut reached: BTreeSet<usize>, mut fixed: BTreeSet<Place>) -> BTreeSet<usize> {
        loop {
            let count = (reached.len(), fixed.len());
            let is_fixed = |place: &Place, reached: &BTreeSet<usize>, fixed: &BTreeSet<Place>| {
                reached.contains(&place.0) || fixed.contains(place)
            };
            for (one, other) in &self.equal {
                for (from, to) in [(one, other), (other, one)] {
                    if is_fixed(from, &reached, &fixed) {
                        fixed.insert(*to);
                    }
                }
            }
            for (i, relation) in self.relations.iter().enumerate() {
                let key = relation.key.as_ref();
                if key.is_some_and(|key| key.iter().all(|column| is_fixed(&(i, *column), &reached, &fixed))) {
                    reached.insert(i);
                }
            }
            if count == (reached.len(), fixed.len()) {
                return reached;
            }
        }
    }

    fn walk(&mut self, plan: &LogicalPlan, keys: &Keys) -> Vec<Source> {
        match plan {
            LogicalPlan::Projection(projection) => {
                let input = self.walk(&projection.input, keys);
                projection.expr.iter().map(|expression| source(expression, &input, &projection.input)).collect()
            }
            LogicalPlan::Filter(filter) => {
                let before = self.relations.len();
                let input = self.walk(&filter.input, keys);
                let over_rows = |part: &&Expr| source(part, &input, &filter.input).is_over_rows;
                let picks =
                    split_conjunction(&filter.predicate).iter().any(|part| over_rows(part) && !keeps_several(part));
                self.picks.push(picks);
                if picks {
                    return self.relation(plan, keys, before);
                }
                self.compare(&filter.predicate, &input, &filter.input, true);
                input
            }
            LogicalPlan::Window(window) => {
                let before = self.relations.len();
                let mut input = self.walk(&window.input, keys);
                let over_joins = self.relations.len() - before > 1;
                let own: Vec<Source> = window.window_expr.iter().map(|of| source(of, &input, &window.input)).collect();
                let made = |of: Source| Source { is: None, is_over_rows: over_joins || of.is_over_rows, of: of.of };
                input.extend(own.into_iter().map(made));
                input
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let before = self.relations.len();
                let input = self.walk(&alias.input, keys);
                if let [only] = &mut self.relations[before..] {
                    only.name = alias.alias.table().to_owned();
                }
                input
            }
            LogicalPlan::Sort(sort) => self.walk(&sort.input, keys),
            LogicalPlan::Limit(limit) => self.walk(&limit.input, keys),
            LogicalPlan::Repartition(repartition) => self.walk(&repartition.input, keys),
            LogicalPlan::Join(join) => self.join(plan, join, keys),
            _ => self.relation(plan, keys, self.relations.len()),
        }
    }

    fn join(&mut self, plan: &LogicalPlan, join: &datafusion::logical_expr::Join, keys: &Keys) -> Vec<Source> {
        match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => self.walk(&join.left, keys),
            JoinType::RightSemi | JoinType::RightAnti => self.walk(&join.right, keys),
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                let left = self.walk(&join.left, keys);
                let right = self.walk(&join.right, keys);
                for (one, other) in &join.on {
                    let one = source(one, &left, &join.left).is;
                    let other = source(other, &right, &join.right).is;
                    self.equal.extend(one.zip(other));
                }
                let both: Vec<Source> = left.into_iter().chain(right).collect();
                if let Some(filter) = &join.filter {
                    self.compare(filter, &both, plan, join.join_type == JoinType::Inner);
                }
                both
            }
            _ => self.relation(plan, keys, self.relations.len()),
        }
    }

    /// Takes a plan as one relation, in place of those found in it since.
    fn relation(&mut self, plan: &LogicalPlan, keys: &Keys, since: usize) -> Vec<Source> {
        self.relations.truncate(since);
        self.equal.retain(|(one, other)| one.0 < since && other.0 < since);
        self.fixed.retain(|place| place.0 < since);
        let fields = plan.schema().fields();
        let (name, key) = match plan {
            LogicalPlan::TableScan(scan) => {
                let place = |name: &String| fields.iter().position(|field| field.name() == name);
                let key = keys.get(scan.table_name.table()).and_then(|key| key.iter().map(place).collect());
                (scan.table_name.table().to_owned(), key)
            }
            LogicalPlan::Aggregate(of) if !of.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_))) => {
                ("a query".to_owned(), Some((0..of.group_expr.len()).collect()))
            }
            LogicalPlan::Distinct(Distinct::All(_)) => ("a query".to_owned(), Some((0..fields.len()).collect())),
            LogicalPlan::EmptyRelation(_) => ("a row".to_owned(), Some(BTreeSet::new())),
            _ => ("a query".to_owned(), None),
        };
        self.relations.push(Relation { name, key });
        let column = |i: usize| Source { of: BTreeSet::from([since]), is: Some((since, i)), is_over_rows: false };
        (0..fields.len()).map(column).collect()
    }

    /// Notes which columns are equal, and, where every row keeps to it, which have one value alone.
    fn compare(&mut self, condition: &Expr, columns: &[Source], plan: &LogicalPlan, holds: bool) {
        for part in split_conjunction(condition) {
            let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = part else { continue };
            let is = |expression: &Expr| source(expression, columns, plan).is;
            match (is(left), is(right)) {
                (Some(one), Some(other)) => self.equal.push((one, other)),
                (Some(one), None) | (None, Some(one)) if holds => {
                    let other = if is(left).is_some() { right } else { left };
                    self.fixed.extend(matches!(**other, Expr::Literal(..)).then_some(one));
                }
                _ => {}
            }
        }
    }
}

/// Whether a condition on a number of joined rows holds for several of them: `place < 100`, `place >= 1`.
fn keeps_several(condition: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { op, right, .. }) = condition else { return false };
    let Expr::Literal(number, _) = right.as_ref() else { return false };
    let number = number.cast_to(&DataType::Int64).ok();
    let Some(ScalarValue::Int64(Some(number))) = number else { return false };
    match op {
        Operator::Lt => number > 2,
        Operator::LtEq => number > 1,
        Operator::Gt | Operator::GtEq | Operator::NotEq => true,
        _ => false,
    }
}

/// Where an expression comes from.
fn source(expression: &Expr, columns: &[Source], plan: &LogicalPlan) -> Source {
    let of = |column: &Column| plan.schema().maybe_index_of_column(column).and_then(|i| columns.get(i));
    match expression {
        Expr::Alias(alias) => source(&alias.expr, columns, plan),
        Expr::Column(column) => of(column).cloned().unwrap_or_default(),
        expression => {
            let mut made = Source::default();
            for source in expression.column_refs().into_iter().filter_map(of) {
                made.of.extend(&source.of);
                made.is_over_rows |= source.is_over_rows;
            }
            made
        }
    }
}
