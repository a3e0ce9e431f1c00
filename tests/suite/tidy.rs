//! House rules that a reader of the code can see.

use std::collections::{BTreeMap, BTreeSet};
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

/// The modules and what each imports, as the sources say: the `use` lines, the paths in the code, and the modules that it declares.
/// What is compiled for tests alone does not count.
fn imports(sources: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let module = |file: &str| file.trim_end_matches(".rs").to_owned();
    let modules: BTreeSet<String> = sources.iter().map(|(file, _)| module(file)).collect();
    let of_tests: BTreeSet<String> = sources
        .iter()
        .flat_map(|(file, text)| {
            let declared = text.lines().zip(text.lines().skip(1)).filter(|(line, _)| *line == "#[cfg(test)]");
            let names =
                declared.filter_map(|(_, next)| Some(next.strip_prefix("mod ")?.trim_end_matches(';').to_owned()));
            names.map(|name| format!("{}/{name}", module(file))).collect::<Vec<_>>()
        })
        .collect();
    let mut all = BTreeMap::new();
    for (file, text) in sources {
        let own = module(file);
        // `lib` declares all, `main` and the build script are programs of their own.
        if ["lib", "main", "build"].contains(&own.as_str()) || of_tests.contains(&own) {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: String =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|l| l.to_owned() + "\n").collect();
        let mut named: Vec<String> = Vec::new();
        let mut rest = String::new();
        for (i, part) in format!("\n{code}").split("\nuse ").enumerate() {
            match (i, part.split_once(';')) {
                (0, _) | (_, None) => rest.push_str(part),
                (_, Some((tree, after))) => {
                    named.extend(leaves(&tree.split_whitespace().collect::<Vec<_>>().join(" ")));
                    rest.push_str(after);
                }
            }
        }
        named.extend(rest.lines().filter_map(|line| {
            let declared = line.trim_start_matches("pub ").trim_start_matches("pub(super) ").strip_prefix("mod ")?;
            Some(format!("self::{}", declared.strip_suffix(';')?))
        }));
        // A visibility names a room without entering it.
        named.extend(rest.replace("(in crate::", "(").split("crate::").skip(1).map(|path| format!("crate::{path}")));
        let found = named.iter().filter_map(|path| resolve(path, &own, &modules));
        let found: BTreeSet<String> = found.filter(|found| *found != own && !of_tests.contains(found)).collect();
        all.insert(own, found);
    }
    all
}

/// The paths that a `use` names: `a::{b, c::{d, e}}` names three.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, body)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let body = &body[..body.rfind('}').unwrap_or(body.len())];
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for sign in body.chars() {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        match (sign, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(sign),
        }
    }
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| leaves(&format!("{before}{}", part.trim())))
        .collect()
}

/// The module that a path leads to, as far as it names modules of the crate.
fn resolve(path: &str, own: &str, modules: &BTreeSet<String>) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let path: String = path.chars().take_while(|c| is_part(*c)).collect();
    let mut names: Vec<&str> = path.split("::").filter(|name| !name.is_empty()).collect();
    let mut place: Vec<&str> = own.split('/').collect();
    match *names.first()? {
        "crate" => place.clear(),
        "self" => {}
        "super" => {
            while names.get(1) == Some(&"super") {
                place.pop();
                names.remove(0);
            }
            place.pop();
        }
        first if modules.contains(&format!("{own}/{first}")) => names.insert(0, "self"),
        _ => return None,
    }
    place.extend(&names[1..]);
    while !place.is_empty() && !modules.contains(&place.join("/")) {
        place.pop();
    }
    (!place.is_empty()).then(|| place.join("/"))
}

/// Modules that import each other in a circle, if any do.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left: BTreeSet<&String> = imports.keys().collect();
    // Whoever imports nothing that is left is in no circle.
    while let Some(free) = left.iter().find(|of| imports[**of].iter().all(|other| !left.contains(other))).copied() {
        left.remove(free);
    }
    let mut path: Vec<String> = left.first().map(|of| (*of).clone()).into_iter().collect();
    loop {
        let next = imports[path.last()?].iter().find(|other| left.contains(other))?.clone();
        let start = path.iter().position(|of| *of == next);
        path.push(next);
        if let Some(start) = start {
            return Some(path.split_off(start));
        }
    }
}

/// The rooms of the crate in the order in which ARCHITECTURE.md names them, each with the place of its line: a room may import
/// what stands on a line below its own.
fn order() -> BTreeMap<String, usize> {
    let architecture = include_str!("../../ARCHITECTURE.md");
    let (_, after) = architecture.split_once("What may import what, from the roof to the ground:").unwrap();
    let block = after.split("```").nth(1).unwrap();
    let lines = block.lines().skip(1).enumerate();
    lines.flat_map(|(place, line)| line.split_whitespace().map(move |room| (room.to_owned(), place))).collect()
}

/// Imports against the order, in words.
fn upward(imports: &BTreeMap<String, BTreeSet<String>>, order: &BTreeMap<String, usize>) -> Vec<String> {
    let room = |module: &str| {
        let parts: Vec<&str> = module.split('/').collect();
        let room = if parts[0] == "pipeline" { parts[..parts.len().min(2)].join("/") } else { parts[0].to_owned() };
        let place = order.get(&room).unwrap_or_else(|| panic!("ARCHITECTURE.md says no place of {room}"));
        (room, *place)
    };
    let mut found = Vec::new();
    for (module, imported) in imports {
        for other in imported {
            let ((own, above), (room, below)) = (room(module), room(other));
            if own != room && below <= above {
                found.push(format!("{module} imports {other}"));
            }
        }
    }
    found
}

#[test]
fn nothing_is_imported_in_a_circle_or_upward() {
    let sources = sources();
    let imports = imports(&sources);
    assert!(imports.len() > 150 && imports["pipeline/score"].contains("pipeline/score/facts"));
    assert_eq!(circle(&imports), None);
    assert_eq!(upward(&imports, &order()), Vec::<String>::new());
}

#[test]
fn a_planted_circle_and_a_planted_import_upward_are_found() {
    let planted = |file: &str, line: &str| {
        let mut sources = sources();
        let (_, text) = sources.iter_mut().find(|(name, _)| name == file).unwrap();
        text.insert_str(text.find("\nuse ").unwrap(), &format!("\n{line}"));
        imports(&sources)
    };
    let with = planted("pipeline/score/entities.rs", "use crate::pipeline::score::{habit, targets::Targets};");
    let found = circle(&with).unwrap();
    assert!(found.contains(&"pipeline/score/entities".to_owned()), "{found:?}");
    let with = planted("pipeline/land.rs", "use crate::ledger::Entry;");
    assert_eq!(upward(&with, &order()), ["pipeline/land imports ledger"]);
    // From one stage to a later one.
    let with = planted("pipeline/stage.rs", "use crate::pipeline::score::definition;");
    assert_eq!(upward(&with, &order()), ["pipeline/stage imports pipeline/score/definition"]);
}

#[test]
fn the_named_versions_are_those_that_are_built() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for named in [scorebook::engine::VERSION, scorebook::provenance::TYPESETTER] {
        let (name, version) = named.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}")), "{named} is not what is built");
    }
}
