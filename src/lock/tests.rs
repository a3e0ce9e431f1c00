use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Fast enough for a test, and slow enough for a busy machine.
const PACE: Pace = Pace { beat: Duration::from_millis(100), patience: Duration::from_millis(1500) };
const QUIET: &dyn Fn(&str) = &|_| ();

fn now() -> Timestamp {
    "2026-10-01T02:00:00Z".parse().unwrap()
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// This process as it would be in a container of that name: nobody outside can see it.
fn container(host: &str) -> Owner {
    Owner { namespace: Some(format!("pid:[{host}]")), ..Owner::this_process(host) }
}

/// A holder as its record stands.
fn record(owner: Owner) -> Vec<u8> {
    text(&Holder { owner, since: now(), beat: 3, released: false, interrupted: None, unlocked: None })
}

async fn newest(store: &Store) -> Holder {
    Standing::read(store).await.unwrap().holder().unwrap()
}

#[tokio::test]
async fn only_one_holds() {
    let (_folder, store) = open();
    let owner = Owner::this_process("a");
    let lock = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
    assert_eq!(take(&store, &owner, now(), PACE, QUIET).await.unwrap_err().kind, Kind::Locked);
    lock.release(true).unwrap();
    let second = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
    assert!(!second.taken_over && !second.is_unclean);
}

#[tokio::test]
async fn a_killed_process_gives_way_at_once() {
    let (_folder, store) = open();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let own = Owner::this_process("a");
    let owner = Owner { process: child.id(), process_started: started(child.id()), ..own.clone() };
    store.put("lock/000000000001.json", record(owner)).await.unwrap();
    // It lives, so it holds the lock however long it is silent.
    let patient = Pace { patience: Duration::from_secs(3600), ..PACE };
    assert!(take(&store, &own, now(), patient, QUIET).await.is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(take(&store, &own, now(), patient, QUIET).await.unwrap().taken_over);
}

/// The same host name and the same process number, as process 1 of each container has it: a holder that beats keeps its
/// lock whatever the clocks say, and one that does not beat is gone, also if that number lives here.
#[tokio::test]
async fn a_holder_that_cannot_be_seen_is_judged_by_its_signs_of_life() {
    let (_folder, store) = open();
    let lock = take(&store, &container("a"), now(), PACE, QUIET).await.unwrap();
    let told = std::sync::Mutex::new(String::new());
    let tell = |line: &str| told.lock().unwrap().push_str(line);
    // Years later by its own clock.
    let far = now() + jiff::SignedDuration::from_hours(24 * 365 * 3);
    let refused = take(&store, &Owner::this_process("a"), far, PACE, &tell).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Locked);
    assert!(told.into_inner().unwrap().contains("waiting up to 1 s for a sign of life"));
    lock.confirm().await.unwrap();
    lock.release(true).unwrap();
    // One who died: the record stands, and nothing counts it up.
    let mut standing = Owner::this_process("a");
    standing.namespace = Some("pid:[4]".into());
    store.put("lock/000000000007.json", record(standing)).await.unwrap();
    let lock = take(&store, &Owner::this_process("a"), now(), PACE, QUIET).await.unwrap();
    assert!(lock.taken_over);
    assert_eq!(lock.path, "lock/000000000008.json");
}

/// After a restart of the machine the number, and even the ticks at which it started, may be those of another process.
#[tokio::test]
async fn a_restarted_machine_is_another_one() {
    let (_folder, store) = open();
    let before = Owner { boot: Some("an earlier boot".into()), ..Owner::this_process("a") };
    store.put("lock/000000000001.json", record(before)).await.unwrap();
    assert!(take(&store, &Owner::this_process("a"), now(), PACE, QUIET).await.unwrap().taken_over);
}

#[tokio::test]
async fn a_torn_record_blocks_nobody() {
    let (_folder, store) = open();
    store.put("lock/000000000001.json", b"{\"host\":".to_vec()).await.unwrap();
    assert!(take(&store, &Owner::this_process("a"), now(), PACE, QUIET).await.unwrap().taken_over);
}

/// The stages may keep every thread of the program busy: the signs of life have one of their own.
#[test]
fn signs_of_life_do_not_wait_for_the_work() {
    let (_folder, store) = open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let lock = take(&store, &Owner::this_process("a"), now(), PACE, QUIET).await.unwrap();
        // Nothing yields here, as in a long computation.
        std::thread::sleep(PACE.beat * 10);
        assert!(newest(&store).await.beat >= 2);
        // And nothing that they write stands in the way of a seal.
        let proof = store.sync().unwrap();
        std::thread::sleep(PACE.beat * 3);
        assert!(store.append_synced("ledger/000001.json", b"{}".to_vec(), proof).await.unwrap());
        lock.release(true).unwrap();
    });
}

