//! What a night needs: no more than it is given, and what queries are charged with is what they take.

use crate::project::Project;

/// A tenth of the default limit for the sample: ten times the sample then fits the limit. (CI runs a larger company; `SCOREBOOK_REPS` says how large.)
#[test]
fn on_one_thread_the_sample_takes_a_tenth_of_the_memory_that_there_is_by_default() {
    let project = Project::sample().formats(r#"["csv"]"#);
    project.edit("scorebook.toml", |settings| settings + "\n[engine]\nmemory_mib = 102\n");
    let memory = &project.run(&["--threads", "1"])["memory"];
    let mib = |what: &str| memory[what].as_u64().unwrap();
    assert_eq!(mib("limit_mib"), 102);
    // What is charged and not held is a limit that is no limit.
    assert!((1..=102).contains(&mib("queries_peak_mib")), "{memory}");
    assert!(mib("queries_peak_mib") < mib("resident_peak_mib"), "{memory}");
}
