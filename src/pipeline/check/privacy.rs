//! What the settings keep out of the warehouse: whether it is decided, still there, and hashed by the same key as before.

use crate::artifact::baseline::Baseline;
use crate::artifact::snapshot::Snapshot;
use crate::pipeline::check::exports::Exported;
use crate::pipeline::check::finding::{Found, KEY};
use crate::settings::Table;
use std::collections::BTreeSet;

/// So many columns are named in a title.
const NAMED: usize = 8;

/// Columns of a table's newest night that wait for a decision, and private ones that it has no more.
pub(super) fn of_table(source: &str, name: &str, table: &Table, present: &Exported<'_>) -> Vec<Found> {
    let undecided: BTreeSet<&String> = present.parts.iter().flat_map(|part| &part.undecided).collect();
    let mut found = Vec::new();
    if let Some(first) = undecided.first() {
        let shown: Vec<String> = undecided.iter().take(NAMED).map(|column| format!("`{column}`")).collect();
        let more =
            if undecided.len() > NAMED { format!(" and {} more", undecided.len() - NAMED) } else { String::new() };
        let (are, columns) = if undecided.len() == 1 { ("is", "a column") } else { ("are", "columns") };
        let title =
            format!("{source}.{name} has {columns} that {are} kept out until decided: {}{more}", shown.join(", "));
        found.push(Found::warning("undecided_columns", format!("{source}.{name}"), title).help(format!(
            "the table has private columns, so what neither the settings nor a staging file name is dropped; say what becomes of \
             each: {name} = {{ columns = {{ \"{first}\" = \"drop\" }} }}, or \"keep\", or \"pseudonymise\""
        )));
    }
    let is_there = |column: &str| {
        let mut all = present.parts.iter().flat_map(|part| part.dropped.iter().chain(&part.pseudonymised));
        all.any(|name| table.named(name).is_some_and(|(named, _)| named == column))
    };
    for (column, policy) in table.private().filter(|(column, _)| !is_there(column)) {
        let title = format!(
            "{source}.{name} has no column `{column}` any more, for which the settings say \"{}\"",
            policy.name()
        );
        found.push(
            Found::warning("private_columns", format!("{source}.{name}.{column}"), title).help(
                "nothing of it was written; look whether it was left out on purpose, or stands under another name",
            ),
        );
    }
    found
}

/// A key of pseudonyms that is another than the last run's: nothing of before would match anything from now on.
pub(super) fn key(observed: &[Snapshot], baseline: &Baseline<'_>) -> Option<Found> {
    let earlier = baseline.earlier?;
    let now: BTreeSet<String> = observed.iter().filter_map(|snapshot| snapshot.pseudonym_key.clone()).collect();
    let (number, before) = &earlier.pseudonym_keys;
    if now.is_empty() || now == *before {
        return None;
    }
    if before.is_empty() {
        // Either there were no pseudonyms, or the run was made before fingerprints were kept.
        let had_some = earlier.observations.iter().any(|snapshot| !snapshot.pseudonymised.is_empty());
        let title = format!("run {} does not say by which key its pseudonyms were made", earlier.number);
        let help = "from this run on a changed key is told; look once whether pseudonyms are those of before";
        return had_some.then(|| Found::warning(KEY, "all", title).help(help));
    }
    let title = format!("the key of pseudonyms is not the one of run {number}");
    let first = |keys: &BTreeSet<String>| keys.first().cloned().unwrap_or_default();
    let found = Found::error(KEY, "all", title)
        .note(format!("its fingerprint is {}, and was {}", first(&now), first(before)))
        .note("every pseudonym would be another one, so no record of before would match one from now on");
    Some(
        found.help(
            "set SCOREBOOK_PSEUDONYM_KEY, or the file that SCOREBOOK_PSEUDONYM_KEY_FILE names, to the key of before",
        ),
    )
}
