//! Two people never share a file or a folder, whatever they and their ids are called.

use crate::project::{Project, copy};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All exports of a folder.
fn exports(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "csv") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// Writes one text in place of another, as bytes, in every export.
fn replace(project: &Project, from: &str, to: &str) {
    for path in exports(&project.path("sample_data")) {
        let bytes = std::fs::read(&path).unwrap();
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let (from, to) = [from, to].map(|text| text.bytes().map(char::from).collect::<String>()).into();
        if text.contains(&from) {
            let text = text.replace(&from, &to);
            std::fs::write(path, text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>())
                .unwrap();
        }
    }
}

/// Gives people names, in every night.
fn call(project: &Project, names: &BTreeMap<String, String>) {
    for path in exports(&project.path("sample_data")).iter().filter(|path| path.ends_with("User.csv")) {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let head = reader.headers().unwrap().clone();
        let at = |column: &str| head.iter().position(|name| name == column).unwrap();
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(&head).unwrap();
        for row in reader.records() {
            let mut row: Vec<String> = row.unwrap().iter().map(String::from).collect();
            if let Some(name) = names.get(&row[at("Id")]) {
                row[at("Name")] = name.clone();
            }
            writer.write_record(&row).unwrap();
        }
        std::fs::write(path, writer.into_inner().unwrap()).unwrap();
    }
}

fn ids(project: &Project) -> Vec<String> {
    let mut reader = csv::Reader::from_path(project.path("sample_data/salesforce/2026-09-30/User.csv")).unwrap();
    reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
}

/// Rep -> the name of the rep's files, of a run whose files are all there and right.
fn names(project: &Project, run: u64) -> BTreeMap<String, String> {
    let entry = project.entry(run);
    let documents: Vec<&Value> =
        entry["documents"].as_array().unwrap().iter().filter(|d| d["level"] == "rep").collect();
    let mut names = BTreeMap::new();
    for document in &documents {
        let view = document["view"].as_str().unwrap();
        let name = view.rsplit('/').next().unwrap();
        let wanted = document["files"]["html"].as_str().unwrap();
        let folder = format!("site/rep-{name}");
        for path in [format!("reports/{view}.html"), format!("{folder}/{view}.html")] {
            let found = scorebook::domain::digest::Digest::of(&std::fs::read(project.path(&path)).unwrap());
            assert_eq!(found.to_string(), wanted, "{path} is somebody else's");
        }
        let others =
            project.files(&folder).into_iter().filter(|file| file.contains("/rep_scorecard/") && !file.contains(name));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new(), "{folder} holds others' documents");
        names.insert(document["entity"].as_str().unwrap().to_owned(), name.to_owned());
    }
    let folded: BTreeSet<String> = names.values().map(|name| name.to_lowercase()).collect();
    assert_eq!(folded.len(), documents.len(), "{names:?}");
    names
}

#[test]
fn two_people_have_two_files_and_two_folders_and_a_namesake_moves_nobody() {
    let project = Project::generated(6, 13).formats(r#"["html"]"#).for_reps();
    let ids = ids(&project);
    // An id that differs from another in case alone.
    let swapped: String = ids[0]
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    replace(&project, &ids[1], &swapped);
    let alone = BTreeMap::from([
        (ids[0].clone(), "Ann Lee".to_owned()),
        (swapped.clone(), "Bea Lee".to_owned()),
        (ids[3].clone(), "con".to_owned()),
        (ids[4].clone(), "Zo\u{eb}".to_owned()),
    ]);
    call(&project, &alone);
    project.run(&[]);
    let before = names(&project, 1);
    let ann = &before[&format!("salesforce:{}", ids[0])];
    assert!(ann.starts_with("ann-lee-"), "{ann}");
    let together = BTreeMap::from([
        (swapped, "Ann Lee".to_owned()),
        (ids[2].clone(), format!("Ann Lee Salesforce {}", ids[0])),
        (ids[3].clone(), ann.clone()),
        (ids[5].clone(), "Zoe\u{308}".to_owned()),
    ]);
    call(&project, &together);
    project.run(&[]);
    let after = names(&project, 2);
    assert_eq!(after[&format!("salesforce:{}", ids[0])], *ann, "a namesake took the name");
    let folders = project.files("site").into_iter().filter(|file| file.ends_with("/index.html"));
    assert_eq!(folders.filter(|file| file.starts_with("rep-")).count(), after.len());
}

#[test]
fn people_who_shared_a_file_in_an_older_entry_have_one_each() {
    let project = Project::generated(3, 13).formats(r#"["html"]"#).for_reps();
    project.run(&[]);
    // As an older version sealed it: the documents of two people under one name.
    let path = project.path("warehouse/ledger/000001.json");
    let mut entry = project.entry(1);
    let documents = entry["documents"].as_array_mut().unwrap();
    for document in documents.iter_mut() {
        document["view"] = "2026-09/rep_scorecard/ann-lee".into();
    }
    let count = documents.len();
    entry.as_object_mut().unwrap().remove("hash");
    let hash = scorebook::domain::digest::Digest::of(scorebook::domain::json::canonical(&entry).as_bytes());
    entry["hash"] = hash.to_string().into();
    std::fs::write(&path, scorebook::domain::json::canonical(&entry)).unwrap();
    copy(&project.path("warehouse"), &project.path("older"));
    let warehouse = project.path("older");
    let out = |name: &str| project.path(name).to_str().unwrap().to_owned();
    // Another period, so that September's stay as they were sealed.
    project.run(&[
        "--as-of",
        "2026-10-01",
        "--warehouse",
        warehouse.to_str().unwrap(),
        "--reports",
        &out("r"),
        "--site",
        &out("s"),
    ]);
    let cards = project.files("r/2026-09/rep_scorecard");
    assert_eq!(cards.len(), count, "{cards:?}");
    let texts: BTreeSet<Vec<u8>> =
        cards.iter().map(|file| std::fs::read(project.path("r/2026-09/rep_scorecard").join(file)).unwrap()).collect();
    assert_eq!(texts.len(), count, "each has their own");
}
