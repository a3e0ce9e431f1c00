//! `scorebook unlock`: frees the lock of a run that is gone and could not give it back.
//!
//! It is hardly ever needed: a dead process of this machine gives way at once, any other after half a minute without a sign of
//! life. It is for a holder that lives and hangs.

use crate::cli::{Global, UnlockArgs};
use crate::command::opened::{Opened, now, owner};
use crate::command::output::{self, one_line};
use crate::diagnostic::{Diagnostic, Result};
use crate::lock::{self, Pace};

/// A reason is a sentence, and no file.
const LONGEST_REASON: usize = 500;

pub(super) async fn unlock(global: &Global, args: UnlockArgs) -> Result<()> {
    output::refuse_csv(global.format, "unlock")?;
    let reason = one_line(args.reason.trim());
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(Diagnostic::usage(format!("a reason has 1 to {LONGEST_REASON} letters"))
            .help("say it in a sentence: --reason \"the pod was evicted\""));
    }
    let opened = Opened::existing(global)?;
    let asked = (reason.as_str(), args.force);
    let freed = lock::unlock(&opened.store, &owner(), now(), Pace::default(), asked, &output::tell).await?;
    if global.format == crate::cli::Format::Json {
        let said = serde_json::json!({ "freed": freed.is_some(), "held_by": freed });
        return output::write(&format!("{said:#}\n"));
    }
    output::write(&match freed {
        Some(held_by) => {
            format!("The lock is free. {} held it. The next run tells of it.\n", output::printable(&held_by))
        }
        None => "Nobody holds the lock.\n".to_owned(),
    })
}
