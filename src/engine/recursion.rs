//! `WITH RECURSIVE` that ends: after so many steps it is an error. The engine itself goes on for as long as a step returns rows,
//! and one that never reaches its end takes no memory either.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most steps: a row of days for 27 years, and more than any tree is high.
pub(super) const MOST_STEPS: usize = 10_000;
/// The most rows of all steps together: a step may double those of the one before.
pub(super) const MOST_ROWS: usize = 10_000_000;

/// Puts a count around the step of every recursion.
#[derive(Debug)]
pub(super) struct BoundRecursion;

impl PhysicalOptimizerRule for BoundRecursion {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let counted = plan.transform_up(|plan| {
            let Some(recursion) = plan.downcast_ref::<RecursiveQueryExec>() else { return Ok(Transformed::no(plan)) };
            let (taken, rows) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let step = Step { input: recursion.recursive_term().clone(), taken, rows };
            let children = vec![recursion.static_term().clone(), Arc::new(step) as _];
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(children, options).map(Transformed::yes)
        })?;
        Ok(counted.data)
    }

    fn name(&self) -> &str {
        "bound_recursion"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The step of a recursion, executed once each time.
#[derive(Debug)]
struct Step {
    input: Arc<dyn ExecutionPlan>,
    /// Shared by all copies: the engine makes one for each execution.
    taken: Arc<AtomicUsize>,
    /// What it returned so far.
    rows: Arc<AtomicUsize>,
}

impl DisplayAs for Step {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step: at most {MOST_STEPS}, of {MOST_ROWS} rows")
    }
}

impl ExecutionPlan for Step {
    fn name(&self) -> &str {
        "Step"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Step { input, taken: self.taken.clone(), rows: self.rows.clone() })),
            Err(_) => Err(DataFusionError::Internal("a step has one input".into())),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if self.taken.fetch_add(1, Ordering::Relaxed) >= MOST_STEPS {
            return Err(DataFusionError::Execution(format!(
                "a WITH RECURSIVE took more than {MOST_STEPS} steps: it needs a condition that ends it, such as `WHERE steps < 20`"
            )));
        }
        let rows = self.rows.clone();
        let counted = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            match rows.fetch_add(batch.num_rows(), Ordering::Relaxed) + batch.num_rows() > MOST_ROWS {
                true => Err(DataFusionError::Execution(format!(
                    "a WITH RECURSIVE returned more than {MOST_ROWS} rows: each step may return many for one of the step before"
                ))),
                false => Ok(batch),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counted)))
    }
}
