//! `scorebook runs`: the history.

use crate::cli::Global;
use crate::command::opened::Opened;
use crate::command::output::Table;
use crate::command::output::print;
use crate::diagnostic::Result;

pub(super) async fn runs(global: &Global) -> Result<()> {
    let opened = Opened::existing(global)?;
    let mut table =
        Table::new(&["run", "as of", "period", "known at", "sealed at", "exports", "documents", "made", "hash"]);
    for entry in opened.ledger().await?.entries {
        table.row([
            entry.number.to_string(),
            entry.as_of.to_string(),
            entry.period.map_or_else(String::new, |asked| asked.name),
            entry.known_at.map_or_else(String::new, |known| known.to_string()),
            entry.sealed_at.split('.').next().unwrap_or_default().trim_end_matches('Z').to_owned() + "Z",
            entry.observations.len().to_string(),
            entry.documents.len().to_string(),
            entry.work.render.made.to_string(),
            entry.hash.map(|hash| hash.to_string()[..16].to_owned()).unwrap_or_default(),
        ]);
    }
    print(&table, global.format)
}
