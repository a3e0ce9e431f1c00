//! One run at a time: a lock whose holder shows signs of life.
//!
//! A lock is an object `lock/<generation>.json`, put only if absent; the highest generation holds. Whoever takes over
//! from a dead holder puts the next generation, so two that try cannot both succeed.
//!
//! Who is dead? A process number means something only to those who share the machine, its boot and the namespace of
//! process numbers: to them a holder lives exactly as long as its process. All others (another host, a container, the
//! same machine after a reboot) watch the record: a thread of the holder counts up `beat` in it every few seconds,
//! whatever the run is busy with. A record that does not change for [`Pace::patience`] of the watcher's own time has
//! nobody behind it. No two clocks are ever compared.
//!
//! A holder that was taken for dead (it slept, or could not write) finds the higher generation with its next beat, or
//! in [`Lock::confirm`] right before the seal, and stops there. The last fence is the ledger's put-if-absent.

use crate::at_work;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::store::Store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

const FOLDER: &str = "lock";

/// How often a holder shows a sign of life, and how long others wait for one.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two signs of life.
    pub beat: Duration,
    /// Without one for so long, a holder that cannot be seen otherwise is dead. Several beats, and more than the seconds
    /// for which network file systems keep what they saw.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { beat: Duration::from_secs(5), patience: Duration::from_secs(30) }
    }
}

/// A process, and where its number means something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The machine's name.
    pub host: String,
    /// The machine's boot, as the kernel names it: another one after a restart, and on every other machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The namespace of process numbers: each container has its own, with a process 1 in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The process.
    pub process: u32,
    /// When that process started, as the machine tells it, so that a number used again is not taken for it.
    pub process_started: Option<u64>,
}

impl Owner {
    /// This process, on the machine of that name.
    pub fn this_process(host: &str) -> Owner {
        let process = std::process::id();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
        Owner {
            host: host.to_owned(),
            boot: boot.map(|boot| boot.trim().to_owned()),
            namespace: namespace.map(|namespace| namespace.to_string_lossy().into_owned()),
            process,
            process_started: started(process),
        }
    }

    /// Whether the two share process numbers.
    fn is_near(&self, other: &Owner) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        self.host == other.host && same(&self.boot, &other.boot) && same(&self.namespace, &other.namespace)
    }
}

/// Who holds the lock, or held it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    #[serde(flatten)]
    pub owner: Owner,
    /// When the lock was taken, by the holder's clock: for people only.
    pub since: Timestamp,
    /// The holder's signs of life so far.
    #[serde(default)]
    pub beat: u64,
    /// Whether the holder gave it back.
    pub released: bool,
    /// The signal that made it do so before it had finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// That it was freed by hand since the last run was sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlocked: Option<Unlocked>,
}

/// That somebody freed the lock by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlocked {
    /// Why, in that person's words.
    pub reason: String,
    /// When, by that person's clock.
    pub at: Timestamp,
    /// Who held it.
    pub held_by: String,
    /// Whether the holder showed signs of life, or nobody waited for one.
    pub forced: bool,
}

/// The lock, held. Dropping it gives it back too: an error and a panic leave none behind.
#[derive(Debug)]
pub struct Lock {
    store: Store,
    path: String,
    holder: Holder,
    keeper: Keeper,
    _registered: at_work::Registered,
    /// Whether the one before died with it.
    pub taken_over: bool,
    /// Whether the one before did not finish: what it was writing may be left over.
    pub is_unclean: bool,
    /// That it was freed by hand since the last run was sealed.
    pub unlocked: Option<Unlocked>,
}

/// What stands in the lock's folder.
struct Standing {
    generation: u64,
    paths: Vec<String>,
    /// The newest record: as bytes, for a torn one can still be watched.
    record: Vec<u8>,
}

