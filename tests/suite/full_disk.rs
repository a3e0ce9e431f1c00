//! A disk that is full: the run says so and where, publishes nothing half, and goes on where there is room again.
//!
//! The disk is a small file system in memory, in a namespace of its own, which needs no rights where the system lets users have
//! such namespaces. Where it does not, the test says that it did nothing.

use crate::project::Project;
use serde_json::Value;
use std::process::{Command, Stdio};

/// How full the disk is in how many ways: a few, and sixteen in CI.
fn levels() -> u64 {
    std::env::var("SCOREBOOK_LEVELS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// A shell in a namespace in which it may mount.
fn shell(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).stdin(Stdio::null());
    command
}

/// Runs twice on a disk of so many KiB that is then enlarged, and gives what was said and left: the parts are divided by lines of
/// four equal signs.
const TWICE: &str = r#"
mount -t tmpfs -o size="$SIZE"k tmpfs "$DISK" || exit 99
mkdir "$DISK/tmp" && export TMPDIR="$DISK/tmp"
run() { "$@" run --quiet --warehouse "$DISK/warehouse" --reports "$DISK/reports" --site "$DISK/site" 2>&1; }
run "$@"; echo "==== $?"
cat "$DISK"/warehouse/lock/*.json; echo "===="
ls "$DISK/warehouse/ledger"; echo "===="
mount -o remount,size=1g "$DISK"
run "$@"; echo "==== $?"
find "$DISK/warehouse" -name '*#*'; echo "===="
"$@" verify --warehouse "$DISK/warehouse" 2>&1; echo "==== $?"
cat "$DISK"/warehouse/ledger/*1.json; echo "===="
"#;

/// What was said and left, part by part.
fn twice(project: &Project, kib: u64) -> Vec<String> {
    let program = project.command(&[]);
    let mut command = shell(TWICE);
    command.arg("sh").arg(program.get_program()).args(program.get_args());
    command.env("SIZE", kib.to_string()).env("DISK", project.path("disk"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split("====").map(|part| part.trim().to_owned()).collect()
}

#[test]
fn a_full_disk_loses_and_publishes_nothing() {
    let project = Project::generated(2, 13);
    std::fs::create_dir(project.path("disk")).unwrap();
    let probe = shell("mount -t tmpfs tmpfs \"$DISK\"").env("DISK", project.path("disk")).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("a_full_disk_loses_and_publishes_nothing: skipped: this system gives no namespace with a mount");
        return;
    }
    project.run(&[]);
    let undisturbed = project.entry(1);
    let used: u64 = ["warehouse", "reports", "site"].iter().map(|folder| kib(&project, folder)).sum();
    let mut failed = 0;
    for level in 1..=levels() {
        let room = used * level / (levels() + 1);
        let parts = twice(&project, room);
        let place = format!("{room} of {used} KiB");
        let (said, code) = (&parts[0], parts[1].lines().next().unwrap_or_default());
        assert!(code == "1", "{place}: {parts:?}");
        assert!(said.starts_with("error: ") && said.contains("No space left on device"), "{place}: {said}");
        assert!(said.contains("/disk/") && said.contains("help: make room"), "{place}: {said}");
        assert!(!said.contains("panicked"), "{place}: {said}");
        failed += 1;
        // The lock was given back, though there was no room to write so.
        let lock = parts[1].lines().nth(1).unwrap_or_default();
        let free = serde_json::from_str::<Value>(lock).map_or(true, |lock| lock["released"] == true);
        assert!(free, "{place}: {lock}");
        // Either nothing is published, or all that the entry names; only the readable views lack something.
        assert!(parts[2].is_empty() || said.contains("run 1 is sealed and stands"), "{place}: {}", parts[2]);
        assert!(parts[4].starts_with('0') && !parts[3].contains("was killed"), "{place}: {parts:?}");
        assert_eq!(parts[4].lines().nth(1), None, "{place}: leftovers: {}", parts[4]);
        assert!(parts[6].starts_with('0'), "{place}: {}", parts[5]);
        let entry: Value = serde_json::from_str(parts[6].lines().nth(1).unwrap()).unwrap();
        for what in ["model", "scores", "documents"] {
            assert!(entry[what] == undisturbed[what], "{place}: {what}");
        }
    }
    eprintln!("{failed} runs stopped at a full disk of {} levels", levels());
}

/// What a folder takes on a disk, in whole pages, with its folders.
fn kib(project: &Project, folder: &str) -> u64 {
    let files = project.files(folder);
    let sizes = files.iter().map(|file| std::fs::metadata(project.path(folder).join(file)).unwrap().len());
    sizes.map(|size| size.div_ceil(4096) * 4).sum()
}
