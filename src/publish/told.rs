//! What a run has to say of its views: what left and why, and what of others it met there.

use crate::publish::marker::Kind;
use crate::publish::view::Told;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// So many names are told of each kind; a program is told all of them.
const SHOWN: usize = 5;

/// What there is to say, in sentences.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The reports of the project.
    reports: BTreeSet<String>,
    said: Vec<Note>,
    /// Whether documents are missing because the warehouse has lost them.
    pub damaged: bool,
}

/// One thing to say, and the paths that it is about.
#[derive(Clone, Debug)]
pub struct Note {
    /// In a sentence.
    pub text: String,
    /// What to do about it, if there is something.
    pub help: Option<String>,
    /// Which.
    pub paths: Vec<String>,
}

impl Notes {
    /// Nothing yet, of a project with these reports.
    pub fn of(reports: BTreeSet<String>) -> Notes {
        Notes { reports, ..Notes::default() }
    }

    /// What there is to say.
    pub fn said(&self) -> &[Note] {
        &self.said
    }

    /// Adds what was met in one view.
    pub fn add(&mut self, kind: Kind, folder: PathBuf, told: Told) {
        let name = kind.name();
        for ((part, why), paths) in self.by_reason(kind, told.left) {
            let count = files(paths.len());
            self.say(format!("{count} of {part} left the {name}: {why}"), None, paths);
        }
        if !told.damaged.is_empty() {
            self.damaged = true;
            let count = files(told.damaged.len());
            let text = format!("{count} missing in the {name}: the warehouse's own copies are gone or damaged");
            let help = "`scorebook run --period PERIOD` makes a period's documents again, or restore the warehouse from a backup; \
                        `scorebook verify` says what else is damaged";
            self.say(text, Some(help.into()), told.damaged.into_iter().collect());
        }
        if !told.taken.is_empty() {
            let (count, place) = (told.taken.len(), folder.display());
            let text = format!(
                "{count} places in {place} hold something that Scorebook did not write: it was left there, and the documents \
                                of these places are missing"
            );
            self.say(text, Some("move it away and run again".into()), told.taken.into_iter().collect());
        }
        if !told.extra.is_empty() {
            let text = format!(
                "{} in Scorebook's folders of the {name} not written by it: left there",
                files(told.extra.len())
            );
            self.say(text, Some("whoever may read such a folder reads them too; move them away".into()), told.extra);
        }
        if told.was_open {
            let text = format!("others could read {}; that is closed now", folder.display());
            let help =
                format!("group_readable = [\"{name}\"] in [paths] of scorebook.toml lets the folder's group read");
            self.say(text, Some(help), Vec::new());
        }
        if let Some(why) = told.stays_open {
            let text = format!("not all modes in {} can be set: {why}", folder.display());
            self.say(text, Some("let their owner close them to others: chmod -R go= DIR".into()), Vec::new());
        }
    }

    /// Why paths left: the report is gone, or whom it was about.
    fn by_reason(&self, kind: Kind, left: Vec<String>) -> BTreeMap<(String, String), Vec<String>> {
        let mut reasons: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for path in left {
            let mut parts = path.split('/').skip(usize::from(kind == Kind::Site));
            let (period, report) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let reason = match self.reports.contains(report) {
                true => {
                    (format!("{report}, {period},"), "the newest run of that period has none of that name".to_owned())
                }
                false => (report.to_owned(), "the project has no such report any more".to_owned()),
            };
            reasons.entry(reason).or_default().push(path);
        }
        reasons
    }

    fn say(&mut self, text: String, help: Option<String>, paths: Vec<String>) {
        self.said.push(Note { text, help, paths });
    }
}

impl Note {
    /// The first of the paths, and how many there are besides.
    pub fn shown(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.paths.iter().take(SHOWN).cloned().collect();
        if self.paths.len() > SHOWN {
            shown.push(format!("and {} more; --format json tells them all", self.paths.len() - SHOWN));
        }
        shown
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}
