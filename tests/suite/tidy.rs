//! House rules that a reader of the code can see.

use std::path::{Path, PathBuf};

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    found.into_iter().map(read).collect()
}

#[test]
fn libraries_stay_behind_their_doors() {
    let doors = [
        ("datafusion::", "engine"),
        ("typst::", "pipeline/render/pdf.rs"),
        ("typst_pdf::", "pipeline/render/pdf.rs"),
        ("tera::", "pipeline/render/html.rs"),
        ("object_store::", "store"),
        ("indicatif::", "command/progress.rs"),
    ];
    for (file, text) in sources() {
        for (library, door) in doors {
            let uses = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(library));
            assert!(!uses || file.starts_with(door), "{file} uses {library}, which belongs to {door}");
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    // What a file of a folder may not know.
    let absent: [(&str, &[&str]); 3] = [
        ("domain/", &["crate::pipeline", "crate::engine", "crate::store", "crate::command", "crate::settings"]),
        ("pipeline/", &["crate::command", "crate::ledger", "crate::lock", "crate::cli"]),
        ("engine", &["crate::pipeline", "crate::command", "crate::ledger"]),
    ];
    for (file, text) in sources() {
        for (folder, unknown) in absent {
            for name in unknown.iter().filter(|_| file.starts_with(folder)) {
                assert!(!text.contains(name), "{file} knows {name}");
            }
        }
    }
}

#[test]
fn the_named_versions_are_those_that_are_built() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for named in [scorebook::engine::VERSION, scorebook::pipeline::render::TYPESETTER] {
        let (name, version) = named.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}")), "{named} is not what is built");
    }
}
