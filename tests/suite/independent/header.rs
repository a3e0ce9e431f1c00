//! What a definition's header says of where it is scored. Its numbers come from elsewhere.

use std::path::Path;

use super::people::LEVELS;
use super::periods::GRAINS;

/// Where a metric is scored, and by what it is sliced.
pub struct Header {
    pub id: String,
    pub is_hidden: bool,
    pub levels: Vec<&'static str>,
    pub grains: Vec<&'static str>,
    /// Pairs too.
    pub slices: Vec<String>,
    /// Slices whose lines do not add up to the total: those of several values, and those that stand apart.
    pub loose: Vec<String>,
    /// Whether it counts other metrics' scores.
    pub is_second_order: bool,
    /// `higher`, `lower`, or neither.
    pub better: String,
    /// How many facts it takes to judge by it.
    pub minimum_n: i64,
}

/// The headers of all definitions in a folder, by id.
pub fn read(folder: &Path) -> Vec<Header> {
    let mut found = Vec::new();
    for group in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let group = group.expect("a group's folder").path();
        for file in std::fs::read_dir(&group).expect("a group's folder") {
            let file = file.expect("a definition").path();
            let text = std::fs::read_to_string(&file).expect("a definition is text");
            let id = file.file_stem().expect("a definition has a name").to_string_lossy().into_owned();
            found.push(header(id, &text));
        }
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

fn header(id: String, text: &str) -> Header {
    let (_, text) = text.split_once("/*---").expect("a header");
    let (text, _) = text.split_once("---*/").expect("a header's end");
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{id}: {error}"));
    let list = |name: &str| -> Option<Vec<String>> {
        let texts = table.get(name)?.as_array()?.iter().map(|text| text.as_str().expect("a text").to_owned());
        Some(texts.collect())
    };
    let is_named =
        |names: &Option<Vec<String>>, name: &&str| names.as_ref().is_some_and(|all| all.contains(&(*name).to_owned()));
    let levels = list("levels").or(Some(["rep", "team", "region", "company"].map(str::to_owned).to_vec()));
    let cadence = list("cadence");
    Header {
        is_hidden: table.get("hidden").and_then(toml::Value::as_bool).unwrap_or(false),
        levels: LEVELS.into_iter().filter(|level| is_named(&levels, level)).collect(),
        grains: GRAINS.into_iter().filter(|grain| is_named(&cadence, grain)).collect(),
        loose: [list("multi"), list("apart")].into_iter().flatten().flatten().collect(),
        better: table.get("better").and_then(toml::Value::as_str).unwrap_or_default().to_owned(),
        minimum_n: table.get("minimum_n").and_then(toml::Value::as_integer).unwrap_or(0),
        is_second_order: table.contains_key("reads"),
        slices: [list("slices"), list("pairs")].into_iter().flatten().flatten().collect(),
        id,
    }
}
