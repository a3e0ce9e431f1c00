//! Rendering on several threads with flat memory.
//!
//! Its one constraint: every worker has a thread pool of its own with a single thread. PDF export uses the current pool;
//! documents that were tasks of one shared pool would start each other while they wait, until the stack is full.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Enough for the deepest layout.
const STACK_BYTES: usize = 32 << 20;

/// Does all jobs on so many threads. Jobs are taken from the iterator as they are needed, and `done` gets the results as
/// they come, both on the calling thread.
///
/// # Panics
/// If a job panicked: after the jobs that were under way, with the same panic.
pub fn run<J: Send, R: Send>(
    threads: usize,
    jobs: impl Iterator<Item = J>,
    work: impl Fn(J) -> R + Sync,
    mut done: impl FnMut(R),
) {
    let threads = threads.max(1);
    // One job waits for each that is under way, so that no worker is idle while the next one is prepared.
    let most_open = 2 * threads;
    let (give, take) = sync_channel(most_open);
    let take = Mutex::new(take);
    thread::scope(|scope| {
        // Owned here, so that workers see the end of the jobs even if `jobs` or `done` panics.
        let give = give;
        let (answer, answers) = channel();
        for _ in 0..threads {
            let (answer, take, work) = (answer.clone(), &take, &work);
            scope.spawn(move || worker(take, work, &answer));
        }
        drop(answer);
        let mut open = 0;
        let mut panicked = None;
        let mut receive = |open: &mut usize, panicked: &mut Option<_>| {
            *open -= 1;
            match answers.recv() {
                Ok(Ok(result)) => done(result),
                Ok(Err(panic)) => *panicked = Some(panic),
                // Workers answer every job; they are gone only when none is open.
                Err(_) => *open = 0,
            }
        };
        for job in jobs {
            if open == most_open {
                receive(&mut open, &mut panicked);
            }
            if panicked.is_some() || give.send(job).is_err() {
                break;
            }
            open += 1;
        }
        drop(give);
        while open > 0 {
            receive(&mut open, &mut panicked);
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    });
}

/// Takes jobs until there are none.
fn worker<J: Send, R: Send>(
    take: &Mutex<Receiver<J>>,
    work: &(impl Fn(J) -> R + Sync),
    answer: &Sender<thread::Result<R>>,
) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(STACK_BYTES).build();
    loop {
        // A poisoned lock means that another worker died while it took a job; the queue itself is whole.
        let job = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let result = catch_unwind(AssertUnwindSafe(|| match &pool {
            Ok(pool) => pool.install(|| work(job)),
            Err(error) => panic!("a thread cannot be started: {error}"),
        }));
        // Documents share hardly anything that is worth keeping, and what a failed one left is waste too.
        comemo::evict(0);
        if answer.send(result).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_and_taken_late() {
        let mut sum = 0;
        run(3, 1..=100_u32, |job| job * 2, |result| sum += result);
        assert_eq!(sum, 10_100);
        let taken = std::cell::Cell::new(0_i32);
        let mut ahead = 0;
        let mut finished = 0;
        let jobs = (0..50).inspect(|_| taken.set(taken.get() + 1));
        run(
            2,
            jobs,
            |job| job,
            |_| {
                finished += 1;
                ahead = ahead.max(taken.get() - finished);
            },
        );
        assert!(ahead <= 5, "{ahead} jobs were taken ahead");
    }

    #[test]
    fn a_panic_hangs_nobody_and_is_not_lost() {
        let mut done = 0;
        let result = catch_unwind(AssertUnwindSafe(|| {
            run(2, 0..100, |job| assert_ne!(job, 7, "job seven"), |()| done += 1);
        }));
        assert!(result.is_err());
        assert!((7..100).contains(&done), "{done}");
    }
}
