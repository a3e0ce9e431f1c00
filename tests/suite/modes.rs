//! Who may read what a run wrote: its owner alone, whatever the umask; and what a killed run leaves.
#![cfg(unix)]

use crate::project::{Project, Said};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The program under a umask that closes nothing, with temporary files of its own.
fn command(project: &Project, arguments: &[&str]) -> Command {
    let program = project.command(arguments);
    let mut command = Command::new("sh");
    command.env_clear().env("TMPDIR", scratch(project)).stdin(Stdio::null());
    command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
    command
}

fn run(project: &Project, arguments: &[&str]) -> Said {
    std::fs::create_dir_all(scratch(project)).unwrap();
    let output = command(project, &[&["run", "--quiet"], arguments].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn scratch(project: &Project) -> PathBuf {
    project.path("tmp")
}

/// A folder, and all that stands beneath it.
fn all(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (vec![root.to_owned()], vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn expect(root: &Path, folder: u32, file: u32) {
    for path in all(root) {
        let right = if path.is_dir() { folder } else { file };
        assert_eq!(mode(&path), right, "{} is {:o}", path.display(), mode(&path));
    }
}

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const VIEWS: [&str; 3] = ["warehouse", "reports", "site"];

#[test]
fn nobody_else_reads_what_a_run_wrote() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    run(&project, &[]).expect_code(0);
    for part in VIEWS {
        assert!(all(&project.path(part)).len() > 5, "{part}");
        expect(&project.path(part), 0o700, 0o600);
    }
    assert_eq!(std::fs::read_dir(scratch(&project)).unwrap().count(), 0, "temporary files are left");
    // What an older version left open is closed, with a word.
    for path in VIEWS.iter().flat_map(|part| all(&project.path(part))) {
        set(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    let said = run(&project, &[]).expect_code(0);
    for part in VIEWS {
        expect(&project.path(part), 0o700, 0o600);
        let word = format!("others could read {}", project.path(part).canonicalize().unwrap().display());
        assert!(said.stderr.contains(&word), "{}", said.stderr);
    }
    assert!(!run(&project, &[]).expect_code(0).stderr.contains("others could read"));
}

#[test]
fn a_group_may_be_let_in() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    let settings = std::fs::read_to_string(project.path("scorebook.toml")).unwrap();
    let open = |rooms: &str| {
        std::fs::write(project.path("scorebook.toml"), format!("{settings}\n[paths]\ngroup_readable = {rooms}\n"))
            .unwrap();
    };
    open(r#"["site", "warehouse"]"#);
    run(&project, &[]).expect_code(0);
    expect(&project.path("site"), 0o750, 0o640);
    expect(&project.path("warehouse"), 0o750, 0o640);
    expect(&project.path("reports"), 0o700, 0o600);
    // And out again, also of what has not changed.
    open(r#"["reports"]"#);
    run(&project, &[]).expect_code(0);
    expect(&project.path("site"), 0o700, 0o600);
    expect(&project.path("warehouse"), 0o700, 0o600);
    expect(&project.path("reports"), 0o750, 0o640);
    open(r#"["everything"]"#);
    let said = run(&project, &[]).expect_code(3);
    assert!(said.stderr.contains("everything") && said.stderr.contains("warehouse"), "{}", said.stderr);
}

#[test]
fn a_folder_that_holds_other_things_keeps_its_mode() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#);
    project.write("site/index.html", "theirs");
    project.write("site/.scorebook-view", "");
    set(&project.path("site"), 0o755);
    set(&project.path("site/index.html"), 0o644);
    for _ in 0..2 {
        run(&project, &[]).expect_code(0);
        assert_eq!((mode(&project.path("site")), mode(&project.path("site/index.html"))), (0o755, 0o644));
        expect(&project.path("site/company"), 0o700, 0o600);
    }
}

#[test]
fn temporary_files_are_closed_and_those_of_killed_runs_are_swept() {
    let project = Project::generated(2, 13);
    std::fs::create_dir_all(scratch(&project)).unwrap();
    for other in ["datafusion-abc", "scorebook-notes"] {
        std::fs::create_dir(scratch(&project).join(other)).unwrap();
    }
    let mut child = command(&project, &["run", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !project.path("warehouse/lock").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let ours = |project: &Project| {
        let names = std::fs::read_dir(scratch(project)).unwrap().flatten();
        names
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().contains("scorebook-scratch-"))
            .collect::<Vec<_>>()
    };
    let living = ours(&project);
    assert_eq!(living.len(), 1, "{living:?}");
    expect(&living[0], 0o700, 0o600);
    // Another command leaves what a living one has.
    let mut runs = command(&project, &["runs"]);
    assert!(runs.output().unwrap().status.success());
    assert_eq!(ours(&project), living);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ours(&project), living, "a killed run leaves its folder");
    command(&project, &["runs"]).output().unwrap();
    assert!(ours(&project).is_empty());
    assert_eq!(std::fs::read_dir(scratch(&project)).unwrap().count(), 2, "folders of others are left");
}

#[test]
fn the_made_up_company_is_its_users_own() {
    let project = Project::empty();
    std::fs::create_dir_all(scratch(&project)).unwrap();
    let folder = project.path("sample_data");
    let arguments = ["sample", folder.to_str().unwrap(), "--reps", "1", "--months", "13", "--activities", "1"];
    assert!(command(&project, &arguments).output().unwrap().status.success());
    assert_eq!(mode(&folder), 0o777);
}
