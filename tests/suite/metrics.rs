//! The metric tests that ship with the definitions.

use crate::project::Project;

#[test]
fn every_metric_has_a_test_and_passes_it() {
    let said = Project::empty().scorebook(&["test"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    assert!(!said.stderr.contains("without a test"), "{}", said.stderr);
}
