//! Work that finds a stored object damaged is done once more: the step that made the object is not recalled any longer, and
//! what it makes again heals it.

use crate::command::output::tell;
use crate::diagnostic::{Kind, Result};
use crate::steps::Steps;
use crate::store::Store;
use std::collections::BTreeSet;

/// So many names are told on the terminal.
const TOLD: usize = 5;

/// Does the work until no damage is found in it that was not known before.
///
/// # Errors
/// Those of the work, such as a damaged object that nothing makes again.
pub(super) async fn healing<T>(store: &Store, mut work: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut known = BTreeSet::new();
    loop {
        let done = work().await;
        let Err(error) = &done else { return done };
        let damaged = store.damaged();
        if error.kind != Kind::Verification || damaged.is_subset(&known) {
            return done;
        }
        damaged.difference(&known).for_each(|path| tell(&format!("{path} is damaged; what made it is done again")));
        known.extend(damaged);
    }
}

/// Tells what was not believed and was made again: somebody should look at the disk, or at who writes to it.
pub(super) fn tell_healed(store: &Store, steps: &Steps<'_>) {
    let (healed, disbelieved) = (store.healed(), steps.disbelieved());
    if !healed.is_empty() {
        let what = if healed.len() == 1 { "1 stored object" } else { &format!("{} stored objects", healed.len()) };
        tell(&format!("warning: {what} had other bytes than were written, and the right ones were made again"));
        names(&healed);
        tell(
            "  help: look at the disk, and at who may write to the warehouse; `scorebook verify` says what else is damaged",
        );
    }
    if !disbelieved.is_empty() {
        let what = if disbelieved.len() == 1 { "1 step" } else { &format!("{} steps", disbelieved.len()) };
        tell(&format!("warning: {what} of the cache are not as this version writes them, and were made again"));
        names(&disbelieved);
    }
}

fn names(all: &BTreeSet<String>) {
    all.iter().take(TOLD).for_each(|name| tell(&format!("  {name}")));
    if all.len() > TOLD {
        tell(&format!("  and {} more", all.len() - TOLD));
    }
}
