//! The PDF: the only file that knows Typst.
//!
//! Its one constraint: a document sees its template, the fonts it was given and the context as data, and nothing else:
//! no clock, no package, no file of the machine, and no text of the data as markup.

use crate::artifact::document::Unprinted;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::pipeline::render::attachments::Attachment;
use crate::pipeline::render::charts::frame::Chart;
use crate::pipeline::render::context::schema::Context;
use crate::pipeline::render::glyphs::{Glyphs, Trust};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use typst::diag::{FileError, FileResult, Severity, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Library, LibraryExt, World, WorldExt};
use typst_kit::fonts::FontStore;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

/// The template that is the document.
const MAIN: &str = "report.typ";
/// The context, as the template reads it.
const CONTEXT: &str = "context.json";
/// Name, media type and description of each attachment; the bytes stand under the attachments' own names.
const ATTACHMENTS: &str = "attachments.json";

/// Parsed templates and fonts, ready for any number of documents on any thread.
pub struct Pdf {
    library: LazyHash<Library>,
    fonts: FontStore,
    glyphs: Glyphs,
    sources: BTreeMap<String, Source>,
    files: BTreeMap<String, Bytes>,
    main: FileId,
    standards: PdfStandards,
}

/// The fonts that Scorebook brings: Noto Sans for everything, Libertinus Serif for headings.
pub fn fonts() -> Vec<(String, Vec<u8>)> {
    let sans = [
        ("NotoSans-Regular", notosans::REGULAR_TTF),
        ("NotoSans-Bold", notosans::BOLD_TTF),
        ("NotoSans-Italic", notosans::ITALIC_TTF),
        ("NotoSans-BoldItalic", notosans::BOLD_ITALIC_TTF),
    ];
    let serif = typst_kit::fonts::embedded().filter(|(_, info)| info.family == "Libertinus Serif");
    let serif = serif.enumerate().map(|(i, (font, _))| (format!("LibertinusSerif-{i}.otf"), font.data().to_vec()));
    sans.into_iter().map(|(name, bytes)| (format!("{name}.ttf"), bytes.to_vec())).chain(serif).collect()
}

impl Pdf {
    /// Parses the templates (`report.typ` and what it imports, by their paths) and loads the fonts.
    ///
    /// # Errors
    /// A template that is no text, a path that is none, or bytes that are no font.
    pub fn new(files: BTreeMap<String, Vec<u8>>, fonts: Vec<Vec<u8>>) -> Result<Pdf> {
        // Header cells of rows can be tagged as such: a table is unreadable by ear without them.
        let features = [Feature::A11yExtras].into_iter().collect();
        let mut pdf = Pdf {
            library: LazyHash::new(Library::builder().with_features(features).build()),
            fonts: FontStore::new(),
            glyphs: Glyphs::new(Vec::new()),
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
            main: file_id(MAIN)?,
            standards: PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1])
                .map_err(|error| Diagnostic::internal(error.message().as_str()))?,
        };
        for bytes in fonts {
            let faces: Vec<Font> = Font::iter(Bytes::new(bytes)).collect();
            if faces.is_empty() {
                return Err(Diagnostic::project("a font file holds no font that can be read"));
            }
            pdf.fonts.extend(faces.into_iter().map(|font| {
                let info = font.info().clone();
                (font, info)
            }));
        }
        let book = pdf.fonts.book();
        let fonts = (0..).map_while(|index| book.info(index)).map(|font| font.coverage.iter().collect());
        pdf.glyphs = Glyphs::new(fonts.collect());
        for (path, bytes) in files {
            if path.ends_with(".typ") {
                let text = String::from_utf8(bytes)
                    .map_err(|_| Diagnostic::project("a template is not UTF-8").at(Place::file(path.as_str())))?;
                pdf.sources.insert(path.clone(), Source::new(file_id(&path)?, text));
            } else {
                pdf.files.insert(path, Bytes::new(bytes));
            }
        }
        pdf.check_syntax()?;
        Ok(pdf)
    }

    /// Refuses templates that cannot be parsed, before the first document is made.
    fn check_syntax(&self) -> Result<()> {
        let document = Document { shared: self, data: BTreeMap::new() };
        let mut errors = self.sources.values().flat_map(|source| source.root().errors_and_warnings().0);
        match errors.next() {
            Some(error) => {
                let refusal = Diagnostic::project(error.message.as_str());
                Err(document.place(error.span).into_iter().fold(refusal, Diagnostic::at))
            }
            None => Ok(()),
        }
    }

    /// The document for a context, and what of its texts does not print as it stands.
    ///
    /// # Errors
    /// A template that Typst or the PDF standards refuse.
    pub fn render(
        &self,
        context: &Context,
        charts: &[Chart],
        attachments: &[Attachment],
    ) -> Result<(Vec<u8>, BTreeSet<Unprinted>)> {
        self.attempt(Trust::All, context, charts, attachments).or_else(|error| {
            // What is read of a text may not be what a font makes of it: once more with what cannot fail.
            self.attempt(Trust::Plain, context, charts, attachments).map_err(|_| error)
        })
    }

    /// The document, with so much of its texts as is trusted to be shaped.
    pub(super) fn attempt(
        &self,
        trust: Trust,
        context: &Context,
        charts: &[Chart],
        attachments: &[Attachment],
    ) -> Result<(Vec<u8>, BTreeSet<Unprinted>)> {
        let value = serde_json::to_value(context).expect("a context is plain JSON");
        let mut told = BTreeSet::new();
        let printed = self.glyphs.printable(&value, trust, &mut told);
        let charts = charts.iter().map(|chart| {
            let svg = self.glyphs.text(&chart.svg, trust).map_or_else(|| chart.svg.clone(), |(svg, _)| svg);
            Chart { svg, ..chart.clone() }
        });
        let document = Document { shared: self, data: data(&printed, &charts.collect::<Vec<_>>(), attachments) };
        self.compile(context, &document).map(|pdf| (pdf, told))
    }

    fn compile(&self, context: &Context, document: &Document<'_>) -> Result<Vec<u8>> {
        let pages = typst::compile::<PagedDocument>(document).output;
        let pages = pages.map_err(|errors| document.refuse(context, &errors))?;
        let date = context.date;
        let parts = (u8::try_from(date.month()), u8::try_from(date.day()));
        let midnight = match parts {
            (Ok(month), Ok(day)) => Datetime::from_ymd_hms(date.year().into(), month, day, 0, 0, 0),
            _ => None,
        };
        let options = PdfOptions {
            ident: Smart::Custom(identity(context)),
            creator: Smart::Custom(Some("Scorebook".into())),
            timestamp: midnight.map(Timestamp::new_utc),
            standards: self.standards.clone(),
            tagged: true,
            ..PdfOptions::default()
        };
        typst_pdf::pdf(&pages, &options).map_err(|errors| document.refuse(context, &errors))
    }
}

