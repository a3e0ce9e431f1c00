//! A company's tables as exports that are landed and staged: only so is its money converted.

use super::company::Company;
use super::tables::Text;
use scorebook::artifact::model::Model;
use scorebook::diagnostic::Result;
use scorebook::pipeline::land::{self, Known};
use scorebook::pipeline::stage;
use scorebook::run_context::RunContext;
use scorebook::settings::Source;
use std::collections::BTreeMap;
use std::path::Path;

/// What staging puts before every id.
pub const PREFIX: &str = "crm:";

/// What the model requires and scores do not need, by table.
const REQUIRED: [(&str, &str); 5] = [
    ("reps", ", rep_id AS name"),
    ("teams", ", team_id AS name"),
    ("accounts", ", account_id AS name"),
    ("opportunities", ", opportunity_id AS name"),
    ("stages", ", '1' AS position, '1' AS probability"),
];

/// The source of the exports.
pub fn sources() -> BTreeMap<String, Source> {
    let tables = Company::of(0, &["bookings"]).tables();
    let tables: Vec<String> = tables.iter().map(|table| format!("{} = {{ fold = \"full\" }}", table.name)).collect();
    let source = format!("path = \"exports/{{date}}/{{table}}.csv\"\ntables = {{ {} }}", tables.join(", "));
    BTreeMap::from([("crm".to_owned(), toml::from_str(&source).unwrap())])
}

/// The definitions that stage them.
pub fn staging() -> Vec<(String, Vec<u8>)> {
    let file = |table: &Text| {
        // The engine fills this one.
        let columns = table.head.iter().filter(|name| **name != "amount_at_plan");
        let columns: String = columns.map(|name| format!(", \"{name}\"")).collect();
        let name = table.name;
        let more = REQUIRED.iter().find(|(of, _)| *of == name).map_or("", |(_, more)| more);
        let header = format!("/*---\nfrom = \"{name}\"\ninto = \"{name}\"\n---*/\n");
        let text = format!("{header}SELECT \"_row\"{columns}{more}\nFROM \"{name}\"\n");
        (format!("queries/staging/crm/{name}.sql"), text.into_bytes())
    };
    Company::of(0, &["bookings"]).tables().iter().map(file).collect()
}

/// Writes the exports into a folder, and lands and stages them.
pub async fn model(night: &RunContext<'_>, folder: &Path, tables: &[Text]) -> Result<Model> {
    // After every date of the companies: what stood before is what the history says.
    let last = folder.join("exports/2099-12-31");
    std::fs::create_dir_all(&last).unwrap();
    for table in tables {
        let mut text = table.head.join(",") + "\n";
        for row in &table.rows {
            let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
            text += &(cells.join(",") + "\n");
        }
        std::fs::write(last.join(format!("{}.csv", table.name)), text).unwrap();
    }
    let exports = land::find(folder, night.settings).await?;
    let landed = land::run(night, &exports, &Known::default(), &land::Read::new(), None).await?;
    stage::run(night, &landed.snapshots).await
}
