//! The only place that imports DataFusion.
//!
//! A [`Session`] holds named tables and answers read-only SQL over them. It has no clock, no chance, no files of its
//! own, and no functions beyond the built-in ones: the same text gives the same rows on every machine.

mod bounds;
mod chained;
mod dialect;
mod fan_out;
mod fault;
pub mod formula;
mod guard;
mod kept;
mod lists;
mod memory;
mod names;
mod plan;
mod recursion;
mod sql;
pub mod text;

pub use fan_out::Keys;
pub use memory::peak_bytes;
pub use names::{Named, columns_named};
pub use sql::{Parameters, Sql, parameters};

use crate::diagnostic::{Diagnostic, Result};
use crate::store::{Looks, Store};
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::error::Result as Answer;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{Expr, LogicalPlan, ident, lit};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::DFParserBuilder;
use futures::TryStreamExt;
use kept::{Keeping, Kept};
use memory::Held;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tempfile::NamedTempFile;

/// The engine's name and version, part of every key that depends on its answers.
pub const VERSION: &str = concat!("datafusion ", "55.2");

/// How much of the machine the engine may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads.
    pub threads: usize,
    /// Bytes before sorts and aggregates spill to disk.
    pub memory_bytes: usize,
}

impl Limits {
    /// The same on one thread: where little is read, threads side by side hold much for it.
    pub fn single_threaded(self) -> Limits {
        Limits { threads: 1, ..self }
    }
}

/// Named tables, and SQL over them.
pub struct Session {
    context: SessionContext,
    warehouse: Looks,
    keys: Keys,
    memory_bytes: usize,
    /// What stands behind tables as long as they are there: what they take of the memory, or their files.
    kept: Mutex<BTreeMap<String, Behind>>,
}

/// What a table stands on. Dropping it gives it back.
enum Behind {
    Memory { _charge: MemoryReservation },
    File { _file: NamedTempFile },
}

/// Rows that are computed as they are asked for.
pub struct Rows {
    rows: SendableRecordBatchStream,
    /// The same query with less memory, until the first rows are there.
    sparingly: Option<DataFrame>,
    what: String,
}

impl Rows {
    /// Their columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// The next ones.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let next = match (self.rows.try_next().await, self.sparingly.take()) {
            (Err(error), Some(again)) if fault::is_out_of_memory(&error) => match again.execute_stream().await {
                Ok(rows) => {
                    self.rows = rows;
                    self.rows.try_next().await
                }
                Err(error) => Err(error),
            },
            (next, _) => next,
        };
        next.map_err(|error| fault::internal(&self.what, &error))
    }
}

/// What a query will return and what it reads.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Columns and types of the result.
    pub schema: SchemaRef,
    /// Tables it reads.
    pub tables: BTreeSet<String>,
    /// Parameters it uses, without the `$`.
    pub parameters: BTreeSet<String>,
}

impl Session {
    /// An empty session over a warehouse.
    pub fn new(limits: Limits, warehouse: &Store) -> Result<Session> {
        let mut config = SessionConfig::new()
            .with_target_partitions(limits.threads.max(1))
            .with_information_schema(false)
            .with_collect_statistics(true);
        let options = config.options_mut();
        options.sql_parser.parse_float_as_decimal = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.collect_spans = true;
        options.execution.parquet.schema_force_view_types = false;
        // Each sort sets some aside for merging what it spilled; the engine's 10 MiB for each would be all there is on many
        // threads.
        let aside = limits.memory_bytes / (16 * limits.threads.max(1));
        options.execution.sort_spill_reservation_bytes = aside.clamp(256 << 10, 10 << 20);
        let pool = memory::pool(limits.memory_bytes);
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc();
        let runtime = runtime.map_err(|error| fault::internal("start the engine", &error))?;
        let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
        let state = state.with_physical_optimizer_rule(Arc::new(recursion::BoundRecursion)).build();
        let context = SessionContext::new_with_state(state);
        let address = url::Url::parse(WAREHOUSE).map_err(|error| Diagnostic::internal(error.to_string()))?;
        context.register_object_store(&address, warehouse.objects());
        context.register_udaf(lists::array_agg());
        for function in guard::UNREPEATABLE {
            context.deregister_udf(function);
        }
        for function in ["generate_series", "range"] {
            context.deregister_udtf(function);
        }
        Ok(Session {
            context,
            warehouse: warehouse.looks(),
            keys: Keys::new(),
            memory_bytes: limits.memory_bytes,
            kept: Mutex::default(),
        })
    }

    /// Says which columns tell the rows of tables apart, so that a join on them is known to multiply nothing.
    pub fn know(&mut self, keys: &Keys) {
        self.keys.extend(keys.iter().map(|(table, key)| (table.clone(), key.clone())));
    }

    /// Names some batches in memory.
    pub fn add_batches(&self, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let charge = memory::charge(&self.context.runtime_env().memory_pool, name, Held::of(&batches).bytes());
        self.add_charged(name, schema, batches, charge)
    }