impl Standing {
    async fn read(store: &Store) -> Result<Standing> {
        let paths: Vec<String> = store.list(FOLDER).await?.into_iter().map(|listed| listed.path).collect();
        let newest = paths.iter().rev().find_map(|path| generation(path).map(|number| (number, path)));
        let (generation, record) = match newest {
            Some((generation, path)) => (generation, store.find(path).await?.unwrap_or_default().to_vec()),
            None => (0, Vec::new()),
        };
        Ok(Standing { generation, paths, record })
    }

    fn holder(&self) -> Option<Holder> {
        serde_json::from_slice(&self.record).ok()
    }

    fn is_same(&self, other: &Standing) -> bool {
        (self.generation, &self.record) == (other.generation, &other.record)
    }
}

/// What can be known of the newest holder.
enum Found {
    /// Nobody has the lock.
    Free(Option<Holder>),
    /// It lives.
    Alive(Box<Holder>),
    /// It is gone and did not give the lock back.
    Dead(Option<Holder>),
}

/// Takes the lock for `owner`. `now` is the wall clock's; `tell` hears that there is something to wait for.
pub async fn take(store: &Store, owner: &Owner, now: Timestamp, pace: Pace, tell: &dyn Fn(&str)) -> Result<Lock> {
    let (standing, found) = look(store, owner, pace, tell).await?;
    let (before, taken_over) = match found {
        Found::Alive(holder) => return Err(held_by(&holder)),
        Found::Free(before) => (before, false),
        Found::Dead(before) => (before, true),
    };
    let interrupted = before.as_ref().is_some_and(|before| before.interrupted.is_some());
    let unlocked = before.and_then(|before| before.unlocked);
    let holder = Holder {
        owner: owner.clone(),
        since: now,
        beat: 0,
        released: false,
        interrupted: None,
        unlocked: unlocked.clone(),
    };
    // What the lock writes is no object of the run: it must not stand between the sync before a seal and the seal.
    let own = store.beside();
    // A signal between the record and the keeper would leave a lock that nobody gives back.
    let undisturbed = at_work::undisturbed();
    let path = next(&own, &standing, &holder).await?;
    let keeper = Keeper::start(own.beside(), path.clone(), holder.clone(), pace.beat)?;
    let registered = at_work::lock(keeper.releaser());
    drop(undisturbed);
    let is_unclean = taken_over || interrupted || unlocked.is_some();
    Ok(Lock { store: own, path, holder, keeper, _registered: registered, taken_over, is_unclean, unlocked })
}

/// Frees the lock by hand, and says who held it; `None` if nobody did. Refuses while the holder shows signs of life, unless
/// `force`.
pub async fn unlock(
    store: &Store,
    owner: &Owner,
    now: Timestamp,
    pace: Pace,
    (reason, force): (&str, bool),
    tell: &dyn Fn(&str),
) -> Result<Option<String>> {
    let (standing, found) = match force {
        true => {
            let standing = Standing::read(store).await?;
            let found = match standing.holder() {
                None if standing.generation == 0 => Found::Free(None),
                Some(holder) if holder.released => Found::Free(Some(holder)),
                holder => Found::Dead(holder),
            };
            (standing, found)
        }
        false => look(store, owner, pace, tell).await?,
    };
    let before = match found {
        Found::Free(_) => return Ok(None),
        Found::Dead(before) => before,
        Found::Alive(holder) => {
            return Err(Diagnostic::new(Kind::Locked, "the lock is not freed: its holder is at work")
                .note(format!("{} holds it", described(&holder)))
                .help("end that process; its lock is free at once")
                .help("--force frees the lock all the same: that run then stops before it publishes anything"));
        }
    };
    let held_by = before.as_ref().map_or_else(|| "a holder whose record cannot be read".into(), described);
    let unlocked = Unlocked { reason: reason.to_owned(), at: now, held_by: held_by.clone(), forced: force };
    let own = store.beside();
    let holder = Holder {
        owner: owner.clone(),
        since: now,
        beat: 0,
        released: true,
        interrupted: None,
        unlocked: Some(unlocked),
    };
    next(&own, &standing, &holder).await?;
    own.sync()?;
    Ok(Some(held_by))
}

