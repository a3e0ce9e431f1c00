//! `scorebook verify`: recomputes canonical form, chain and digests. Nothing is taken on trust, least of all the cache.

use crate::cli::{Format, Global, VerifyArgs};
use crate::command::Opened;
use crate::command::output::{self, Table};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::digest::Digest;
use crate::ledger::{Entry, FOLDER as LEDGER};
use std::collections::BTreeMap;

/// The folders whose objects are named by what they are.
const IMMUTABLE: [&str; 7] = ["raw", "rejects", "model", "quarantine", "scores", "documents", "definitions"];

pub(super) async fn verify(global: &Global, args: VerifyArgs) -> Result<Option<Kind>> {
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let mut table = Table::new(&["object", "finding"]);
    let mut named: BTreeMap<String, Digest> = BTreeMap::new();
    for entry in &ledger.entries {
        named.extend(entry.objects());
    }
    let mut failed = 0;
    for entry in &ledger.entries {
        let path = Entry::path(entry.number);
        if !entry.is_canonical(&opened.store.get(&path).await?) {
            failed += 1;
            table.row([path.as_str(), "it is not in canonical form"]);
        }
    }
    for (path, digest) in &named {
        let finding = match opened.store.exists(path).await? {
            false => "missing",
            true if opened.store.digest(path).await? != *digest => "its bytes are not what its name says",
            true => continue,
        };
        failed += 1;
        table.row([path.as_str(), finding]);
    }
    let mut unnamed = 0;
    for folder in IMMUTABLE {
        for listed in opened.store.list(folder).await?.iter().filter(|listed| !named.contains_key(&listed.path)) {
            let name = listed.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
            if opened.store.digest(&listed.path).await?.to_string() == name {
                unnamed += 1;
                continue;
            }
            failed += 1;
            table.row([listed.path.as_str(), "no entry names it, and its name is not its digest"]);
        }
    }
    for listed in opened.store.list(LEDGER).await? {
        let entry = ledger.entries.iter().any(|entry| {
            let path = Entry::path(entry.number);
            listed.path == path || listed.path == path.replace(".json", ".minisig")
        });
        if !entry {
            failed += 1;
            table.row([listed.path.as_str(), "it is no entry of the ledger"]);
        }
    }
    if ledger.entries.is_empty() {
        failed += 1;
        table.row([LEDGER, "there is no entry"]);
    }
    let leftovers = opened.store.leftovers();
    let head = ledger.head().map(|hash| hash.to_string()).unwrap_or_default();
    if let Some(expected) = &args.expect_head
        && *expected != head
    {
        failed += 1;
        table.row([LEDGER, "its newest entry is not the expected one: entries were taken away, or added"]);
    }
    if global.format != Format::Table {
        output::write(&table.render(global.format))?;
    } else if failed == 0 {
        let mut text =
            format!("{} entries and {} objects are what the ledger says\n", ledger.entries.len(), named.len());
        if unnamed > 0 {
            text.push_str(&format!("{unnamed} objects are sound and named by no entry, as a killed run leaves them\n"));
        }
        if !leftovers.is_empty() {
            text.push_str(&format!(
                "{} unfinished files of a killed writer are there; the next run removes them\n",
                leftovers.len()
            ));
        }
        text.push_str(&format!("head {head}\n"));
        output::write(&text)?;
    } else {
        output::write(&table.render(Format::Table))?;
    }
    if failed == 0 {
        return Ok(None);
    }
    let first = table.rows.first().and_then(|row| row[0].clone()).unwrap_or_default();
    Err(Diagnostic::new(Kind::Verification, format!("verification failed: {failed} of the objects, {first} first"))
        .note("what the ledger names is not what stands in the warehouse")
        .help("restore the named objects from a backup, and verify again"))
}
