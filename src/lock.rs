//! One run at a time: a lock with a lease.
//!
//! A lock is an object `lock/<generation>.json`, put only if absent; the highest generation holds. Whoever takes over
//! from a dead holder puts the next generation, so two that try cannot both succeed. A holder is dead when its lease is
//! over, or, on this machine, as soon as its process is gone.

use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const FOLDER: &str = "lock";
/// How long a lock holds without being renewed.
const LEASE: SignedDuration = SignedDuration::from_mins(60);

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine's name.
    pub host: String,
    /// The process.
    pub process: u32,
    /// When that process started, as the machine tells it, so that a number used again is not taken for it.
    pub process_started: Option<u64>,
    /// When the lock was taken.
    pub since: Timestamp,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
    /// Whether the holder gave it back.
    pub released: bool,
}

/// The lock, held.
pub struct Lock<'a> {
    store: &'a Store,
    path: String,
    holder: Holder,
    /// Whether the one before died with it.
    pub taken_over: bool,
}

/// Takes the lock. `now` is the wall clock's.
pub async fn take<'a>(store: &'a Store, host: &str, now: Timestamp) -> Result<Lock<'a>> {
    let standing = store.list(FOLDER).await?;
    let generation = standing.last().and_then(|listed| generation(&listed.path)).unwrap_or(0);
    let mut taken_over = false;
    if let Some(last) = standing.last()
        && let Some(bytes) = store.find(&last.path).await?
        && let Ok(holder) = serde_json::from_slice::<Holder>(&bytes)
    {
        if !holder.released && !is_dead(&holder, host, now) {
            return Err(held_by(&holder));
        }
        taken_over = !holder.released;
    }
    let process = std::process::id();
    let holder = Holder {
        host: host.to_owned(),
        process,
        process_started: started(process),
        since: now,
        until: now + LEASE,
        released: false,
    };
    let path = format!("{FOLDER}/{:012}.json", generation + 1);
    if !store.put_absent(&path, text(&holder)).await? {
        return Err(Diagnostic::new(Kind::Locked, "another run took the lock at the same moment").help("run again"));
    }
    for old in standing {
        store.remove(&old.path).await?;
    }
    Ok(Lock { store, path, holder, taken_over })
}

impl Lock<'_> {
    /// Renews the lease. An error if another run holds the lock by now.
    pub async fn renew(&mut self, now: Timestamp) -> Result<()> {
        match self.store.list(FOLDER).await?.last() {
            Some(last) if last.path == self.path => {}
            _ => {
                return Err(Diagnostic::new(Kind::Locked, "another run took over the lock")
                    .note("this run was silent for longer than its lease"));
            }
        }
        self.holder.until = now + LEASE;
        self.store.put(&self.path, text(&self.holder)).await
    }

    /// Gives the lock back.
    pub async fn release(mut self) -> Result<()> {
        self.holder.released = true;
        self.store.put(&self.path, text(&self.holder)).await?;
        self.store.sync().map(drop)
    }
}

/// Gives back the lock that this very process holds, if it does.
pub async fn release_own(store: &Store, host: &str) -> Result<()> {
    let process = std::process::id();
    for listed in store.list(FOLDER).await? {
        let Some(bytes) = store.find(&listed.path).await? else { continue };
        let Ok(mut holder) = serde_json::from_slice::<Holder>(&bytes) else { continue };
        if holder.host == host && holder.process == process && !holder.released {
            holder.released = true;
            store.put(&listed.path, text(&holder)).await?;
        }
    }
    Ok(())
}

fn text(holder: &Holder) -> Vec<u8> {
    crate::domain::json::canonical(holder).into_bytes()
}

fn generation(path: &str) -> Option<u64> {
    path.strip_prefix("lock/")?.strip_suffix(".json")?.parse().ok()
}

fn is_dead(holder: &Holder, host: &str, now: Timestamp) -> bool {
    // Whether a process of this machine lives can be seen; of another machine only the lease tells.
    match holder.process_started {
        Some(started_at) if holder.host == host => started(holder.process) != Some(started_at),
        _ => holder.until < now,
    }
}

fn held_by(holder: &Holder) -> Box<Diagnostic> {
    Diagnostic::new(Kind::Locked, "another run is under way")
        .note(format!("process {} on {} holds the lock since {}", holder.process, holder.host, holder.since))
        .help("wait until it has finished")
        .help(format!("if it hangs, end it; without a sign of life its lock ends at {}", holder.until))
}

/// When a process of this machine started, in ticks since the machine did; `None` if it is gone, or on a system
/// without `/proc`, where a dead holder's lease must run out.
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_one_holds_and_the_dead_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-10-01T02:00:00Z".parse().unwrap();
        let lock = take(&store, "a", now).await.unwrap();
        assert_eq!(take(&store, "b", now).await.err().unwrap().kind, Kind::Locked);
        lock.release().await.unwrap();
        let mut second = take(&store, "b", now).await.unwrap();
        assert!(!second.taken_over);
        second.renew(now).await.unwrap();
        // This process lives, so on its own machine it holds however long it was silent.
        assert!(take(&store, "b", now + SignedDuration::from_hours(9)).await.is_err());
        let third = take(&store, "a", now + SignedDuration::from_mins(61)).await.unwrap();
        assert!(third.taken_over);
        assert_eq!(second.renew(now).await.unwrap_err().kind, Kind::Locked);
    }

    #[tokio::test]
    async fn a_killed_process_gives_way_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-10-01T02:00:00Z".parse().unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let holder = Holder {
            host: "a".into(),
            process: child.id(),
            process_started: started(child.id()),
            since: now,
            until: now + LEASE,
            released: false,
        };
        store.put("lock/000000000001.json", text(&holder)).await.unwrap();
        assert!(take(&store, "a", now).await.is_err());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(take(&store, "a", now).await.unwrap().taken_over);
    }
}
