//! `ARRAY_AGG ... ORDER BY` for many groups, charged with what it holds.
//!
//! The engine's own keeps every row of every group as a value of its own, each of them charged with the whole batch that it
//! was cut from: queries that hold a few megabytes fail under a limit of gigabytes. Here rows stay in columns, copied once
//! out of the batches they came in, and the charge is the size of these columns. The lists are the same. Rows that their
//! order does not tell apart come by their values, so that no list depends on the order in which rows arrive.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, DynComparator, ListArray, StructArray, UInt32Array,
    make_comparator, new_empty_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};
use std::cmp::Ordering;
use std::sync::Arc;

/// The engine's `ARRAY_AGG`, with lists in order made here.
pub(super) fn array_agg() -> AggregateUDF {
    AggregateUDF::from(ArrayAgg(array_agg_udaf()))
}

/// What is not an ordered list in groups is left to the engine's own function, which it wraps.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayAgg(Arc<AggregateUDF>);

impl AggregateUDFImpl for ArrayAgg {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.return_type(arguments)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.0.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match arguments.is_distinct || arguments.order_bys.is_empty() {
            true => self.0.accumulator(arguments),
            false => Ok(Box::new(Whole(Lists::of(&arguments)?))),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        // Asks for no sort of what comes in: that would be another copy of all rows.
        AggregateOrderSensitivity::Beneficial
    }

    fn with_beneficial_ordering(self: Arc<Self>, _: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::NotSupported
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.0.supports_null_handling_clause()
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        !arguments.is_distinct
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        if arguments.order_bys.is_empty() {
            return self.0.create_groups_accumulator(arguments);
        }
        Ok(Box::new(Lists::of(&arguments)?))
    }
}

/// Rows of all groups: the value, then what it is ordered by.
#[derive(Debug, Default)]
struct Rows {
    types: Vec<DataType>,
    /// Of each batch the columns.
    batches: Vec<Vec<ArrayRef>>,
    /// Of each row of all batches its group.
    group: Vec<u32>,
    /// What the batches take.
    bytes: usize,
}

impl Rows {
    /// Adds rows: their columns, and the group of each.
    fn add(&mut self, columns: Vec<ArrayRef>, group: &[u32]) {
        if !group.is_empty() {
            self.bytes += columns.iter().map(|column| column.get_array_memory_size()).sum::<usize>();
            self.batches.push(columns);
            self.group.extend(group);
        }
    }

    /// All rows as one batch, which is taken out.
    fn whole(&mut self) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        let batches = std::mem::take(&mut self.batches);
        let column = |(i, data_type): (usize, &DataType)| match batches.is_empty() {
            true => Ok(new_empty_array(data_type)),
            false => concat(&batches.iter().map(|batch| batch[i].as_ref()).collect::<Vec<_>>()),
        };
        let columns = self.types.iter().enumerate().map(column).collect::<Result<_, _>>()?;
        self.bytes = 0;
        Ok((columns, std::mem::take(&mut self.group)))
    }

    /// Twice what is held: to make lists of it takes a copy.
    fn size(&self) -> usize {
        2 * (self.bytes + self.group.capacity() * size_of::<u32>())
    }
}

/// Some rows of columns. A copy: a slice would hold the whole of what it was cut from.
fn copy<'a>(columns: impl IntoIterator<Item = &'a ArrayRef>, rows: Vec<u32>) -> Result<Vec<ArrayRef>> {
    let rows = UInt32Array::from(rows);
    Ok(columns.into_iter().map(|column| take(column.as_ref(), &rows, None)).collect::<Result<_, _>>()?)
}

/// The lists of all groups.
#[derive(Debug)]
struct Lists {
    rows: Rows,
    /// What lists are ordered by, as the engine hands it from thread to thread.
    order: Fields,
    options: Vec<SortOptions>,
    ignore_nulls: bool,
    groups: usize,
}

/// The lists of some groups, and what their members are ordered by.
struct Emitted {
    values: ArrayRef,
    order: Vec<ArrayRef>,
    /// How long each list is.
    lengths: Vec<usize>,
}

