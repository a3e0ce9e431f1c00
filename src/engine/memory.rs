//! The memory that queries may take, and the most that they took.
//!
//! The engine charges a pool with what its sorts, joins and aggregates hold; what can spill does so when its fair part is
//! used up. Tables that a session keeps are charged too.

use arrow::array::{Array, ArrayData, RecordBatch};
use arrow::buffer::NullBuffer;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that any pool of this process was charged with, as the system keeps the most that a process had.
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

/// The most memory, in bytes, that the queries of a session of this process were charged with at one moment.
pub fn peak_bytes() -> usize {
    PEAK_BYTES.load(Ordering::Relaxed)
}

/// A pool of so many bytes.
pub(super) fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    let consumers = NonZeroUsize::MIN.saturating_add(2);
    Arc::new(Pool { held: TrackConsumersPool::new(FairSpillPool::new(bytes), consumers), bytes })
}

/// Charges a pool with a table that is kept until this is dropped. It is charged even if that is more than the pool has:
/// then what can spill does, and nothing fails for it.
pub(super) fn charge(pool: &Arc<dyn MemoryPool>, table: &str, bytes: usize) -> MemoryReservation {
    let reservation = MemoryConsumer::new(format!("the table {table}")).register(pool);
    reservation.grow(bytes);
    reservation
}

/// What batches hold: each buffer once, for batches that were cut from one share its buffers, and keep all of them.
#[derive(Default)]
pub(super) struct Held {
    seen: BTreeSet<usize>,
    bytes: usize,
}

impl Held {
    /// All of them.
    pub fn of(batches: &[RecordBatch]) -> Held {
        let mut held = Held::default();
        for batch in batches {
            held.add(batch);
        }
        held
    }

    /// Adds one, which must live as long as this is asked. Gives what it holds that none before did.
    pub fn add(&mut self, batch: &RecordBatch) -> usize {
        let before = self.bytes;
        batch.columns().iter().for_each(|column| self.add_data(&column.to_data()));
        self.bytes - before
    }

    fn add_data(&mut self, data: &ArrayData) {
        for buffer in data.buffers().iter().chain(data.nulls().map(NullBuffer::buffer)) {
            // The start of what was allocated, not of what is used of it.
            if self.seen.insert(buffer.data_ptr().as_ptr().addr()) {
                self.bytes += buffer.capacity();
            }
        }
        data.child_data().iter().for_each(|child| self.add_data(child));
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A pool that knows how full it was, and says what fills it when it is full.
#[derive(Debug)]
struct Pool {
    held: TrackConsumersPool<FairSpillPool>,
    bytes: usize,
}

impl Pool {
    fn note_peak(&self) {
        PEAK_BYTES.fetch_max(self.held.reserved(), Ordering::Relaxed);
    }

    /// Who asked for how much, and what there was.
    fn full(&self, reservation: &MemoryReservation, more: usize) -> DataFusionError {
        let mut held = self.held.metrics();
        held.sort_by_key(|consumer| std::cmp::Reverse(consumer.reserved));
        let most: Vec<String> = held
            .iter()
            .filter(|consumer| consumer.reserved > 0)
            .take(3)
            .map(|consumer| format!("{} {}", consumer.name, mib(consumer.reserved)))
            .collect();
        let most = if most.is_empty() { "nothing".to_owned() } else { most.join(", ") };
        DataFusionError::ResourcesExhausted(format!(
            "{} held {} and asked for {} more; the limit is {}, of which {} were in use: {most}",
            reservation.consumer().name(),
            mib(reservation.size()),
            mib(more),
            mib(self.bytes),
            mib(self.held.reserved()),
        ))
    }
}

impl Display for Pool {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.held)
    }
}

impl MemoryPool for Pool {
    fn name(&self) -> &str {
        "scorebook"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.held.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.held.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, more: usize) {
        self.held.grow(reservation, more);
        self.note_peak();
    }

    fn shrink(&self, reservation: &MemoryReservation, less: usize) {
        self.held.shrink(reservation, less);
    }

    fn try_grow(&self, reservation: &MemoryReservation, more: usize) -> Result<()> {
        let grown = self.held.try_grow(reservation, more);
        self.note_peak();
        grown.map_err(|_| self.full(reservation, more))
    }

    fn reserved(&self) -> usize {
        self.held.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.held.memory_limit()
    }
}

/// Bytes in print.
fn mib(bytes: usize) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    /// A batch that the engine cut into pieces holds its buffers once, however many the pieces are.
    #[test]
    fn buffers_that_batches_share_are_held_once() {
        let columns: [(&str, ArrayRef); 2] = [
            ("number", Arc::new(Int64Array::from_iter((0..1000).map(|n| (n % 7 > 0).then_some(n))))),
            ("text", Arc::new(StringArray::from_iter_values((0..1000).map(|n| n.to_string())))),
        ];
        let whole = RecordBatch::try_from_iter(columns).unwrap();
        let bytes = Held::of(std::slice::from_ref(&whole)).bytes();
        // Eight bytes a number and four an offset at least, and all of the texts.
        assert!((8_000 + 4_000 + 2_890..whole.get_array_memory_size() + 1).contains(&bytes), "{bytes}");
        let cut: Vec<RecordBatch> = (0..100).map(|n| whole.slice(10 * n, 10)).collect();
        assert_eq!(Held::of(&cut).bytes(), bytes);
        assert!(cut.iter().map(RecordBatch::get_array_memory_size).sum::<usize>() > 50 * bytes);
    }
}
