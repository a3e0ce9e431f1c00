//! A run that is told to end says so, gives its lock back and can be gone on with, whatever it was doing.

use crate::project::{Project, Said};
use serde_json::{Value, json};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The signals that ask a process to end: name and number.
pub const SIGNALS: [(&str, i32); 3] = [("INT", 2), ("TERM", 15), ("HUP", 1)];

/// Those of them that a process started here heeds: `nohup` has all that it starts ignore that the terminal is gone.
pub fn signals() -> impl Iterator<Item = (&'static str, i32)> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    SIGNALS.into_iter().filter(move |(_, number)| ignored >> (number - 1) & 1 == 0)
}

/// Starts a command whose last words are kept.
pub fn start(project: &Project, arguments: &[&str]) -> Child {
    project.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a process.
pub fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

/// The newest record of the lock.
pub fn lock(project: &Project) -> Option<Value> {
    let newest = project.files("warehouse/lock").into_iter().rfind(|name| name.ends_with(".json"))?;
    // A run that takes the lock removes the record before its own.
    serde_json::from_slice(&std::fs::read(project.path("warehouse/lock").join(newest)).ok()?).ok()
}

/// Waits until something is so.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(120), "it never came to be");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_ends_a_run_with_a_sentence_and_a_free_lock() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    for (signal, number) in signals() {
        let child = start(&project, &["run"]);
        wait_until(|| lock(&project).is_some_and(|lock| lock["released"] == json!(false)));
        send(&child, signal);
        let said = Said::of(child.wait_with_output().unwrap()).expect_code(128 + number);
        let first = format!("error: SIG{signal} ended `scorebook run`");
        assert!(said.stderr.contains(&first), "{}", said.stderr);
        assert!(said.stderr.contains("nothing of this run was published"), "{}", said.stderr);
        assert!(said.stderr.contains("run it again: what was made is kept"), "{}", said.stderr);
        let lock = lock(&project).unwrap();
        assert_eq!((&lock["released"], &lock["interrupted"]), (&json!(true), &json!(format!("SIG{signal}"))));
        assert!(project.files("warehouse/ledger").is_empty());
    }
    // The lock is free: nothing is said of a run that was killed.
    let said = project.scorebook(&["run", "--quiet"]).expect_code(0);
    assert!(!said.stderr.contains("was killed"), "{}", said.stderr);
}

/// `replay` computes in a folder of its own, which no signal may leave behind.
#[test]
fn a_signal_leaves_no_temporary_files() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.run(&[]);
    let temporary = project.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    for (signal, number) in signals() {
        let mut replay = project.command(&["replay", "--quiet"]);
        let child = replay.env("TMPDIR", &temporary).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until(|| project.files("temporary").iter().any(|file| file.ends_with(".parquet")));
        send(&child, signal);
        let said = Said::of(child.wait_with_output().unwrap()).expect_code(128 + number);
        assert!(said.stderr.contains(&format!("error: SIG{signal} ended `scorebook replay`")), "{}", said.stderr);
        let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_second_signal_ends_at_once_and_nohup_is_heeded() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    let child = start(&project, &["run", "--quiet"]);
    wait_until(|| lock(&project).is_some());
    send(&child, "TERM");
    send(&child, "TERM");
    assert_eq!(Said::of(child.wait_with_output().unwrap()).code, 143);
    // A command that `nohup` started goes on when its terminal is gone.
    let run = project.command(&["run", "--quiet"]);
    let mut nohup = std::process::Command::new("nohup");
    nohup.env_clear().arg(run.get_program()).args(run.get_args());
    let child = nohup.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| lock(&project).is_some_and(|lock| lock["released"] == json!(false) && lock["process"] == child.id()));
    send(&child, "HUP");
    Said::of(child.wait_with_output().unwrap()).expect_code(0);
}

/// A holder in another container, as its record stands: nobody can see its process, and nothing counts it up.
fn orphan(project: &Project) {
    project.write(
        "warehouse/lock/000000000001.json",
        r#"{"beat":4,"boot":"b","host":"pod-7","namespace":"pid:[1]","process":1,"process_started":7,"released":false,"since":"2026-09-30T02:00:00Z"}"#,
    );
}

#[test]
fn a_lock_that_nobody_gives_back_is_freed_by_hand_and_the_ledger_tells() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.scorebook(&["unlock", "--reason", "?"]).expect_code(2);
    orphan(&project);
    project.scorebook(&["unlock"]).expect_code(2);
    project.scorebook(&["unlock", "--reason", " "]).expect_code(2);
    let said = project.scorebook(&["unlock", "--reason", "pod-7 was evicted", "--force"]).expect_code(0);
    assert!(said.stdout.contains("process 1 on pod-7"), "{}", said.stdout);
    let said = project.scorebook(&["unlock", "--reason", "once more"]).expect_code(0);
    assert!(said.stdout.contains("Nobody holds the lock"), "{}", said.stdout);
    let said = project.scorebook(&["run", "--quiet"]).expect_code(0);
    assert!(said.stderr.contains("freed by hand") && said.stderr.contains("pod-7 was evicted"), "{}", said.stderr);
    let unlocked = &project.entry(1)["unlocked"];
    assert_eq!((&unlocked["reason"], &unlocked["forced"]), (&json!("pod-7 was evicted"), &json!(true)));
    let said = project.scorebook(&["show"]).expect_code(0);
    assert!(said.stdout.contains("pod-7 was evicted"), "{}", said.stdout);
    project.scorebook(&["verify"]).expect_code(0);
    project.scorebook(&["run", "--quiet"]).expect_code(0);
    assert_eq!(project.entry(2)["unlocked"], Value::Null);
    // Who lives keeps the lock.
    let child = start(&project, &["run", "--quiet", "--rehash"]);
    wait_until(|| lock(&project).is_some_and(|lock| lock["released"] == json!(false)));
    let said = project.scorebook(&["unlock", "--reason", "impatience"]);
    let done = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.code, done.code), (7, 0), "{}{}", said.stderr, done.stderr);
    assert!(said.stderr.contains("its holder is at work"), "{}", said.stderr);
}

/// The lock of a killed container, with the same process number as one that lives here: taken over without being freed.
#[test]
fn the_lock_of_a_killed_container_is_taken_over() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    orphan(&project);
    let said = project.scorebook(&["check", "--quiet"]).expect_code(0);
    assert!(said.stderr.contains("process 1 on pod-7") && said.stderr.contains("a sign of life"), "{}", said.stderr);
}
