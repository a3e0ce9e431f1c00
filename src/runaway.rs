//! A question that takes far more memory than queries may ends the process with a sentence, before the machine ends whatever
//! it likes. A pool knows what sorts and joins hold; one cell can be as large as its text says (`REPEAT('x', 2000000000)`), and
//! no pool sees that.

use crate::at_work;
use crate::diagnostic::{Diagnostic, Kind, Result};
use std::sync::OnceLock;
use std::time::Duration;

/// How often the process is looked at: in between, one core fills some hundred megabytes.
const EVERY: Duration = Duration::from_millis(50);
/// What the process itself may take beside its queries.
const BESIDE_BYTES: usize = 512 << 20;

/// Prints an error, and ends the process with a code and without further ado.
type Ending = (fn(&Diagnostic), fn(i32));
static ENDING: OnceLock<Ending> = OnceLock::new();

/// Says how the process ends, if it comes to that.
pub fn prepare(tell: fn(&Diagnostic), exit: fn(i32)) {
    // The first one counts; there is one process.
    let _ = ENDING.set((tell, exit));
}

/// Watches the process from now on, if the system tells how much it takes: twice what queries may, and what it is itself.
///
/// # Errors
/// If the machine gives no thread.
pub fn watch(limit_bytes: usize) -> Result<()> {
    let (Some((tell, exit)), Some(_)) = (ENDING.get().copied(), resident_bytes()) else { return Ok(()) };
    let most = limit_bytes.saturating_mul(2).saturating_add(BESIDE_BYTES);
    let watch = move || {
        loop {
            std::thread::sleep(EVERY);
            if let Some(bytes) = resident_bytes().filter(|bytes| *bytes > most) {
                at_work::end("memory", |_| tell(&too_large(bytes, limit_bytes)));
                exit(i32::from(Kind::Project.exit_code()));
            }
        }
    };
    let thread = std::thread::Builder::new().name("memory".into()).spawn(watch);
    thread.map(drop).map_err(|error| Diagnostic::internal(format!("cannot start a thread: {error}")))
}

fn too_large(bytes: usize, limit_bytes: usize) -> Box<Diagnostic> {
    Diagnostic::project("this question takes more memory than the machine should give")
        .note(format!("the process had grown to {} MiB; memory_mib is {}", bytes >> 20, limit_bytes >> 20))
        .help("ask for fewer rows or columns at once, or add them up; one cell can be very large too, as in REPEAT('x', 1000000000)")
        .help("if the machine has more to give, raise `memory_mib` under [engine] in scorebook.toml")
}

/// What the process takes now; `None` where the system does not tell.
fn resident_bytes() -> Option<usize> {
    told("VmRSS:")
}

/// The most that it took so far.
pub fn resident_peak_bytes() -> Option<usize> {
    told("VmHWM:")
}

fn told(of: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(of))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}
