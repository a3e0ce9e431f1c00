//! The list of a folder's files and their digests, as `sha256sum -c` reads it. What it names is ours, under our marker.

use crate::domain::digest::Digest;
use crate::publish::files::is_plain;
use std::collections::BTreeMap;

/// The list's name.
pub const SUMS: &str = "SHA256SUMS";

/// Path -> digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub BTreeMap<String, Digest>);

impl List {
    /// Reads a list; `None` if a line is none that Scorebook writes.
    pub fn read(text: &str) -> Option<List> {
        let mut files = BTreeMap::new();
        for line in text.lines() {
            let (digest, path) = line.split_once("  ")?;
            if !is_plain(path) || path == SUMS || files.insert(path.to_owned(), digest.parse().ok()?).is_some() {
                return None;
            }
        }
        Some(List(files))
    }

    /// Its text.
    pub fn text(&self) -> String {
        self.0.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_leads_elsewhere_is_none_of_ours() {
        let digest = Digest::of(b"page");
        let line = |path: &str| format!("{digest}  {path}\n");
        let list = List::read(&(line("2026-09/a.pdf") + &line("index.html"))).unwrap();
        assert_eq!(List::read(&list.text()).unwrap(), list);
        assert_eq!(list.0.len(), 2);
        for path in ["/etc/passwd", "../other/index.html", "a/../../b", "", "SHA256SUMS"] {
            assert_eq!(List::read(&line(path)), None, "{path}");
        }
        assert_eq!(List::read("nothing of that kind"), None);
        assert_eq!(List::read(&(line("a") + &line("a"))), None, "one name with two digests");
    }
}