/// What stays the same when the same document is made again.
fn identity(context: &Context) -> String {
    let entity = &context.entity;
    format!("{}/{}/{}/{}", context.report.id, entity.level, entity.id, context.period.name)
}

/// Paths are interned for ever, so every document uses the same ones.
fn file_id(path: &str) -> Result<FileId> {
    let path = VirtualPath::new(format!("/{path}"))
        .map_err(|_| Diagnostic::project(format!("`{path}` is no path for a template")))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// The files that differ from document to document.
fn data(context: &Value, charts: &[Chart], attachments: &[Attachment]) -> BTreeMap<String, Bytes> {
    #[derive(Serialize)]
    struct Listed<'a> {
        name: &'a str,
        mime: &'a str,
        description: &'a str,
    }
    let listed: Vec<Listed<'_>> = (attachments.iter())
        .map(|Attachment { name, mime, description, .. }| Listed { name, mime, description })
        .collect();
    let listed = serde_json::to_vec(&listed).expect("three texts are plain JSON");
    let mut files = BTreeMap::from([
        (CONTEXT.to_owned(), Bytes::new(context.to_string().into_bytes())),
        (ATTACHMENTS.to_owned(), Bytes::new(listed)),
    ]);
    files.extend(charts.iter().map(|chart| (format!("{}.svg", chart.id), Bytes::new(chart.svg.clone().into_bytes()))));
    files.extend(
        attachments
            .iter()
            .map(|attachment| (format!("attachments/{}", attachment.name), Bytes::new(attachment.bytes.clone()))),
    );
    files
}

/// What Typst sees while it makes one document.
struct Document<'a> {
    shared: &'a Pdf,
    data: BTreeMap<String, Bytes>,
}

impl World for Document<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.shared.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.shared.fonts.book()
    }

    fn main(&self) -> FileId {
        self.shared.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let path = id.get().vpath().get_without_slash();
        self.shared.sources.get(path).cloned().ok_or_else(|| FileError::NotFound(path.into()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = id.get().vpath().get_without_slash();
        let found = self.data.get(path).or_else(|| self.shared.files.get(path));
        found.cloned().ok_or_else(|| FileError::NotFound(path.into()))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.shared.fonts.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

impl Document<'_> {
    /// Typst's errors in Scorebook's style: the first with its place, the others as notes.
    fn refuse(&self, context: &Context, errors: &[SourceDiagnostic]) -> Box<Diagnostic> {
        let errors: Vec<_> = errors.iter().filter(|error| error.severity == Severity::Error).collect();
        let Some((first, others)) = errors.split_first() else {
            return Diagnostic::internal("Typst gave up without saying why");
        };
        let mut diagnostic = Diagnostic::project(first.message.as_str());
        if let Some(place) = self.place(first.span) {
            diagnostic = diagnostic.at(place);
        }
        diagnostic = diagnostic.note(format!("in the PDF for {} ({})", context.entity.name, context.entity.id));
        for other in others {
            diagnostic = diagnostic.note(other.message.as_str());
        }
        for hint in &first.hints {
            diagnostic = diagnostic.help(hint.v.as_str());
        }
        diagnostic
    }

    fn place(&self, span: DiagSpan) -> Option<Place> {
        let id = span.id()?;
        let source = self.source(id).ok()?;
        let range = self.range(span)?;
        let (line, column) = source.lines().byte_to_line_column(range.start)?;
        let width = source.text().get(range)?.lines().next().unwrap_or_default().chars().count();
        let path = id.get().vpath().get_without_slash();
        Some(Place::line(path, source.text(), line + 1).columns(column + 1, width))
    }
}
