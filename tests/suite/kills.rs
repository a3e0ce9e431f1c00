//! A run is killed, or asked to end, at any moment: what is published stays, and the next run gets where an undisturbed one does.

use crate::endings::{SIGNALS, lock, send, start};
use crate::project::{LAST_NIGHT, Project, Random, Said, copy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often a run is ended: a few times, and a hundred times in CI.
fn kills() -> usize {
    std::env::var("SCOREBOOK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
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
    let begin = Instant::now();
    project.run(&[]);
    let whole = begin.elapsed();
    let undisturbed = reached(&project.entry(2));
    let (mut random, mut died) = (Random(50), [0; 4]);
    for round in 0..kills() {
        std::fs::remove_dir_all(project.path("warehouse")).unwrap();
        copy(&published, &project.path("warehouse"));
        let moment = whole.mul_f64(random.below(1050) as f64 / 1000.0);
        // KILL, INT, TERM, HUP in turn.
        let polite = round % 4;
        let signal = if polite == 0 { "KILL" } else { SIGNALS[polite - 1].0 };
        let (at_work, said) = end_after(&project, signal, moment);
        let place = format!("round {round}, SIG{signal} after {moment:?}");
        died[polite] += usize::from(at_work && said.code != 0);
        let sealed = project.files("warehouse/ledger").len();
        if polite > 0 {
            ended_politely(&project, signal, &said, sealed, &place);
        }
        // The published run can be read and verified, whatever was under way.
        project.scorebook(&["verify"]).expect_code(0);
        project.scorebook(&["sql", "SELECT COUNT(*) FROM scores", "--run", "1"]).expect_code(0);
        let next = project.scorebook(&["run"]).expect_code(0);
        assert!(polite == 0 || !next.stderr.contains("was killed"), "{place}: {}", next.stderr);
        let newest = project.files("warehouse/ledger").len();
        assert_eq!(newest, sealed + 1, "{place}: {}", next.stderr);
        assert!(reached(&project.entry(newest as u64)) == undisturbed, "{place}");
        project.scorebook(&["verify"]).expect_code(0);
        assert!(!project.files("warehouse").iter().any(|file| file.contains('#')), "{place}: leftovers");
    }
    eprintln!(
        "of {} runs {} died of KILL, {} of INT, {} of TERM, {} of HUP",
        kills(),
        died[0],
        died[1],
        died[2],
        died[3]
    );
    assert!(died.iter().sum::<usize>() > 0);
}

/// Starts a run and sends it a signal; says whether it was still at work, and how it ended.
fn end_after(project: &Project, signal: &str, moment: Duration) -> (bool, Said) {
    let mut child = start(project, &["run", "--quiet"]);
    std::thread::sleep(moment);
    let at_work = child.try_wait().unwrap().is_none();
    if at_work {
        send(&child, signal);
    }
    (at_work, Said::of(child.wait_with_output().unwrap()))
}

/// What a signal that asks leaves: its exit code and a sentence that says what is so, and a lock that was given back. Unless
/// the run had finished before, or had not begun to listen.
fn ended_politely(project: &Project, signal: &str, said: &Said, sealed: usize, place: &str) {
    let number = SIGNALS.iter().find(|(name, _)| *name == signal).unwrap().1;
    match said.code {
        0 => assert_eq!(sealed, 2, "{place}: {}", said.stderr),
        // Killed by the signal itself: the program had not begun.
        -1 => assert_eq!((sealed, said.stderr.as_str()), (1, ""), "{place}"),
        code => {
            assert_eq!(code, 128 + number, "{place}: {}", said.stderr);
            assert!(said.stderr.contains(&format!("SIG{signal} ended `scorebook run`")), "{place}: {}", said.stderr);
            let word = if sealed == 2 { "run 2 is sealed" } else { "nothing of this run was published" };
            assert!(said.stderr.contains(word), "{place}: {}", said.stderr);
        }
    }
    assert!(lock(project).is_none_or(|lock| lock["released"] == json!(true)), "{place}: the lock is held");
}

#[test]
fn a_second_run_at_the_same_time_is_refused() {
    let project = Project::generated(2, 13);
    let mut first = project.command(&["run", "--quiet"]);
    let mut child = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    while lock(&project).is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = project.scorebook(&["run", "--quiet"]).expect_code(7);
    assert!(said.stderr.contains("another run is under way"), "{}", said.stderr);
    assert!(child.wait().unwrap().success());
}
