//! The one style of error: what is wrong, where, the line itself, why, and what to do.
//!
//! Inner code gives the reason; whoever knows the place adds it with [`Diagnostic::at`]. The kind alone decides
//! the exit code. Nothing else in the crate formats errors or knows exit codes.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use std::fmt;

/// The result of everything that can be refused.
pub type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// Who has to act, and thereby the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A fault of the machine or of Scorebook itself: exit code 1.
    Internal,
    /// The command line: exit code 2.
    Usage,
    /// Settings, definitions or templates: exit code 3.
    Project,
    /// Exports or their contents: exit code 4.
    Data,
    /// Published, but some documents failed: exit code 5.
    Partial,
    /// Something stored is not what the ledger says: exit code 6.
    Verification,
    /// Another run holds the lock: exit code 7.
    Locked,
    /// A signal of this number ended the process: exit code 128 and the number, as shells and schedulers expect.
    Interrupted(u8),
}

impl Kind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Usage => 2,
            Kind::Project => 3,
            Kind::Data => 4,
            Kind::Partial => 5,
            Kind::Verification => 6,
            Kind::Locked => 7,
            Kind::Interrupted(signal) => 128 + signal,
        }
    }
}

/// A place in a text: the file, one of its lines, and the characters meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as the user would type it.
    pub file: String,
    /// Counted from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The line itself, without its end.
    pub text: String,
    /// The first character meant, counted from 1; 0 for the whole line.
    pub column: usize,
    /// How many characters are meant.
    pub width: usize,
    /// What to say under the characters.
    pub label: String,
}

impl Place {
    /// The whole of a file.
    pub fn file(file: impl Into<String>) -> Place {
        Place { file: file.into(), line: 0, text: String::new(), column: 0, width: 0, label: String::new() }
    }

    /// A line of a file, given the file's text; `line` counts from 1.
    pub fn line(file: impl Into<String>, source: &str, line: usize) -> Place {
        let text = source.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        Place { file: file.into(), line, text, column: 0, width: 0, label: String::new() }
    }

    /// Narrows the place to some characters of its line.
    pub fn columns(mut self, column: usize, width: usize) -> Place {
        (self.column, self.width) = (column, width.max(1));
        self
    }

    /// Narrows the place to the first standalone occurrence of `word` in its line, if there is one.
    pub fn word(self, word: &str) -> Place {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let found = self.text.match_indices(word).find(|(start, _)| {
            let before = self.text[..*start].chars().next_back();
            let after = self.text[start + word.len()..].chars().next();
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        });
        match found {
            Some((start, _)) if !word.is_empty() => {
                let column = self.text[..start].chars().count() + 1;
                self.columns(column, word.chars().count())
            }
            _ => self,
        }
    }

    /// Says something under the characters.
    pub fn label(mut self, label: impl Into<String>) -> Place {
        self.label = label.into();
        self
    }

    /// The byte range of the characters meant within the line.
    fn bytes(&self) -> std::ops::Range<usize> {
        if self.column == 0 {
            return 0..self.text.len();
        }
        let at = |n: usize| self.text.char_indices().nth(n).map_or(self.text.len(), |(i, _)| i);
        at(self.column - 1)..at(self.column - 1 + self.width)
    }
}

/// One refusal, complete: it can be printed as it stands.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Who has to act.
    pub kind: Kind,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Option<Box<Place>>,
    /// Why, or what is known besides.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of any kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic { kind, message: message.into(), place: None, notes: Vec::new(), help: Vec::new() })
    }

    /// A fault of the machine or of Scorebook itself.
    pub fn internal(message: impl Into<String>) -> Box<Diagnostic> {
        Diagnostic::new(Kind::Internal, message)
    }

    /// A fault in settings, definitions or templates.
    pub fn project(message: impl Into<String>) -> Box<Diagnostic> {
        Diagnostic::new(Kind::Project, message)
    }

    /// A fault in the exports or their contents.
    pub fn data(message: impl Into<String>) -> Box<Diagnostic> {
        Diagnostic::new(Kind::Data, message)
    }

    /// A fault in how the command was called.
    pub fn usage(message: impl Into<String>) -> Box<Diagnostic> {
        Diagnostic::new(Kind::Usage, message)
    }

    /// Adds the place, unless one is known already.
    pub fn at(mut self: Box<Self>, place: Place) -> Box<Self> {
        self.place.get_or_insert_with(|| Box::new(place));
        self
    }

    /// Adds a reason.
    pub fn note(mut self: Box<Self>, note: impl Into<String>) -> Box<Self> {
        self.notes.push(note.into());
        self
    }

    /// Adds a way out.
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" if one of `known` is close to `given`.
    pub fn closest<'a>(self: Box<Self>, given: &str, known: impl IntoIterator<Item = &'a str>) -> Box<Self> {
        match closest(given, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The text for people, with colours if `colour`.
    pub fn render(&self, colour: bool) -> String {
        self.cleaned().print(colour)
    }

    /// The same without control characters: some of the text comes from a CRM, and a terminal would obey it.
    fn cleaned(&self) -> Diagnostic {
        let clean = |text: &String| -> String { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() };
        let place = self.place.as_deref().map(|place| {
            let (file, text, label) = (clean(&place.file), clean(&place.text), clean(&place.label));
            Box::new(Place { file, text, label, ..place.clone() })
        });
        Diagnostic {
            kind: self.kind,
            message: clean(&self.message),
            place,
            notes: self.notes.iter().map(clean).collect(),
            help: self.help.iter().map(clean).collect(),
        }
    }

    fn print(&self, colour: bool) -> String {
        let mut elements: Vec<Element<'_>> = Vec::new();
        match self.place.as_deref() {
            Some(place) if place.line > 0 => {
                let annotation = AnnotationKind::Primary.span(place.bytes());
                let annotation =
                    if place.label.is_empty() { annotation } else { annotation.label(place.label.as_str()) };
                let snippet = Snippet::source(place.text.as_str())
                    .path(place.file.as_str())
                    .line_start(place.line)
                    .annotation(annotation);
                elements.push(snippet.into());
            }
            Some(place) => elements.push(Origin::path(place.file.as_str()).into()),
            None => {}
        }
        elements.extend(self.notes.iter().map(|note| Level::NOTE.message(note.as_str()).into()));
        elements.extend(self.help.iter().map(|help| Level::HELP.message(help.as_str()).into()));
        let report = [Level::ERROR.primary_title(self.message.as_str()).elements(elements)];
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&report)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// The name in `known` that `given` was probably meant to be.
pub fn closest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&given, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_complete() {
        let place = Place::line("a.sql", "SELECT 1\nFROM opportunites", 2).word("opportunites").label("no such table");
        let error =
            Diagnostic::project("unknown table").at(place).note("why").closest("opportunites", ["opportunities"]);
        let lines = [
            "error: unknown table",
            " --> a.sql:2:6",
            "  |",
            "2 | FROM opportunites",
            "  |      ^^^^^^^^^^^^ no such table",
            "  |",
            "  = note: why",
            "  = help: did you mean `opportunities`?",
        ];
        assert_eq!(error.to_string(), lines.join("\n"));
        assert_eq!(error.kind.exit_code(), 3);
    }
}