    fn add_charged(
        &self,
        name: &str,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
        charge: MemoryReservation,
    ) -> Result<()> {
        let add = || {
            let table = MemTable::try_new(schema, vec![batches])?;
            self.context.register_table(quoted(name), Arc::new(table))
        };
        add().map_err(|error| fault::internal(&format!("add the table {name}"), &error))?;
        self.behind()?.insert(name.to_owned(), Behind::Memory { _charge: charge });
        Ok(())
    }

    /// Names a Parquet object of the warehouse.
    pub async fn register_parquet(&self, name: &str, path: &str) -> Result<()> {
        self.warehouse.expect(path).await?;
        let address = format!("{WAREHOUSE}/{path}");
        let added = self.context.register_parquet(quoted(name), address, ParquetReadOptions::default()).await;
        added.map_err(|error| fault::internal(&format!("read {path}"), &error))
    }

    /// Names a Parquet object of the warehouse that has these columns at least: texts, empty where it lacks one.
    pub async fn register_parquet_with(&self, name: &str, path: &str, columns: &[String]) -> Result<()> {
        if columns.is_empty() {
            return self.register_parquet(name, path).await;
        }
        self.warehouse.expect(path).await?;
        let add = async || {
            let options = ParquetReadOptions::default();
            let frame = self.context.read_parquet(format!("{WAREHOUSE}/{path}"), options).await?;
            let own: Vec<&str> = frame.schema().fields().iter().map(|field| field.name().as_str()).collect();
            let lacking = columns.iter().filter(|column| !own.contains(&column.as_str()));
            let mut all: Vec<Expr> = own.iter().map(|column| ident(*column)).collect();
            all.extend(lacking.map(|column| lit(ScalarValue::Utf8(None)).alias(column)));
            self.context.register_table(quoted(name), frame.select(all)?.into_view())
        };
        add().await.map(drop).map_err(|error| fault::internal(&format!("read {path}"), &error))
    }

    /// Names the rows of several Parquet objects of one shape as one table.
    pub async fn register_parquets(&self, name: &str, paths: &[String]) -> Result<()> {
        for path in paths {
            self.warehouse.expect(path).await?;
        }
        let add = async || {
            let addresses: Vec<String> = paths.iter().map(|path| format!("{WAREHOUSE}/{path}")).collect();
            let frame = self.context.read_parquet(addresses, ParquetReadOptions::default()).await?;
            self.context.register_table(quoted(name), frame.into_view())
        };
        add().await.map(drop).map_err(|error| fault::internal(&format!("read the table {name}"), &error))
    }

    /// Forgets a table.
    pub fn deregister(&self, name: &str) -> Result<()> {
        let removed = self.context.deregister_table(quoted(name));
        removed.map_err(|error| fault::internal(&format!("forget the table {name}"), &error))?;
        self.behind()?.remove(name);
        Ok(())
    }

    /// Checks a definition's SQL and says what it reads and returns, without running it.
    pub async fn shape(&self, sql: &Sql<'_>, parameters: &Parameters) -> Result<Shape> {
        let (plan, tables, used) = self.plan(sql, parameters).await?;
        Ok(Shape { schema: Arc::new(plan.schema().as_arrow().clone()), tables, parameters: used })
    }

    /// Runs a definition's SQL, or a user's.
    pub async fn query(&self, sql: &Sql<'_>, parameters: &Parameters) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let (plan, _, _) = self.plan(sql, parameters).await?;
        if sql.is_definition {
            fan_out::refuse((&self.context, &self.keys), sql, &plan).await?;
        }
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        let batches = plan::collect(&self.context, plan).await.map_err(|error| fault::of_definition(sql, &error))?;
        Ok((schema, batches))
    }

    /// Names the result of SQL, run once, as a table.
    pub async fn keep(&self, name: &str, sql: &Sql<'_>, parameters: &Parameters) -> Result<SchemaRef> {
        let (plan, _, _) = self.plan(sql, parameters).await?;
        if sql.is_definition {
            fan_out::refuse((&self.context, &self.keys), sql, &plan).await?;
        }
        let (schema, kept) = self.kept(name, plan).await.map_err(|error| fault::of_definition(sql, &error))?;
        self.put(name, schema.clone(), kept).await?;
        Ok(schema)
    }

    /// The rows of a plan, for a table; if they need more memory than there is, once more with less.
    async fn kept(&self, name: &str, plan: LogicalPlan) -> Answer<(SchemaRef, Kept)> {
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        let pool = &self.context.runtime_env().memory_pool;
        let keep = async |frame: DataFrame| {
            let mut keeping = Keeping::new(name, schema.clone(), pool, self.memory_bytes);
            let mut rows = frame.execute_stream().await?;
            while let Some(batch) = rows.try_next().await? {
                keeping.add(&batch)?;
            }
            keeping.finish()
        };
        match keep(DataFrame::new(self.context.state(), plan.clone())).await {
            Err(error) if fault::is_out_of_memory(&error) => keep(plan::sparingly(&self.context, plan)).await,
            done => done,
        }
    }

