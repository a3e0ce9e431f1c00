//! What checks found, for people; and how it is accepted.

use crate::artifact::finding::Finding;
use crate::command::output::{self, tell};

/// The override that says what was accepted: names with blanks between.
pub(super) const ACCEPT: &str = "accept";

/// What a run found wrong, for people.
pub(super) fn tell_findings(findings: &[Finding]) {
    for finding in findings {
        let rows = if finding.rows == 0 { String::new() } else { format!(": {}", rows(finding.rows)) };
        let accepted = if finding.accepted { "accepted: " } else { "" };
        tell(&format!("warning: {accepted}{}{rows}", finding.title));
        finding.shown.iter().for_each(|shown| tell(&format!("  {}", output::one_line(shown))));
        tell(&format!("  help: {}", finding.help));
    }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}
