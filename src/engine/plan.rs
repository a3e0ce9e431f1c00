//! Plans are run, and once more with less memory if they need more than there is.

use crate::engine::fault;
use arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};

/// The rows of a plan; if they need more memory than there is, once more with less.
pub(super) async fn collect(context: &SessionContext, plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
    match DataFrame::new(context.state(), plan.clone()).collect().await {
        Err(error) if fault::is_out_of_memory(&error) => sparingly(context, plan).collect().await,
        done => done,
    }
}

/// A plan that takes longer and less memory: all of it for one thread, and joins that sort, for sorts can spill and
/// tables of hashes cannot.
pub(super) fn sparingly(context: &SessionContext, plan: LogicalPlan) -> DataFrame {
    let mut state = context.state();
    let options = state.config_mut().options_mut();
    options.execution.target_partitions = 1;
    options.optimizer.prefer_hash_join = false;
    DataFrame::new(state, plan)
}
