//! The folders in which people read: a run owns what a run wrote there, and nothing else.

use crate::project::{LAST_NIGHT, Project, Said, copy};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const MARKER: &str = ".scorebook-view";

fn project() -> Project {
    Project::generated(3, 13).formats(r#"["csv", "html"]"#)
}

/// Path -> bytes of all that stands beneath a folder, and where links lead.
fn state(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if kind.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else if kind.is_symlink() {
                found.insert(name, std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
            } else {
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found.remove(MARKER);
    found
}

fn empty_folders(state: &BTreeMap<String, Vec<u8>>) -> Vec<&String> {
    let is_empty =
        |name: &&String| name.ends_with('/') && !state.keys().any(|other| other.starts_with(*name) && other != *name);
    state.keys().filter(is_empty).collect()
}

fn notes(report: &Value) -> Vec<String> {
    report["views"].as_array().unwrap().iter().map(|note| note.to_string()).collect()
}

/// The first file of a view with an ending, below a folder whose name begins so.
fn some(project: &Project, view: &str, start: &str, ending: &str) -> String {
    let files = project.files(view);
    files.into_iter().find(|file| file.starts_with(start) && file.ends_with(ending)).unwrap()
}

#[test]
fn what_others_keep_beside_and_within_the_views_stays() {
    let project = project();
    project.run(&[]);
    let sums = |name: &str| format!("{}  {name}\n", "0".repeat(64));
    // Whole folders of others, with a list like ours, at the top and further down.
    for (path, text) in [
        ("site/downloads/SHA256SUMS", sums("tool.zip")),
        ("site/downloads/tool.zip", "theirs".into()),
        ("site/company/notes.txt", "theirs".into()),
        ("reports/2026-09/archive/SHA256SUMS", sums("old.pdf")),
        ("reports/2026-09/archive/old.pdf", "theirs".into()),
        ("reports/minutes/today.txt", "theirs".into()),
    ] {
        project.write(path, &text);
    }
    let added = [
        "site/downloads/tool.zip",
        "site/company/notes.txt",
        "reports/2026-09/archive/old.pdf",
        "reports/minutes/today.txt",
    ];
    // A copy that somebody made of one of our folders is theirs.
    copy(&project.path("site/company"), &project.path("site/company-of-old"));
    let copied = state(&project.path("site/company-of-old"));
    let report = project.run(&[]);
    assert!(added.iter().all(|path| std::fs::read(project.path(path)).unwrap() == b"theirs"));
    assert_eq!(state(&project.path("site/company-of-old")), copied);
    let said = notes(&report);
    assert!(
        said.iter().any(|note| note.contains("company/notes.txt") && note.contains("not written by it")),
        "{said:?}"
    );
    assert!(said.iter().any(|note| note.contains("2026-09/archive/old.pdf")), "{said:?}");
    // What is ours beside it is as it should be, and only that is in its list.
    let list = std::fs::read_to_string(project.path("site/company/SHA256SUMS")).unwrap();
    assert!(list.contains("index.html") && !list.contains("notes.txt"));
}

#[test]
fn what_stands_where_a_file_should_is_left_and_told() {
    let project = project();
    project.withhold(LAST_NIGHT);
    project.run(&["--as-of", "2026-08-31"]);
    project.bring(LAST_NIGHT);
    // The next run must write a folder for September: there is one already, and in the site too.
    project.write("reports/2026-09/mine.txt", "theirs");
    let scope = some(&project, "site", "rep-", "index.html");
    let scope = scope.split('/').next().unwrap();
    std::fs::remove_dir_all(project.path("site").join(scope)).unwrap();
    project.write(&format!("site/{scope}"), "theirs");
    let report = project.run(&[]);
    assert_eq!(project.files("reports/2026-09"), ["mine.txt"]);
    assert_eq!(std::fs::read(project.path("site").join(scope)).unwrap(), b"theirs");
    let said = notes(&report);
    assert!(said.iter().any(|note| note.contains("\"2026-09\"") && note.contains("did not write")), "{said:?}");
    assert!(said.iter().any(|note| note.contains(scope)), "{said:?}");
    // With the place free, all is made.
    std::fs::remove_dir_all(project.path("reports/2026-09")).unwrap();
    std::fs::remove_file(project.path("site").join(scope)).unwrap();
    let report = project.run(&[]);
    assert!(notes(&report).is_empty(), "{report}");
    assert!(project.files("reports/2026-09").len() > 3 && project.path("site").join(scope).join("index.html").exists());
}

#[cfg(unix)]
#[test]
fn no_link_is_followed_for_writing_or_removing() {
    use std::os::unix::fs::symlink;
    let project = project();
    project.run(&[]);
    let outside = project.path("outside");
    copy(&project.path("site/company"), &outside.join("company"));
    let card = some(&project, "reports/2026-09/rep_scorecard", "", ".html");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("card.html"), "theirs").unwrap();
    // A file, a folder, a folder at the top and a list are each replaced by a link.
    let card = project.path("reports/2026-09/rep_scorecard").join(card);
    std::fs::remove_file(&card).unwrap();
    symlink(outside.join("card.html"), &card).unwrap();
    std::fs::remove_dir_all(project.path("site/company")).unwrap();
    symlink(outside.join("company"), project.path("site/company")).unwrap();
    let scope = some(&project, "site", "team-", "index.html");
    let scope = project.path("site").join(scope.split('/').next().unwrap());
    std::fs::rename(scope.join("2026-09"), outside.join("2026-09")).unwrap();
    symlink(outside.join("2026-09"), scope.join("2026-09")).unwrap();
    symlink(outside.join("nowhere"), project.path("site/dangling")).unwrap();
    let before = state(&outside);
    // Every document changes, so every file is written again; then one report goes.
    project.edit("scorebook.toml", |text| text.replace("Alderbrook Instruments", "Other Instruments"));
    let report = project.run(&[]);
    assert!(report["documents"]["made"].as_u64().unwrap() > 3);
    assert!(
        notes(&report).iter().any(|note| note.contains("site/company") || note.contains("\"company\"")),
        "{report}"
    );
    std::fs::remove_dir_all(project.path("report_templates/rep_scorecard")).unwrap();
    project.run(&[]);
    assert_eq!(state(&outside), before);
    assert!(std::fs::symlink_metadata(&card).unwrap().is_symlink());
}

#[test]
fn folders_that_overlap_are_refused_before_any_work() {
    let project = project();
    for paths in [
        "reports = \"public/reports\"\nsite = \"public\"",
        "reports = \"out\"\nsite = \"out\"",
        "reports = \"out\"\nsite = \"new/../Out/site\"",
        "reports = \"warehouse/reports\"",
        "site = \".\"",
    ] {
        let settings = std::fs::read_to_string(project.path("scorebook.toml")).unwrap();
        project.edit("scorebook.toml", |text| text.replace("[company]", &format!("[paths]\n{paths}\n\n[company]")));
        let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
        assert!(said.stderr.contains("overlap") && said.stderr.contains("help"), "{}", said.stderr);
        std::fs::write(project.path("scorebook.toml"), settings).unwrap();
    }
    let warehouse = project.path("warehouse");
    let warehouse = warehouse.to_str().unwrap();
    let said = project.scorebook(&["run", "--quiet", "--reports", warehouse, "--site", warehouse]).expect_code(2);
    assert!(said.stderr.contains("overlap"), "{}", said.stderr);
    for made in ["warehouse", "public", "out", "new"] {
        assert!(!project.path(made).exists(), "{made}");
    }
}

/// Runs with views elsewhere.
fn run_to(project: &Project, views: &Path) -> Said {
    let folder = |name: &str| views.join(name).to_str().unwrap().to_owned();
    project.scorebook(&["run", "--quiet", "--site", &folder("www"), "--reports", &folder("reports")])
}

#[test]
fn two_projects_never_share_a_folder_and_a_moved_one_keeps_its_own() {
    let views = tempfile::tempdir().unwrap();
    let (one, other) = (project(), project());
    run_to(&one, views.path()).expect_code(0);
    let before = state(views.path());
    // Another project, before its first run and after it; and a copy of the first one, with the same ledger.
    let refused = |project: &Project| {
        let said = run_to(project, views.path()).expect_code(2);
        assert!(said.stderr.contains("belongs to another project"), "{}", said.stderr);
        assert!(said.stderr.contains("name a folder of its own"), "{}", said.stderr);
        assert_eq!(state(views.path()), before);
    };
    refused(&other);
    other.run(&[]);
    refused(&other);
    let copied = Project::empty();
    for part in ["sample_data", "warehouse"] {
        copy(&one.path(part), &copied.path(part));
    }
    refused(&copied);
    // Copied with views of its own it has those.
    one.run(&[]);
    for part in ["warehouse", "reports", "site"] {
        std::fs::remove_dir_all(copied.path(part)).ok();
        copy(&one.path(part), &copied.path(part));
    }
    copied.run(&[]);
    // A flag for the one is no flag for the other: the site's folder is not one for reports.
    let www = views.path().join("www");
    one.scorebook(&["run", "--quiet", "--reports", www.to_str().unwrap()]).expect_code(2);
    // The same warehouse in another place.
    std::fs::rename(one.path("warehouse"), one.path("moved")).unwrap();
    let (moved, www) = (one.path("moved"), www.to_str().unwrap().to_owned());
    one.scorebook(&["run", "--quiet", "--warehouse", moved.to_str().unwrap(), "--site", &www]).expect_code(0);
    // And begun again where it stood.
    std::fs::remove_dir_all(&moved).unwrap();
    one.scorebook(&["run", "--quiet", "--warehouse", moved.to_str().unwrap(), "--site", &www]).expect_code(0);
}

#[test]
fn a_folder_of_others_is_refused_until_its_owner_agrees() {
    let project = project();
    project.write("site/index.html", "theirs");
    project.write("site/company/index.html", "theirs");
    let said = project.scorebook(&["run", "--quiet"]).expect_code(3);
    assert!(said.stderr.contains("holds other things") && said.stderr.contains("touch"), "{}", said.stderr);
    assert_eq!(project.files("warehouse/ledger").len(), 0, "it is refused before any work");
    std::fs::remove_dir_all(project.path("site/company")).unwrap();
    project.write(&format!("site/{MARKER}"), "");
    project.run(&[]);
    project.run(&[]);
    assert_eq!(std::fs::read(project.path("site/index.html")).unwrap(), b"theirs");
    assert!(project.path("site/company/index.html").exists());
}

#[test]
fn views_of_older_versions_are_taken_over() {
    let project = project();
    project.run(&[]);
    // They had no marker. One folder is of somebody else, and one of somebody who is gone.
    for view in ["site", "reports"] {
        std::fs::remove_file(project.path(view).join(MARKER)).unwrap();
    }
    let scope = some(&project, "site", "rep-", "index.html");
    copy(&project.path("site").join(scope.split('/').next().unwrap()), &project.path("site/rep-gone"));
    project.write("site/downloads/SHA256SUMS", &format!("{}  tool.zip\n", "0".repeat(64)));
    let mut before = state(&project.path("site"));
    project.run(&[]);
    before.retain(|path, _| !path.starts_with("rep-gone"));
    assert_eq!(state(&project.path("site")), before);
    assert!(project.path("site").join(MARKER).exists());
}

#[test]
fn what_is_ours_is_repaired_also_after_a_kill() {
    let project = project();
    project.run(&[]);
    let whole = (state(&project.path("site")), state(&project.path("reports")));
    let card = some(&project, "reports", "2026-09/rep_scorecard", ".html");
    project.write(&format!("reports/{card}"), "edited");
    project.write("site/company/index.html", "edited");
    std::fs::remove_file(project.path("site/company/metrics.html")).unwrap();
    assert!(notes(&project.run(&[])).is_empty());
    assert_eq!((state(&project.path("site")), state(&project.path("reports"))), whole);
    // Killed at its work: the marker says so, a list was not written yet, a page is of the run that died, and what it had not
    // removed yet is there.
    project.edit(&format!("site/{MARKER}"), |text| text.replace("\"at_work\":false", "\"at_work\":true"));
    std::fs::remove_file(project.path("site/company/SHA256SUMS")).unwrap();
    project.write("site/company/index.html", "of the run that died");
    let document = some(&project, "site/company", "2026-09", ".csv");
    let gone = "site/company/2026-09/rep_scorecard/gone.csv";
    std::fs::copy(project.path("site/company").join(document), project.path(gone)).unwrap();
    std::fs::create_dir(project.path("site/company/2026-08")).unwrap();
    project.write("site/.scorebook-view.part", "half a fi");
    let report = project.run(&[]);
    assert_eq!((state(&project.path("site")), state(&project.path("reports"))), whole, "{report}");
}

#[cfg(unix)]
fn open() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

#[test]
fn a_list_that_somebody_else_wrote_gives_no_right_to_remove() {
    let project = project();
    project.run(&[]);
    // Not after a kill either: then only what the warehouse holds too is ours.
    for view in ["site", "reports"] {
        project.edit(&format!("{view}/{MARKER}"), |text| text.replace("\"at_work\":false", "\"at_work\":true"));
    }
    let folders = ["site/company", "reports/2026-09"];
    for folder in folders {
        project.write(&format!("{folder}/plan/notes.txt"), "theirs");
        let digest = scorebook::domain::digest::Digest::of(b"theirs");
        project.edit(&format!("{folder}/SHA256SUMS"), |list| format!("{list}{digest}  plan/notes.txt\n"));
        #[cfg(unix)]
        std::fs::set_permissions(project.path(&format!("{folder}/plan")), open()).unwrap();
    }
    project.run(&[]);
    for folder in folders {
        assert!(project.path(&format!("{folder}/plan/notes.txt")).exists(), "{folder}");
        #[cfg(unix)]
        {
            // Nor is the folder's mode ours to set.
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(project.path(&format!("{folder}/plan"))).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{folder}");
        }
    }
    project.write("site/company/mine.txt", "theirs");
    let digest = scorebook::domain::digest::Digest::of(b"theirs");
    project.edit("site/company/SHA256SUMS", |list| format!("{list}{digest}  mine.txt\n{digest}  ../../mine.txt\n"));
    project.write("mine.txt", "theirs");
    project.run(&[]);
    assert!(project.path("site/company/mine.txt").exists() && project.path("mine.txt").exists());
}

#[test]
fn a_report_that_is_gone_leaves_the_views_with_a_word() {
    let project = project();
    project.run(&[]);
    let teams = |project: &Project| {
        let all = [project.files("reports"), project.files("site")].concat();
        all.into_iter().filter(|file| file.contains("/team_review/")).count()
    };
    assert!(teams(&project) > 0);
    std::fs::remove_dir_all(project.path("report_templates/team_review")).unwrap();
    let said = project.scorebook(&["run", "--quiet"]).expect_code(0);
    assert_eq!(teams(&project), 0);
    assert!(
        said.stderr.contains("of team_review left the reports: the project has no such report any more"),
        "{}",
        said.stderr
    );
    for view in ["reports", "site"] {
        assert_eq!(empty_folders(&state(&project.path(view))), Vec::<&String>::new(), "{view}");
    }
    // Whoever had nothing else has no folder any more.
    assert!(!project.files("site").iter().any(|file| file.starts_with("team-")));
    assert!(notes(&project.run(&[])).is_empty(), "it is said once");
}