impl Lists {
    fn of(arguments: &AccumulatorArgs) -> Result<Lists> {
        let values = &arguments.expr_fields[0];
        let (mut order, mut options) = (Vec::new(), Vec::new());
        for by in arguments.order_bys {
            order.push(Field::new(by.expr.to_string(), by.expr.data_type(arguments.schema)?, true));
            options.push(by.options);
        }
        let order = Fields::from(order);
        let types = std::iter::once(values).chain(&order).map(|field| field.data_type().clone()).collect();
        let rows = Rows { types, ..Default::default() };
        Ok(Lists { rows, order, options, ignore_nulls: arguments.ignore_nulls && values.is_nullable(), groups: 0 })
    }

    /// Takes the lists of the first groups out; those that stay are numbered from zero again.
    fn emit(&mut self, emit_to: EmitTo) -> Result<Emitted> {
        let count = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(count) => count,
        };
        let (columns, group) = self.rows.whole()?;
        let is_emitted = |row: &u32| (group[*row as usize] as usize) < count;
        let all = 0..u32::try_from(group.len()).map_err(|_| too_many())?;
        let (mut rows, kept): (Vec<u32>, Vec<u32>) = all.partition(is_emitted);
        let mut lengths = vec![0; count];
        rows.iter().for_each(|row| lengths[group[*row as usize] as usize] += 1);
        let comparators = self.comparators(&columns)?;
        let by_order = |a: &u32, b: &u32| {
            let (a, b) = (*a as usize, *b as usize);
            let ordered = comparators.iter().map(|compare| compare(a, b)).find(|order| order.is_ne());
            ordered.unwrap_or(Ordering::Equal)
        };
        rows.sort_by(|a, b| group[*a as usize].cmp(&group[*b as usize]).then_with(|| by_order(a, b)));
        let mut emitted = copy(&columns, rows)?;
        let renumbered: Vec<u32> = kept.iter().map(|row| group[*row as usize] - count as u32).collect();
        self.rows.add(copy(&columns, kept)?, &renumbered);
        self.groups -= count;
        let order = emitted.split_off(1);
        Ok(Emitted { values: emitted.swap_remove(0), order, lengths })
    }

    /// What tells rows apart: their order, then their values.
    fn comparators(&self, columns: &[ArrayRef]) -> Result<Vec<DynComparator>> {
        let by_order = columns[1..].iter().zip(self.options.iter().copied());
        let all = by_order.chain(std::iter::once((&columns[0], SortOptions::default())));
        Ok(all.map(|(column, options)| make_comparator(column, column, options)).collect::<Result<_, _>>()?)
    }
}

