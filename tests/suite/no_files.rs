//! What is called like a file and is none, what unpacks to more than anybody wants, and what changed without looking so.

use crate::project::{LAST_NIGHT, Project, Said};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a command says that must not wait for anything.
#[track_caller]
fn at_once(project: &Project, arguments: &[&str], code: i32, words: &[&str]) {
    let mut command = project.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = Said::of(child.wait_with_output().unwrap()).expect_code(code);
    words.iter().for_each(|word| assert!(said.stderr.contains(word), "{word} is not in: {}", said.stderr));
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_definition_that_is_no_file_is_an_error() {
    use std::os::unix::fs::symlink;
    let project = Project::generated(2, 13);
    let place = project.path("queries/metrics/outcome/odd.sql");
    let odd: [(&dyn Fn(), &str); 6] = [
        (&|| pipe(&place), "is a pipe"),
        (&|| drop(std::os::unix::net::UnixListener::bind(&place).unwrap()), "is a socket"),
        (&|| std::fs::create_dir(&place).unwrap(), "is a folder"),
        (&|| symlink("/dev/zero", &place).unwrap(), "is a device"),
        (&|| symlink("odd.sql", &place).unwrap(), "is a link to nothing"),
        (&|| symlink("/tmp", &place).unwrap(), "is a folder"),
    ];
    for (make, what) in odd {
        make();
        at_once(&project, &["check"], 3, &["queries/metrics/outcome/odd.sql", what, "help"]);
        let _ = std::fs::remove_dir(&place).or_else(|_| std::fs::remove_file(&place));
    }
    let linked = project.path("queries/metrics/circle");
    symlink("..", &linked).unwrap();
    at_once(&project, &["check"], 3, &["within each other", "a link may lead back"]);
    std::fs::remove_file(&linked).unwrap();
    project.write("queries/metrics/outcome/odd.sql", &"-- much\n".repeat(1 << 18));
    at_once(&project, &["check"], 3, &["queries/metrics/outcome/odd.sql is larger than 1 MiB"]);
    std::fs::remove_file(&place).unwrap();
    project.edit("scorebook.toml", |text| format!("{text}\nmany = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    at_once(&project, &["check"], 3, &["scorebook.toml"]);
}

#[cfg(unix)]
#[test]
fn an_export_that_is_no_file_is_an_error() {
    use std::os::unix::fs::symlink;
    let project = Project::generated(2, 13);
    let within = format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv");
    let place = project.path(&within);
    std::fs::rename(&place, project.path("kept")).unwrap();
    let odd: [(&dyn Fn(), &str); 5] = [
        (&|| pipe(&place), "is a pipe"),
        (&|| drop(std::os::unix::net::UnixListener::bind(&place).unwrap()), "is a socket"),
        (&|| std::fs::create_dir(&place).unwrap(), "is a folder"),
        (&|| symlink("/dev/zero", &place).unwrap(), "is a device"),
        (&|| symlink("nowhere", &place).unwrap(), "is a link to nothing"),
    ];
    for (make, what) in odd {
        make();
        at_once(&project, &["check"], 4, &[&within, what, "help"]);
        let _ = std::fs::remove_dir(&place).or_else(|_| std::fs::remove_file(&place));
    }
    // A link to a file is a file.
    symlink(project.path("kept"), &place).unwrap();
    project.scorebook(&["check", "--quiet"]).expect_code(0);
}

#[test]
fn a_packed_export_that_unpacks_beyond_the_limit_is_an_error() {
    let project = Project::generated(2, 13);
    let within = format!("sample_data/salesforce/{LAST_NIGHT}/Opportunity.csv");
    let head = std::fs::read_to_string(project.path(&within)).unwrap().lines().next().unwrap().to_owned();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(format!("{head}\n").as_bytes()).unwrap();
    // Few records: it is their length that does not end.
    let record = format!("{}{}\n", "x".repeat(500_000), ",".repeat(head.matches(',').count()));
    (0..200).for_each(|_| packed.write_all(record.as_bytes()).unwrap());
    std::fs::write(project.path(&within), packed.finish().unwrap()).unwrap();
    at_once(&project, &["check"], 4, &[&within, "`unpacked_ratio` under [land]"]);
    project.edit("scorebook.toml", |text| format!("{text}\n[land]\nunpacked_ratio = 1000000\nunpacked_mib = 8\n"));
    at_once(&project, &["check"], 4, &[&within, "more than 8 MiB", "`unpacked_mib` under [land]"]);
    project.edit("scorebook.toml", |text| text.replace("unpacked_ratio = 1000000", "unpacked_ratio = 2"));
    at_once(&project, &["check"], 3, &["scorebook.toml", "`unpacked_ratio` is at least 20"]);
}

/// Other bytes of the same size and modification time, written in place and put in the file's place: both are read.
#[cfg(unix)]
#[test]
fn an_export_that_only_looks_unchanged_is_read_again() {
    let project = Project::generated(2, 13).formats(r#"["csv"]"#).for_reps();
    project.run(&[]);
    let within = format!("sample_data/salesforce/{LAST_NIGHT}/User.csv");
    let path = project.path(&within);
    let observed = |number: u64| {
        let entry = project.entry(number);
        let all = entry["observations"].as_array().unwrap().clone();
        all.into_iter().find(|seen| seen["path"] == within.as_str()).unwrap()
    };
    project.run(&[]);
    assert_eq!(observed(2)["hashed"], false, "an untouched export is not read again");
    let unlike = |number: u64| {
        let (before, after) = (observed(number - 1), observed(number));
        assert_eq!((&before["size"], &before["modified"]), (&after["size"], &after["modified"]), "run {number}");
        assert_ne!(before["digest"], after["digest"], "run {number}");
        assert_eq!(after["hashed"], true, "run {number}");
    };
    let time = |from: &Path, to: &Path| {
        assert!(Command::new("touch").arg("-r").arg(from).arg(to).status().unwrap().success());
    };
    // In place.
    let reference = project.path("reference");
    std::fs::write(&reference, "").unwrap();
    time(&path, &reference);
    let change = |from: &str, to: &str| {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        text.replacen(from, to, 1)
    };
    std::fs::write(&path, change("@", "#")).unwrap();
    time(&reference, &path);
    project.run(&[]);
    unlike(3);
    // In its place.
    let other = project.path("other");
    std::fs::write(&other, change("#", "@")).unwrap();
    time(&reference, &other);
    std::fs::rename(&other, &path).unwrap();
    project.run(&[]);
    unlike(4);
    // An entry of an older version says less, and is believed less.
    let entry = project.entry(4);
    assert!(entry["observations"][0]["changed"].is_string() && entry["observations"][0]["inode"].is_u64());
}