/// Finds out what can be known of the newest holder, if need be by watching it.
async fn look(store: &Store, owner: &Owner, pace: Pace, tell: &dyn Fn(&str)) -> Result<(Standing, Found)> {
    let standing = Standing::read(store).await?;
    let holder = match standing.holder() {
        None if standing.generation == 0 => return Ok((standing, Found::Free(None))),
        Some(holder) if holder.released => return Ok((standing, Found::Free(Some(holder)))),
        holder => holder,
    };
    if let Some(holder) = holder.as_ref().filter(|holder| holder.owner.is_near(owner))
        && let Some(at) = holder.owner.process_started
    {
        let found = match started(holder.owner.process) == Some(at) {
            true => Found::Alive(Box::new(holder.clone())),
            false => Found::Dead(Some(holder.clone())),
        };
        return Ok((standing, found));
    }
    let who = holder.as_ref().map_or_else(|| "somebody".into(), described);
    tell(&format!(
        "{who} holds the lock and cannot be seen from here: waiting up to {} s for a sign of life",
        pace.patience.as_secs()
    ));
    watch(store, standing, pace).await
}

/// Watches a record that only its changes tell of.
async fn watch(store: &Store, first: Standing, pace: Pace) -> Result<(Standing, Found)> {
    let step = (pace.beat / 5).max(Duration::from_millis(1));
    let mut waited = Duration::ZERO;
    while waited < pace.patience {
        // Nothing else is under way yet, and a signal ends the process from its own thread.
        std::thread::sleep(step);
        waited += step;
        let now = Standing::read(store).await?;
        if now.is_same(&first) {
            continue;
        }
        let found = match now.holder() {
            Some(holder) if holder.released => Found::Free(Some(holder)),
            Some(holder) => Found::Alive(Box::new(holder)),
            // Gone, or being replaced at this moment: look again.
            None => continue,
        };
        return Ok((now, found));
    }
    let holder = first.holder();
    Ok((first, Found::Dead(holder)))
}

/// The digits of a generation in its file's name.
const GENERATION_DIGITS: usize = 12;

/// Puts the next generation, and removes those before it.
async fn next(store: &Store, standing: &Standing, holder: &Holder) -> Result<String> {
    let path = format!("{FOLDER}/{:0GENERATION_DIGITS$}.json", standing.generation + 1);
    if !store.put_absent(&path, text(holder)).await? {
        return Err(Diagnostic::new(Kind::Locked, "another run took the lock at the same moment").help("run again"));
    }
    for old in &standing.paths {
        store.remove(old).await?;
    }
    Ok(path)
}

impl Lock {
    /// An error if another run holds the lock by now.
    pub async fn confirm(&self) -> Result<()> {
        match is_held(&self.store, &self.path, &self.holder).await? {
            true => Ok(()),
            false => Err(Diagnostic::new(Kind::Locked, "this run lost its lock and stops")
                .note("another run took it over, or `scorebook unlock` freed it; nothing of this run was published")
                .note("a run loses its lock if it shows no sign of life for half a minute, as a machine that sleeps")
                .help("wait for the other run to finish, then run again: what was made is kept and will be found")),
        }
    }

    /// Gives the lock back. After a seal the next run need not tell again that it was freed by hand.
    pub fn release(self, sealed: bool) -> Result<()> {
        self.keeper.release(None, sealed)
    }
}

