//! Stalled means one thing: the metrics, and the list of deals to act on, name the same deals.

use crate::project::Project;
use std::collections::BTreeSet;

#[test]
fn the_list_and_the_metrics_name_the_same_deals() {
    let project = Project::generated(5, 13).formats(r#"["csv"]"#);
    for report in ["rep_scorecard", "team_review"] {
        std::fs::remove_dir_all(project.path("report_templates").join(report)).unwrap();
    }
    // All of them, and by their ids.
    project.edit("queries/lists/deals_to_act_on.sql", |text| {
        text.replace("limit    = 10", "limit    = 100000")
            .replace("j.deal,\n", "j.opportunity_id AS deal,\n")
            .replace("n.rep_id, n.deal, n.account_id", "n.rep_id, n.opportunity_id, n.deal, n.account_id")
    });
    project.run(&[]);
    let asked = |query: &str| -> Vec<String> {
        let said = project.scorebook(&["sql", "--format", "csv", query]).expect_code(0).stdout;
        said.lines().skip(1).map(String::from).collect()
    };
    let standing = "valid_from <= DATE '2026-09-30' AND (valid_to IS NULL OR DATE '2026-09-30' < valid_to)";
    let facts: BTreeSet<String> =
        asked(&format!("SELECT record_id FROM facts_stalled_opportunities WHERE {standing}")).into_iter().collect();
    assert!(facts.len() > 5, "{facts:?}");
    let score = |metric: &str| {
        asked(&format!(
            "SELECT CAST(value AS BIGINT) FROM scores WHERE metric = '{metric}' AND slice = '' AND level = 'company' \
             AND grain = 'month' AND period_start = DATE '2026-09-01'"
        ))
    };
    assert_eq!(score("stalled_opportunities"), [facts.len().to_string()]);
    let mut listed = BTreeSet::new();
    for document in project.entry(1)["documents"].as_array().unwrap() {
        let digest = document["files"]["json"].as_str().unwrap();
        let text = std::fs::read(project.path(&format!("warehouse/documents/{digest}.json"))).unwrap();
        let context: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let lists = context["lists"].as_array().unwrap();
        let list = lists.iter().find(|list| list["id"] == "deals_to_act_on").unwrap();
        let columns = list["columns"].as_array().unwrap();
        let place = |name: &str| columns.iter().position(|column| column["name"] == name).unwrap();
        for row in list["rows"].as_array().unwrap() {
            let cell = |name: &str| row[place(name)]["raw"].as_str().unwrap_or_default().to_owned();
            if cell("why").contains("usual are about") {
                listed.insert(cell("deal"));
            }
        }
    }
    // What was deleted since stood open then, and is on no list.
    let there: BTreeSet<String> = asked("SELECT opportunity_id FROM opportunities").into_iter().collect();
    assert_eq!(listed, facts.intersection(&there).cloned().collect());
}