impl GroupsAccumulator for Lists {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.groups = self.groups.max(total);
        let nulls = if self.ignore_nulls { columns[0].logical_nulls() } else { None };
        let counts = |row: &usize| {
            filter.is_none_or(|filter| filter.is_valid(*row) && filter.value(*row))
                && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row))
        };
        let (rows, groups): (Vec<u32>, Vec<u32>) =
            (0..groups.len()).filter(counts).map(|row| (row as u32, groups[row] as u32)).unzip();
        self.rows.add(copy(columns, rows)?, &groups);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let emitted = self.emit(emit_to)?;
        Ok(Arc::new(list(emitted.values, &emitted.lengths, true)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let Emitted { values, order, lengths } = self.emit(emit_to)?;
        let order: ArrayRef = Arc::new(StructArray::try_new(self.order.clone(), order, None)?);
        Ok(vec![Arc::new(list(values, &lengths, true)), Arc::new(list(order, &lengths, false))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups = self.groups.max(total);
        let (values, order) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        let (mut of_values, mut of_order, mut of_groups) = (Vec::new(), Vec::new(), Vec::new());
        for (i, group) in groups.iter().enumerate().filter(|(i, _)| values.is_valid(*i)) {
            of_values.extend(members(values, i));
            of_order.extend(members(order, i));
            of_groups.resize(of_values.len(), *group as u32);
        }
        let mut columns = copy([values.values()], of_values)?;
        columns.extend(copy(order.values().as_struct().columns(), of_order)?);
        self.rows.add(columns, &of_groups);
        Ok(())
    }

    /// Where grouping makes nothing smaller: a list for each row.
    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = Rows { types: self.rows.types.clone(), ..Default::default() };
        let (order, options) = (self.order.clone(), self.options.clone());
        let mut each = Lists { rows, order, options, ignore_nulls: self.ignore_nulls, groups: 0 };
        let groups: Vec<usize> = (0..columns[0].len()).collect();
        each.update_batch(columns, &groups, filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.rows.size()
    }
}

/// One list of all rows.
#[derive(Debug)]
struct Whole(Lists);

impl Accumulator for Whole {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(columns, &vec![0; columns[0].len()], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states, &vec![0; states[0].len()], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups = 1;
        ScalarValue::try_from_array(&self.0.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.groups = 1;
        self.0.state(EmitTo::All)?.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Where the members of a list stand.
fn members(lists: &ListArray, i: usize) -> impl Iterator<Item = u32> {
    let offsets = lists.value_offsets();
    (offsets[i]..offsets[i + 1]).map(|member| member as u32)
}

/// Lists of these lengths. An empty one is none at all, if so asked.
fn list(members: ArrayRef, lengths: &[usize], empty_is_none: bool) -> ListArray {
    let nulls = empty_is_none.then(|| {
        let mut there = BooleanBufferBuilder::new(lengths.len());
        lengths.iter().for_each(|length| there.append(*length > 0));
        NullBuffer::new(there.finish())
    });
    let field = Arc::new(Field::new_list_field(members.data_type().clone(), true));
    ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), members, nulls)
}

fn too_many() -> datafusion::error::DataFusionError {
    datafusion::error::DataFusionError::ResourcesExhausted("more than 4,294,967,295 rows in lists".into())
}

#[cfg(test)]
mod tests {
    use crate::engine::memory;
    use crate::engine::{Limits, Session};
    use crate::store::Store;
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use arrow::util::display::array_value_to_string;
    use std::sync::Arc;

    /// Lines of deals in an order of no meaning: `deal`, `line`, `name`.
    fn lines(deals: i64) -> Vec<RecordBatch> {
        let all: Vec<i64> = (0..deals * 4).map(|i| (i * 7919) % (deals * 4)).collect();
        let batch = |rows: &[i64]| {
            let deal = Int64Array::from_iter_values(rows.iter().map(|i| i / 4));
            let line = Int64Array::from_iter_values(rows.iter().map(|i| i % 4));
            let name = StringArray::from_iter(rows.iter().map(|i| (i % 5 > 0).then(|| format!("product {}", i % 11))));
            let columns: [(&str, ArrayRef); 3] =
                [("deal", Arc::new(deal)), ("line", Arc::new(line)), ("name", Arc::new(name))];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        all.chunks(1000).map(batch).collect()
    }

    fn session(deals: i64, limits: Limits) -> (tempfile::TempDir, Session) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let session = Session::new(limits, &store).unwrap();
        let lines = lines(deals);
        session.add_batches("lines", lines[0].schema(), lines).unwrap();
        (folder, session)
    }

    async fn answer(session: &Session, sql: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for batch in session.query_own(sql).await.unwrap() {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
                rows.push(cells.collect::<Vec<_>>().join(" | "));
            }
        }
        rows
    }

    #[tokio::test]
    async fn lists_have_all_members_in_their_order() {
        let sql = "SELECT deal, ARRAY_AGG(NAMED_STRUCT('name', name, 'line', line) ORDER BY line DESC) AS l, \
                   ARRAY_AGG(name ORDER BY name NULLS FIRST, line) AS n, \
                   ARRAY_AGG(line ORDER BY line) FILTER (WHERE line > 2 AND deal <> 1) AS f, COUNT(*) AS c \
                   FROM lines GROUP BY deal ORDER BY deal";
        let name = |deal: i64, line: i64| {
            let i = deal * 4 + line;
            (i % 5 > 0).then(|| format!("product {}", i % 11))
        };
        let wanted = |deal: i64| {
            let shown = |name: &Option<String>| name.clone().unwrap_or_default();
            let l = (0..4).rev().map(|line| format!("{{name: {}, line: {line}}}", shown(&name(deal, line))));
            let mut n: Vec<(Option<String>, i64)> = (0..4).map(|line| (name(deal, line), line)).collect();
            n.sort();
            let n: Vec<String> = n.iter().map(|(name, _)| shown(name)).collect();
            let f = if deal == 1 { "" } else { "[3]" };
            format!("{deal} | [{}] | [{}] | {f} | 4", l.collect::<Vec<_>>().join(", "), n.join(", "))
        };
        for (threads, memory_bytes) in [(1, 1 << 30), (2, 1 << 30), (7, 1 << 30), (1, 12 << 20), (4, 12 << 20)] {
            let (_folder, session) = session(20_000, Limits { threads, memory_bytes });
            let rows = answer(&session, sql).await;
            assert_eq!(rows.len(), 20_000);
            for (deal, row) in rows.iter().enumerate() {
                assert_eq!(*row, wanted(deal as i64), "{threads} threads, {memory_bytes} bytes");
            }
        }
    }

    #[tokio::test]
    async fn a_list_of_all_rows_has_them_in_their_order() {
        let sql = "SELECT ARRAY_AGG(line ORDER BY deal DESC, line) AS l, ARRAY_AGG(line ORDER BY line) FILTER (WHERE deal < 0) AS n \
                   FROM (SELECT * FROM lines WHERE deal < 3) AS x";
        for threads in [1, 4] {
            let (_folder, session) = session(2_000, Limits { threads, memory_bytes: 1 << 30 });
            assert_eq!(answer(&session, sql).await, ["[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3] | "]);
        }
    }

    #[tokio::test]
    async fn a_query_that_needs_more_than_there_is_says_how_much_and_what_to_do() {
        let (_folder, session) = session(100_000, Limits { threads: 2, memory_bytes: 16 << 20 });
        let failed =
            session.query_own("SELECT ARRAY_AGG(name || line ORDER BY line) AS l FROM lines").await.unwrap_err();
        let said = failed.to_string();
        assert!(said.contains("not enough memory"), "{said}");
        assert!(said.contains("more; the limit is 16 MiB, of which ") && said.contains("the table lines"), "{said}");
        assert!(said.contains("raise `memory_mib` under [engine]"), "{said}");
    }

    #[tokio::test]
    async fn what_the_order_does_not_tell_apart_comes_by_value() {
        let sql = "SELECT ARRAY_AGG(NAMED_STRUCT('n', line % 2, 'd', deal) ORDER BY line / 4) AS l \
                   FROM (SELECT * FROM lines WHERE deal < 300) AS x GROUP BY line ORDER BY line";
        let mut seen = None;
        for threads in [1, 2, 5] {
            let (_folder, session) = session(2_000, Limits { threads, memory_bytes: 1 << 30 });
            let rows = answer(&session, sql).await;
            assert_eq!(seen.get_or_insert_with(|| rows.clone()), &rows);
        }
    }

    /// The engine's own function is charged with gigabytes here.
    #[tokio::test]
    async fn lists_are_charged_with_what_they_hold() {
        for threads in [1, 2] {
            let (_folder, session) = session(50_000, Limits { threads, memory_bytes: 128 << 20 });
            let held: usize = lines(50_000).iter().map(RecordBatch::get_array_memory_size).sum();
            let sql = "SELECT deal, ARRAY_AGG(NAMED_STRUCT('name', name, 'line', line) ORDER BY line) AS l FROM lines GROUP BY deal";
            assert_eq!(answer(&session, sql).await.len(), 50_000);
            // Of all that this process has asked for: other tests ask for less.
            let charged = memory::peak_bytes();
            assert!(charged >= held && charged < 12 * held, "{charged} of {held}");
        }
    }
}