/// The thread that shows the signs of life. It alone writes the record.
#[derive(Debug)]
struct Keeper {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// To give the lock back.
struct Order {
    interrupted: Option<String>,
    sealed: bool,
    done: Sender<Result<()>>,
}

impl Keeper {
    fn start(store: Store, path: String, holder: Holder, beat: Duration) -> Result<Keeper> {
        let failed = |error: std::io::Error| Diagnostic::internal(format!("cannot start a thread: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
        let (orders, inbox) = channel();
        let keep = move || runtime.block_on(keep(&store, &path, holder, beat, &inbox));
        let thread = std::thread::Builder::new().name("lock".into()).spawn(keep).map_err(failed)?;
        Ok(Keeper { orders, thread: Some(thread) })
    }

    /// What gives the lock back from another thread because of a signal.
    fn releaser(&self) -> impl Fn(&str) + Send + 'static {
        let orders = self.orders.clone();
        move |signal| {
            // A lock that cannot be given back is taken over by the next run.
            let _ = release_by(&orders, Some(signal.to_owned()), false);
        }
    }

    fn release(mut self, interrupted: Option<String>, sealed: bool) -> Result<()> {
        let released = release_by(&self.orders, interrupted, sealed);
        self.join();
        released
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = release_by(&self.orders, None, false);
            self.join();
        }
    }
}

/// Has the keeper give the lock back, and waits until it has.
fn release_by(orders: &Sender<Order>, interrupted: Option<String>, sealed: bool) -> Result<()> {
    let (done, answer) = channel();
    // A keeper that is gone has given it back, or has nothing to give back.
    if orders.send(Order { interrupted, sealed, done }).is_err() {
        return Ok(());
    }
    answer.recv().unwrap_or(Ok(()))
}

/// Beats until it is told to stop, or another run holds the lock.
async fn keep(store: &Store, path: &str, mut holder: Holder, beat: Duration, inbox: &Receiver<Order>) {
    loop {
        let order = inbox.recv_timeout(beat);
        // Who cannot look cannot know. The seal looks again, and the ledger is the last fence.
        let ours = is_held(store, path, &holder).await.unwrap_or(true);
        match order {
            Err(RecvTimeoutError::Timeout) if ours => {
                holder.beat += 1;
                // One that cannot be written is like one that was missed; the next may succeed.
                let _ = store.put(path, text(&holder)).await;
            }
            Ok(order) => {
                holder.released = true;
                holder.interrupted = order.interrupted;
                if order.sealed {
                    holder.unlocked = None;
                }
                let released = match ours {
                    true => give_back(store, path, &holder).await,
                    false => Ok(()),
                };
                let _ = order.done.send(released);
                return;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Writes that the lock is given back, or takes the record away: that needs no room on a full disk.
async fn give_back(store: &Store, path: &str, holder: &Holder) -> Result<()> {
    match store.put(path, text(holder)).await {
        Ok(()) => store.sync().map(drop),
        Err(_) => store.remove(path).await,
    }
}

/// Whether the newest record is still that holder's. A record that was taken away leaves its generation to be used again, so the
/// path alone would not tell.
async fn is_held(store: &Store, path: &str, holder: &Holder) -> Result<bool> {
    let newest = store.list(FOLDER).await?.into_iter().next_back();
    if newest.is_none_or(|newest| newest.path != path) {
        return Ok(false);
    }
    let record = store.find(path).await?.unwrap_or_default();
    let standing = serde_json::from_slice::<Holder>(&record);
    Ok(standing.is_ok_and(|standing| (&standing.owner, standing.since) == (&holder.owner, holder.since)))
}

fn text(holder: &Holder) -> Vec<u8> {
    crate::domain::json::canonical(holder).into_bytes()
}

fn generation(path: &str) -> Option<u64> {
    let digits = path.strip_prefix("lock/")?.strip_suffix(".json")?;
    // As this program writes them: what is called otherwise is no generation.
    (digits.len() == GENERATION_DIGITS).then(|| digits.parse().ok()).flatten()
}

fn described(holder: &Holder) -> String {
    format!("process {} on {} (since {})", holder.owner.process, holder.owner.host, holder.since)
}

fn held_by(holder: &Holder) -> Box<Diagnostic> {
    Diagnostic::new(Kind::Locked, "another run is under way")
        .note(format!("{} holds the lock", described(holder)))
        .help("wait until it has finished")
        .help("if it hangs, end that process: its lock is free then; `scorebook unlock` frees it by hand")
}

/// When a process of this machine started, in ticks since the machine did; `None` if it is gone, or on a system
/// without `/proc`.
fn started(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything: count from behind it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    // A zombie is dead: it only waits for its parent to notice.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests;
