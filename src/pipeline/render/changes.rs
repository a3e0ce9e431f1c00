//! Why a document is made again: what differs between two contexts, in words.

use serde_json::Value;
use std::collections::BTreeSet;

/// So many numbers are told one by one.
const TOLD: usize = 2;

/// What differs between an earlier context and the present one.
pub fn between(earlier: Option<&[u8]>, present: &str) -> String {
    let parsed = (earlier.map(serde_json::from_slice::<Value>), serde_json::from_str::<Value>(present));
    let (Some(Ok(earlier)), Ok(present)) = parsed else { return "its earlier context is gone".into() };
    let mut told = numbers(&earlier, &present);
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        told.push(format!("{more} more numbers"));
    }
    let parts = parts(&earlier, &present);
    if told.is_empty() {
        return match parts.is_empty() {
            true => "its context is written otherwise".into(),
            false => format!("changed: {}", parts.join(", ")),
        };
    }
    let rest: Vec<&str> = parts.into_iter().filter(|part| *part != "overview").collect();
    match rest.is_empty() {
        true => told.join("; "),
        false => format!("{}; also {}", told.join("; "), rest.join(", ")),
    }
}

/// The numbers of the overview that are printed otherwise: `Bookings, This month: €12,000 -> €15,000`.
fn numbers(earlier: &Value, present: &Value) -> Vec<String> {
    let lines = |context: &Value| context["overview"]["lines"].as_array().cloned().unwrap_or_default();
    let earlier = lines(earlier);
    let mut told = Vec::new();
    for line in lines(present) {
        let Some(before) = earlier.iter().find(|before| before["metric"] == line["metric"]) else { continue };
        let cells = |line: &Value| line["cells"].as_array().cloned().unwrap_or_default();
        for (column, (cell, before)) in cells(&line).iter().zip(cells(before)).enumerate() {
            if cell["value"] != before["value"] || cell["target"] != before["target"] {
                let heading = &present["overview"]["columns"][column]["title"];
                let words = [&line["title"], heading, &before["text"], &cell["text"]];
                let [title, heading, was, is] = words.map(|word| word.as_str().unwrap_or_default());
                told.push(format!("{title}, {heading}: {was} -> {is}"));
            }
        }
    }
    told
}

/// The top-level parts that differ.
fn parts<'a>(earlier: &Value, present: &'a Value) -> Vec<&'a str> {
    let Some(members) = present.as_object() else { return Vec::new() };
    let differing = members.iter().filter(|(name, value)| earlier.get(name.as_str()) != Some(*value));
    let names: BTreeSet<&str> = differing.map(|(name, _)| name.as_str()).collect();
    names.into_iter().collect()
}
