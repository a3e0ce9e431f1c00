//! `kill -9` at any moment: what is published stays, and the next run gets where an undisturbed one does.

use crate::project::{LAST_NIGHT, Project, Random, copy};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a run is killed: a few times, and fifty times in CI.
fn kills() -> usize {
    std::env::var("SCOREBOOK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// What a run gets to: its scores' and documents' digests.
fn reached(entry: &Value) -> (Value, Value) {
    (entry["scores"].clone(), entry["documents"].clone())
}

#[test]
fn a_killed_run_loses_and_publishes_nothing() {
    let project = Project::generated(2, 13);
    project.withhold(LAST_NIGHT);
    project.run(&[]);
    project.bring(LAST_NIGHT);
    let published = project.path("published");
    copy(&project.path("warehouse"), &published);
    let start = Instant::now();
    project.run(&[]);
    let whole = start.elapsed();
    let undisturbed = reached(&project.entry(2));
    let (mut random, mut died) = (Random(50), 0);
    for round in 0..kills() {
        std::fs::remove_dir_all(project.path("warehouse")).unwrap();
        copy(&published, &project.path("warehouse"));
        let moment = whole.mul_f64(random.below(1050) as f64 / 1000.0);
        died += usize::from(kill_after(&project, moment));
        let sealed = project.files("warehouse/ledger").len();
        // The published run can be read and verified, whatever was under way.
        project.scorebook(&["verify"]).expect_code(0);
        project.scorebook(&["sql", "SELECT COUNT(*) FROM scores", "--run", "1"]).expect_code(0);
        let said = project.scorebook(&["run"]).expect_code(0);
        let newest = project.files("warehouse/ledger").len();
        assert_eq!(newest, sealed + 1, "round {round}, after {moment:?}: {}", said.stderr);
        assert!(reached(&project.entry(newest as u64)) == undisturbed, "round {round}, after {moment:?}");
        project.scorebook(&["verify"]).expect_code(0);
        assert!(!project.files("warehouse").iter().any(|file| file.contains('#')), "round {round}: leftovers");
    }
    eprintln!("{died} of {} runs died of it", kills());
    assert!(died > 0);
}

/// Starts a run and kills it; says whether it was still at work.
fn kill_after(project: &Project, moment: Duration) -> bool {
    let mut run = project.command(&["run", "--quiet"]);
    let mut child = run.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

#[test]
fn a_second_run_at_the_same_time_is_refused() {
    let project = Project::generated(2, 13);
    let mut first = project.command(&["run", "--quiet"]);
    let mut child = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    while !project.path("warehouse/lock").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
    let said = project.scorebook(&["run", "--quiet"]).expect_code(7);
    assert!(said.stderr.contains("another run is under way"), "{}", said.stderr);
    assert!(child.wait().unwrap().success());
}
