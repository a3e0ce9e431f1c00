//! What a run says of itself, against an independent count of the exports and of the audience.

use crate::independent::Company;
use crate::independent::counts::{self, Counts};
use crate::project::{LAST_NIGHT, NIGHTS, Project};
use serde_json::Value;

/// The counts of a run's report.
fn reported(report: &Value) -> Counts {
    let count = |path: &str| usize::try_from(report.pointer(path).and_then(Value::as_u64).unwrap()).unwrap();
    let documents = ["made", "reused"].map(|what| count(&format!("/documents/{what}"))).iter().sum();
    assert_eq!(count("/documents/failed"), 0);
    Counts {
        exports: 0,
        landed: count("/rows/landed"),
        rejected: count("/rows/rejected"),
        skipped: count("/rows/skipped"),
        quarantined: count("/rows/quarantined"),
        documents,
    }
}

/// The counts of a run's text, as `93 read, 31 new; 58539 records landed, ...`.
fn said(text: &str) -> Counts {
    let line = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.split([',', ';']).map(str::to_owned).collect::<Vec<_>>()
    };
    let count = |parts: &[String], word: &str| -> usize {
        let part = parts.iter().find(|part| part.ends_with(word)).unwrap_or_else(|| panic!("no {word}: {text}"));
        part.split(' ').find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("no number of {word}: {text}"))
    };
    let (exports, documents) = (line("exports"), line("documents"));
    assert_eq!(count(&documents, "failed"), 0);
    Counts {
        exports: count(&exports, "read"),
        landed: count(&exports, "landed"),
        rejected: count(&exports, "rejected"),
        skipped: count(&exports, "skipped"),
        quarantined: count(&exports, "quarantined"),
        documents: count(&documents, "made") + count(&documents, "as they were"),
    }
}

#[test]
fn a_runs_counts_are_those_of_its_exports_and_its_audience() {
    let project = Project::sample().formats(r#"["csv"]"#);
    let text = project.scorebook(&["run", "--quiet"]).expect_code(0).stdout;
    let exports = project.path("sample_data");
    let company = Company::read(&exports, &NIGHTS, LAST_NIGHT.parse().unwrap());
    let counted = counts::of(&exports, &NIGHTS, &company);
    assert!(counted.landed > 10_000 && counted.rejected > 0 && counted.quarantined > 0, "{counted:?}");
    assert_eq!(said(&text), counted, "{text}");
    assert_eq!(reported(&project.run(&[])), Counts { exports: 0, ..counted });
}