    /// Names kept rows as a table.
    async fn put(&self, name: &str, schema: SchemaRef, kept: Kept) -> Result<()> {
        let file = match kept {
            Kept::Batches(batches, charge) => return self.add_charged(name, schema, batches, charge),
            Kept::File(file) => file,
        };
        let options = ParquetReadOptions::default().schema(&schema);
        let address = url::Url::from_file_path(file.path());
        let address = address.map_err(|()| Diagnostic::internal("the folder of temporary files has no full path"))?;
        let added = self.context.register_parquet(quoted(name), address, options).await;
        added.map_err(|error| fault::internal(&format!("add the table {name}"), &error))?;
        self.behind()?.insert(name.to_owned(), Behind::File { _file: file });
        Ok(())
    }

    /// Runs SQL of Scorebook's own, whose faults are Scorebook's.
    pub async fn query_own(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let ask = async || plan::collect(&self.context, self.own(sql).await?).await;
        ask().await.map_err(|error| fault::internal("score", &error).note(sql.to_owned()))
    }

    /// Runs SQL of Scorebook's own, and gives its rows as they come.
    pub async fn stream(&self, sql: &str) -> Result<Rows> {
        let stream = async || self.rows(self.own(sql).await?, "score".into()).await;
        stream().await.map_err(|error| fault::internal("score", &error).note(sql.to_owned()))
    }

    /// Runs a definition's SQL that ran well before, and gives its rows as they come.
    pub async fn stream_query(&self, sql: &Sql<'_>, parameters: &Parameters) -> Result<Rows> {
        let (plan, _, _) = self.plan(sql, parameters).await?;
        self.rows(plan, format!("run {}", sql.file)).await.map_err(|error| fault::of_definition(sql, &error))
    }

    /// Names the result of SQL of Scorebook's own, run once, as a table.
    pub async fn materialize(&self, name: &str, sql: &str) -> Result<()> {
        let keep = async || self.kept(name, self.own(sql).await?).await;
        let (schema, kept) = keep().await.map_err(|error| fault::internal("score", &error).note(sql.to_owned()))?;
        self.deregister(name)?;
        self.put(name, schema, kept).await
    }

    /// SQL of Scorebook's own. It may hold a formula's, so it is read in the same dialect.
    async fn own(&self, sql: &str) -> Answer<LogicalPlan> {
        let statement = DFParserBuilder::new(sql).with_dialect(&dialect::DIALECT).build()?.parse_statement()?;
        self.context.state().statement_to_plan(statement).await
    }

    async fn rows(&self, plan: LogicalPlan, what: String) -> Answer<Rows> {
        let sparingly = Some(plan::sparingly(&self.context, plan.clone()));
        let rows = DataFrame::new(self.context.state(), plan).execute_stream().await?;
        Ok(Rows { rows, sparingly, what })
    }

    fn behind(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Behind>>> {
        self.kept.lock().map_err(|_| Diagnostic::internal("a query died while a table was kept"))
    }

    async fn plan(
        &self,
        sql: &Sql<'_>,
        parameters: &Parameters,
    ) -> Result<(LogicalPlan, BTreeSet<String>, BTreeSet<String>)> {
        let guarded = guard::read_only(sql, parameters)?;
        for table in &guarded.tables {
            if !self.context.table_exist(quoted(table)).unwrap_or(false) {
                return Err(fault::unknown_table(sql, table, &self.tables()));
            }
        }
        let state = self.context.state();
        let plan =
            state.statement_to_plan(guarded.statement).await.map_err(|error| fault::of_definition(sql, &error))?;
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(|error| fault::of_definition(sql, &error))?;
        guard::repeatable(sql, &plan)?;
        Ok((plan, guarded.tables, guarded.parameters))
    }

    /// The names of all tables.
    pub fn tables(&self) -> Vec<String> {
        let catalog = self.context.catalog("datafusion").and_then(|catalog| catalog.schema("public"));
        let mut names = catalog.map(|schema| schema.table_names()).unwrap_or_default();
        names.sort();
        names
    }
}

/// The tables and parameters that SQL reads, without planning it.
pub fn reads(sql: &Sql<'_>, parameters: &Parameters) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let guarded = guard::read_only(sql, parameters)?;
    Ok((guarded.tables, guarded.parameters))
}

/// The address under which sessions see the warehouse.
const WAREHOUSE: &str = "scorebook://warehouse";

/// A name as it stands, not folded to lower case.
fn quoted(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name)
}

/// A schema without metadata, so that equal columns are equal.
pub fn bare_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_metadata(Default::default())).collect();
    Arc::new(Schema::new(fields))
}
