//! The documents as linked pages: one closed folder for each audience.
//!
//! Its one constraint: a folder holds what its readers may read and nothing else, and no link leads out of it. Who may read
//! a document is whom it is about and whoever stood above; the company may read all.

use crate::artifact::document::{CONTEXT, Document};
use crate::diagnostic::Result;
use crate::domain::digest::Digest;
use crate::domain::metric::{Form, Metrics};
use crate::domain::score::COMPANY;
use crate::pipeline::render::context::lists;
use crate::pipeline::render::context::schema::Definition;
use crate::pipeline::render::format::ENGLISH;
use crate::pipeline::render::html::Html;
use crate::pipeline::render::naming;
use crate::pipeline::render::rendering::TEMPLATES;
use crate::project::Project;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the site's templates stand; a project without them has no site.
const FOLDER: &str = "report_templates/site/";
/// The pages at the top of a folder, which are in no warehouse.
pub const PAGES: [&str; 2] = ["index.html", "metrics.html"];

/// A file of a folder.
pub enum File {
    /// A copy of a stored object.
    Copy(String, Digest),
    /// Made for the folder.
    Page(String),
}

/// One closed folder.
pub struct Scope<'a> {
    /// The folder's name.
    pub folder: String,
    level: &'a str,
    name: &'a str,
    documents: Vec<&'a Document>,
}

/// The folders for these documents, by name. Of a document there is only its newest version among them.
pub fn scopes<'a>(documents: &'a [Document], company: &'a str) -> Vec<Scope<'a>> {
    // Whoever has a document of their own is an audience; the newest document knows the name.
    let mut readers: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::from([((COMPANY, COMPANY), ("", company))]);
    for document in documents.iter().filter(|document| document.level != COMPANY) {
        let named = (document.period.as_str(), document.name.as_str());
        let known = readers.entry((&document.level, &document.entity)).or_insert(named);
        *known = (*known).max(named);
    }
    let scopes = readers.into_iter().map(|((level, entity), (_, name))| {
        let folder = naming::folder_name(level, entity, name);
        let may_read = |document: &&Document| {
            level == COMPANY
                || (document.level == level && document.entity == entity)
                || document.above.get(level).is_some_and(|above| above == entity)
        };
        Scope { folder, level, name, documents: documents.iter().filter(may_read).collect() }
    });
    scopes.collect()
}

impl Scope<'_> {
    /// All files of the folder but its list of digests: path -> what stands there.
    ///
    /// # Errors
    /// A template that asks for something that there is not.
    pub fn files(&self, pages: &Pages<'_>) -> Result<BTreeMap<String, File>> {
        let mut files = BTreeMap::new();
        for (path, object, digest) in self.documents.iter().flat_map(|document| document.views()) {
            files.insert(path, File::Copy(object, digest));
        }
        let [index, metrics] = PAGES;
        files.insert(index.to_owned(), File::Page(pages.index(self)?));
        files.insert(metrics.to_owned(), File::Page(pages.metrics(self)?));
        Ok(files)
    }
}

/// A path as a link: all but plain letters, digits and what separates its parts is written in numbers.
fn address(path: &str) -> String {
    let mut link = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => link.push(char::from(byte)),
            _ => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

/// The pages that only the site has.
pub struct Pages<'a> {
    html: Html,
    company: &'a str,
    definitions: Vec<Definition>,
}

/// A period's documents in an index.
#[derive(Serialize)]
struct Shelf<'a> {
    title: &'a str,
    documents: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    /// The page, or the first format there is.
    link: String,
    /// The other formats: their names and links.
    others: Vec<(String, String)>,
}

impl<'a> Pages<'a> {
    /// Whether the project has a site.
    pub fn are_there(project: &Project) -> bool {
        project.under(FOLDER).any(|(path, _)| path == format!("{FOLDER}index.html"))
    }

    /// Parses the site's templates; `None` if the project has none.
    ///
    /// # Errors
    /// A template that cannot be parsed.
    pub fn of(project: &Project, company: &'a str, metrics: &Metrics) -> Result<Option<Pages<'a>>> {
        let theme = format!("{TEMPLATES}theme/");
        let mut texts = BTreeMap::new();
        for (path, _) in project.under(FOLDER).chain(project.under(&theme)) {
            if path.ends_with(".html") || path.ends_with(".css") {
                let name = path.strip_prefix(FOLDER).or(path.strip_prefix(TEMPLATES)).unwrap_or(path);
                texts.insert(name.to_owned(), project.text(path)?.to_owned());
            }
        }
        if !texts.contains_key("index.html") {
            return Ok(None);
        }
        let shown = metrics.values().filter(|metric| !metric.header.hidden && metric.form == Form::Itself);
        let mut definitions: Vec<Definition> = shown.map(|metric| lists::definition(metric, None, &ENGLISH)).collect();
        definitions.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(Some(Pages { html: Html::of_pages(&texts)?, company, definitions }))
    }

    fn index(&self, scope: &Scope<'_>) -> Result<String> {
        #[derive(Serialize)]
        struct Index<'a> {
            company: &'a str,
            name: &'a str,
            level: &'a str,
            shelves: Vec<Shelf<'a>>,
        }
        let mut documents = scope.documents.clone();
        // The newest period first; what is about the whole before what is about its parts.
        let place = |document: &Document| {
            let of_whole = [COMPANY, scope.level].iter().position(|level| *level == document.level).unwrap_or(2);
            (of_whole, document.level == "rep", document.report.clone(), document.name.clone())
        };
        documents.sort_by(|a, b| b.period.cmp(&a.period).then_with(|| place(a).cmp(&place(b))));
        let mut shelves: Vec<Shelf<'_>> = Vec::new();
        for document in documents {
            if shelves.last().is_none_or(|shelf| shelf.title != document.title.as_str()) {
                shelves.push(Shelf { title: &document.title, documents: Vec::new() });
            }
            let link = |format: &str| address(&format!("{}.{format}", document.view));
            let mut formats: Vec<&String> = document.files.keys().filter(|format| *format != CONTEXT).collect();
            formats.sort_by_key(|format| (*format != "html", *format != "pdf", (*format).clone()));
            let Some((first, others)) = formats.split_first() else { continue };
            let others = others.iter().map(|format| (format.to_uppercase(), link(format))).collect();
            let entry = Entry { name: &document.name, link: link(first), others };
            if let Some(shelf) = shelves.last_mut() {
                shelf.documents.push(entry);
            }
        }
        let index = Index { company: self.company, name: scope.name, level: scope.level, shelves };
        self.html.page("index.html", &index)
    }

    fn metrics(&self, scope: &Scope<'_>) -> Result<String> {
        #[derive(Serialize)]
        struct Dictionary<'a> {
            company: &'a str,
            name: &'a str,
            definitions: &'a [Definition],
        }
        let dictionary = Dictionary { company: self.company, name: scope.name, definitions: &self.definitions };
        self.html.page("metrics.html", &dictionary)
    }
}