#[tokio::test]
async fn who_lost_the_lock_knows_it_and_leaves_the_next_holder_alone() {
    let (_folder, store) = open();
    let lock = take(&store, &container("a"), now(), PACE, QUIET).await.unwrap();
    lock.confirm().await.unwrap();
    let held = unlock(&store, &Owner::this_process("b"), now(), PACE, ("it hangs", true), QUIET).await.unwrap();
    assert!(held.unwrap().contains("on a"));
    let second = take(&store, &container("c"), now(), PACE, QUIET).await.unwrap();
    assert_eq!(lock.confirm().await.unwrap_err().kind, Kind::Locked);
    lock.release(false).unwrap();
    std::thread::sleep(PACE.beat * 3);
    assert_eq!(newest(&store).await.owner.host, "c");
    second.confirm().await.unwrap();
}

#[tokio::test]
async fn a_record_of_no_generation_is_nobodys_lock() {
    let (_folder, store) = open();
    for name in ["18446744073709551615", "1", "x"] {
        store.put(&format!("lock/{name}.json"), record(container("x"))).await.unwrap();
    }
    let lock = take(&store, &Owner::this_process("a"), now(), PACE, QUIET).await.unwrap();
    assert_eq!(lock.path, "lock/000000000001.json");
}

#[tokio::test]
async fn freeing_by_hand_is_refused_to_the_living_and_told_until_a_run_is_sealed() {
    let (_folder, store) = open();
    let owner = Owner::this_process("a");
    assert_eq!(unlock(&store, &owner, now(), PACE, ("?", false), QUIET).await.unwrap(), None);
    let lock = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
    let refused = unlock(&store, &owner, now(), PACE, ("?", false), QUIET).await.unwrap_err();
    assert!(refused.to_string().contains("--force"), "{refused}");
    lock.release(true).unwrap();
    assert_eq!(unlock(&store, &owner, now(), PACE, ("?", true), QUIET).await.unwrap(), None);
    store.put("lock/000000000009.json", record(container("x"))).await.unwrap();
    let held = unlock(&store, &owner, now(), PACE, ("the pod was evicted", false), QUIET).await.unwrap();
    assert!(held.unwrap().contains("on x"));
    // A run that fails hands the reason on; one that is sealed has told it.
    let failed = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
    assert_eq!(failed.unlocked.as_ref().unwrap().reason, "the pod was evicted");
    assert!(failed.is_unclean && !failed.taken_over);
    drop(failed);
    let sealed = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
    assert!(sealed.unlocked.is_some());
    sealed.release(true).unwrap();
    assert!(take(&store, &owner, now(), PACE, QUIET).await.unwrap().unlocked.is_none());
}

#[test]
fn a_panic_and_a_signal_give_the_lock_back() {
    let (_folder, store) = open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let owner = Owner::this_process("a");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let _lock = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
            panic!("a fault");
        });
    }));
    assert!(panicked.is_err());
    runtime.block_on(async {
        assert!(newest(&store).await.released);
        let lock = take(&store, &owner, now(), PACE, QUIET).await.unwrap();
        let release = lock.keeper.releaser();
        std::thread::spawn(move || release("SIGTERM")).join().unwrap();
        let standing = newest(&store).await;
        assert!(standing.released);
        assert_eq!(standing.interrupted.as_deref(), Some("SIGTERM"));
        drop(lock);
        assert!(take(&store, &owner, now(), PACE, QUIET).await.unwrap().is_unclean);
    });
}
