//! `scorebook show`: one run of the history.

use crate::cli::{Format, Global, ShowArgs};
use crate::command::opened::Opened;
use crate::command::output::{self, Table};
use crate::command::period;
use crate::diagnostic::Result;
use crate::domain::json;

pub(super) async fn show(global: &Global, args: ShowArgs) -> Result<()> {
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let entry = ledger.find(&args.run)?;
    if global.format == Format::Json {
        return output::write(&format!("{}\n", json::canonical(entry)));
    }
    let mut exports = Table::new(&[
        "export",
        "data date",
        "read",
        "rejected",
        "skipped",
        "quarantined",
        "current",
        "superseded",
        "deleted",
        "into",
    ]);
    for b in &entry.balance {
        let counts = [b.read, b.rejected, b.skipped, b.quarantined, b.current, b.superseded, b.deleted];
        let counts = counts.map(|count| count.to_string());
        exports.row([b.path.clone(), b.data_date.clone()].into_iter().chain(counts).chain([b.into.clone()]));
    }
    if global.format == Format::Csv {
        return output::write(&exports.render(Format::Csv));
    }
    let mut scores = Table::new(&["metric", "scores", "digest"]);
    for (metric, table) in &entry.scores {
        let digest = table.digest.to_string()[..16].to_owned();
        let never = table.not_supplied.as_ref().filter(|not| not.is_always());
        scores.row([
            metric.clone(),
            table.rows.to_string(),
            never.map_or(digest, |not| not.reason(|day| day.to_string())),
        ]);
    }
    let mut documents = Table::new(&["document", "formats", "key"]);
    for document in &entry.documents {
        let formats: Vec<&str> = document.files.keys().map(String::as_str).collect();
        documents.row([document.view.clone(), formats.join(" "), document.key.to_string()[..16].to_owned()]);
    }
    let unlocked = entry.unlocked.as_ref().map_or_else(String::new, |unlocked| {
        let (at, of) = (unlocked.at, output::printable(&unlocked.held_by));
        let reason = output::one_line(&unlocked.reason);
        format!("the lock was freed by hand before it, at {at}, of {of}: {reason}\n")
    });
    let text = format!(
        "Run {}\nstarted {}, sealed {}\n{}, {}, {}\nhash     {}\nprevious {}\n{unlocked}\n{}\n{}\n{}",
        period::title(entry),
        entry.started_at,
        entry.sealed_at,
        format_args!("scorebook {}", entry.program),
        entry.program.engine,
        entry.program.typesetter,
        entry.hash.map(|hash| hash.to_string()).unwrap_or_default(),
        entry.previous.map_or_else(|| "none".into(), |hash| hash.to_string()),
        exports.render(Format::Table),
        scores.render(Format::Table),
        documents.render(Format::Table),
    );
    output::write(&text)
}
