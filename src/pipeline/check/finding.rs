//! What a check found, before it is known whether the run may go on with it.

use crate::artifact::finding::{Finding, Severity};
use crate::diagnostic::{Diagnostic, Place, Result};
use std::collections::BTreeSet;

/// The checks whose errors a person may accept: the next run is held against what was accepted.
const ACCEPTABLE: [&str; 7] =
    ["control_sums", "control_totals", "freshness", "missing", "no_records", KEY, "row_counts"];
/// The check of the key by which columns are pseudonymised.
pub const KEY: &str = "pseudonym_key";
/// The check that looks at what was accepted.
const ACCEPT: &str = "accept";

/// How many of the wrong rows a message shows.
pub const SHOWN: usize = 3;
/// So many errors are told beside the first.
const TOLD: usize = 5;

/// A finding, and what only its message needs.
#[derive(Clone, Debug)]
pub struct Found {
    finding: Finding,
    place: Option<Place>,
}

impl Found {
    /// Something that stops the run: found by a check, of a table or a column.
    pub fn error(check: &str, of: impl Into<String>, title: impl Into<String>) -> Found {
        Found::new(check, of.into(), title.into(), Severity::Error)
    }

    /// Something to be told.
    pub fn warning(check: &str, of: impl Into<String>, title: impl Into<String>) -> Found {
        Found::new(check, of.into(), title.into(), Severity::Warning)
    }

    fn new(check: &str, of: String, title: String, severity: Severity) -> Found {
        let (rows, shown, help) = Default::default();
        let finding =
            Finding { check: check.into(), of: Some(of), title, severity, accepted: false, rows, shown, help };
        Found { finding, place: None }
    }

    /// Adds what it is known by.
    pub fn note(mut self, note: impl Into<String>) -> Found {
        self.finding.shown.push(note.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Found {
        self.finding.help = help.into();
        self
    }

    /// Says where it is.
    pub fn at(mut self, place: Place) -> Found {
        self.place = Some(place);
        self
    }

    /// A run was sealed with the very same exports: what it went on with stops no run after it.
    pub fn sealed_before(mut self, sealed: bool) -> Found {
        if sealed && self.finding.severity == Severity::Error && self.is_acceptable() {
            self.accept();
        }
        self
    }

    fn is_acceptable(&self) -> bool {
        ACCEPTABLE.contains(&self.finding.check.as_str())
    }

    fn accept(&mut self) {
        (self.finding.severity, self.finding.accepted) = (Severity::Warning, true);
    }

    /// The name by which it is accepted: `row_counts:salesforce.Opportunity`.
    fn name(&self) -> String {
        format!("{}:{}", self.finding.check, self.finding.of.as_deref().unwrap_or_default())
    }
}

/// Refuses names that accept nothing in any run.
///
/// # Errors
/// A name whose check is none of those that can be accepted.
pub fn refuse_unknown(accepted: &BTreeSet<String>) -> Result<()> {
    let check = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    match accepted.iter().find(|name| !ACCEPTABLE.contains(&check(name).as_str())) {
        None => Ok(()),
        Some(name) => Err(Diagnostic::usage(format!("`{name}` is nothing that can be accepted"))
            .closest(&check(name), ACCEPTABLE)
            .help(format!("name a check, or one of its findings as its error names it: {}", ACCEPTABLE.join(", ")))),
    }
}

/// What is left to tell when errors are accepted, or the error that stops the run.
pub fn accept_or_stop(mut found: Vec<Found>, accepted: &BTreeSet<String>) -> Result<Vec<Finding>> {
    for one in found.iter_mut().filter(|one| one.finding.severity == Severity::Error && one.is_acceptable()) {
        if accepted.contains(&one.finding.check) || accepted.contains(&one.name()) {
            one.accept();
        }
    }
    let mut errors = found.iter().filter(|one| one.finding.severity == Severity::Error);
    let Some(first) = errors.next() else { return Ok(found.into_iter().map(|one| one.finding).collect()) };
    let Finding { title, shown, help, .. } = &first.finding;
    let mut error = Diagnostic::data(title);
    if let Some(place) = &first.place {
        error = error.at(place.clone());
    }
    error = shown.iter().fold(error, |error, note| error.note(note));
    let others: Vec<&Found> = errors.collect();
    for other in others.iter().take(TOLD) {
        error = error.note(format!("and: {}", other.finding.title));
    }
    if others.len() > TOLD {
        error = error.note(format!("and {} more", others.len() - TOLD));
    }
    error = error.help(help);
    if first.is_acceptable() {
        let flags: Vec<String> = std::iter::once(first)
            .chain(others.into_iter().filter(|other| other.is_acceptable()))
            .map(|one| format!("--accept {}", one.name()))
            .collect();
        error = error.help(format!("if it is right as it is, go on with `scorebook run {}`", flags.join(" ")));
    }
    Err(error.help("nothing was published; the last run stands as it was"))
}

/// Tells of what was accepted and not there.
pub fn idle(accepted: &BTreeSet<String>, findings: &[Finding]) -> Vec<Finding> {
    let used = |name: &str| {
        findings.iter().filter(|finding| finding.accepted).any(|finding| {
            name == finding.check || name == format!("{}:{}", finding.check, finding.of.as_deref().unwrap_or_default())
        })
    };
    let idle = accepted.iter().filter(|name| !used(name));
    idle.map(|name| {
        Found::warning(ACCEPT, name, format!("`--accept {name}` accepted nothing"))
            .help("leave it out: what is accepted for good is checked no more")
            .finding
    })
    .collect()
}
