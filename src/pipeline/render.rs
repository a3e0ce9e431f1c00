//! From scores to documents: the complete set is listed first, then each is rendered from its own context.
//!
//! A document's key names its context, templates and fonts, so an unchanged one is found and not made. A rendered document
//! leaves nothing in memory: scores, facts and lists are read entity by entity, and each worker holds one document.

pub mod attachments;
pub mod charts;
pub mod context;
pub mod csv;
pub mod format;
pub mod glyphs;
pub mod html;
pub mod input;
pub mod naming;
pub mod pdf;
pub mod site;
pub mod workers;

mod audience;
mod by_entity;
mod caught;
mod changes;
mod lists;
mod members;
mod rendering;
mod report_data;
mod uncounted;
mod unprinted;

pub use unprinted::finding as unprinted;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::artifact::document::{Before, CONTEXT, Document, Reason, Rendered, Unprinted};
use crate::artifact::model::Model;
use crate::artifact::scores::Scores;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::calendar::Calendar;
use crate::domain::digest::{Digest, Key};
use crate::domain::json;
use crate::domain::metric::Metrics;
use crate::domain::period::{Grain, Period};
use crate::domain::score::NotSupplied;
use crate::project::Project;
use crate::provenance::TYPESETTER;
use crate::run_context::{Event, RunContext};
use crate::settings::OnlyForTeams;
use crate::steps::Made;
use caught::caught;
use charts::frame::Chart;
use context::schema::Context;
use input::{Company, Input, Report};
use jiff::civil::Date;
use rendering::{FONTS, OWN_FONTS, Rendering, TEMPLATES};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Raised when rendering makes other documents of the same inputs.
const FORMAT: u32 = 7;
/// So many documents are brought to the disk together.
const FLUSH_EVERY: usize = 64;

/// What a whole report made, if nothing of it changed; and what is told of each of its documents, by entity's name.
#[derive(Serialize, Deserialize)]
struct MadeReport(Vec<Document>, Vec<(String, BTreeSet<Unprinted>)>);

impl Made for MadeReport {
    fn objects(&self) -> Vec<String> {
        self.0.iter().flat_map(|d| d.files.iter().map(|(format, digest)| Document::path(format, digest))).collect()
    }
}

/// What one document's step made, and what is told of it.
#[derive(Serialize, Deserialize)]
struct MadeDocument(BTreeMap<String, Digest>, BTreeSet<Unprinted>);

impl Made for MadeDocument {
    fn objects(&self) -> Vec<String> {
        self.0.iter().map(|(format, digest)| Document::path(format, digest)).collect()
    }
}

/// All reports of the project, by id.
pub fn reports(project: &Project) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for (path, text, _) in project.texts(TEMPLATES, "/report.toml")? {
        let id = path[TEMPLATES.len()..].trim_end_matches("/report.toml");
        reports.push(Report::parse(id, path, text)?);
    }
    Ok(reports)
}

/// The grains that reports print.
pub fn grains(reports: &[Report]) -> BTreeSet<Grain> {
    let week = |report: &Report| (!report.weeks.is_empty()).then_some(Grain::Week);
    reports.iter().flat_map(|report| report.also.iter().copied().chain([report.grain]).chain(week(report))).collect()
}

/// The period that a report is made for on a day: that of its grain, if its numbers stand on that day. A closed month in an
/// open quarter leaves the quarter's report as it is.
pub fn period_on(report: &Report, calendar: &Calendar, day: Date, as_of: Date) -> Option<Period> {
    let period = calendar.period(report.grain, day);
    (period.measured_on(as_of) == day).then_some(period)
}

/// Makes or finds all documents of the reports whose period stands on the night's anchor.
pub async fn run(
    night: &RunContext<'_>,
    model: &Model,
    scores: &Scores,
    metrics: &Metrics,
    reports: &[Report],
    before: &Before,
) -> Result<Rendered> {
    let mut rendered = Rendered::default();
    for report in reports {
        let Some(period) = period_on(report, &night.settings.calendar, night.anchor, night.as_of) else { continue };
        rendered.periods.insert(report.id.clone(), period.name());
        let rendering = Rendering::of(night, model, scores, metrics, report, period)?;
        let key = rendering.key();
        if let Some(MadeReport(documents, unprinted)) = night.steps.recall(key).await? {
            rendered.reused += documents.len();
            rendered.documents.extend(documents);
            rendered.unprinted.extend(unprinted.into_iter().map(|(name, texts)| (report.id.clone(), name, texts)));
            continue;
        }
        let (start, told) = (rendered.documents.len(), rendered.unprinted.len());
        rendering.all(before, &mut rendered).await?;
        if rendered.failed.iter().all(|(id, _, _)| *id != report.id) {
            let told = rendered.unprinted[told..].iter().map(|(_, name, texts)| (name, texts)).collect::<Vec<_>>();
            // As `MadeReport` reads it.
            night.steps.remember(key, &(&rendered.documents[start..], told))?;
        }
    }
    if rendered.documents.is_empty() && !rendered.failed.is_empty() {
        // With nothing to publish beside them, what they have in common is at fault.
        let (_, _, error) = rendered.failed.swap_remove(0);
        return Err(error.note(format!("none of the {} documents could be made", rendered.failed.len() + 1)));
    }
    night.steps.flush().await?;
    Ok(rendered)
}

/// A document that is to be rendered.
struct Job {
    context: Context,
    text: String,
    key: Key,
    document: Document,
    name: String,
    why: String,
}

/// A rendered document: its files by format, and what of its texts does not print as it stands.
#[derive(Default)]
struct Printed {
    files: BTreeMap<String, Vec<u8>>,
    unprinted: BTreeSet<Unprinted>,
}

/// Documents that could not be made: report, entity's id, and what is wrong.
type Failed = Vec<(String, String, Box<Diagnostic>)>;

impl Rendering<'_> {
    /// The key of the report as a whole.
    fn key(&self) -> Key {
        #[derive(Serialize)]
        struct Inputs<'a> {
            typesetter: &'a str,
            layout: &'a BTreeMap<String, Digest>,
            definitions: &'a BTreeMap<String, Digest>,
            lists: BTreeMap<&'a str, Digest>,
            model: BTreeMap<&'a str, (Digest, Option<Digest>)>,
            rejected: Vec<((&'a str, &'a str), u64)>,
            scores: BTreeMap<&'a str, (Digest, Option<&'a NotSupplied>)>,
            company: &'a Company,
            only_for_teams: &'a [OnlyForTeams],
            period: String,
            as_of: String,
        }
        let scores = self.scores.tables.iter();
        Key::of(
            "report",
            FORMAT,
            &Inputs {
                typesetter: TYPESETTER,
                layout: &self.layout,
                definitions: &self.definitions,
                lists: self.night.project.under(lists::FOLDER).map(|(path, file)| (path, file.digest)).collect(),
                model: self
                    .model
                    .tables
                    .iter()
                    .map(|(name, table)| (name.as_str(), (table.digest, table.quarantine)))
                    .collect(),
                rejected: uncounted::rejected(self.model).into_iter().collect(),
                scores: scores.map(|(id, table)| (id.as_str(), (table.digest, table.not_supplied.as_ref()))).collect(),
                company: &self.company,
                only_for_teams: &self.night.settings.people.only_for_teams,
                period: self.period.name(),
                as_of: self.night.as_of.to_string(),
            },
        )
    }

    /// The key of one document: everything that shapes its files.
    fn document_key(&self, context: Digest) -> Key {
        Key::of("render", FORMAT, &(TYPESETTER, context, &self.layout, &self.report.formats))
    }

    async fn all(&self, before: &Before, rendered: &mut Rendered) -> Result<()> {
        let audience = audience::list(self.night, self.model, self.report, self.period).await?;
        let mut reading = report_data::ReportData::open(self).await?;
        let printer = Printer::of(self)?;
        let mut fault: Option<Box<Diagnostic>> = None;
        let mut found: Vec<Document> = Vec::new();
        let mut since_flush = 0;
        let (mut made, mut failed, mut unfit) = (Vec::new(), Failed::new(), Failed::new());
        let (mut told, mut told_again) = (Vec::new(), Vec::new());
        // Contexts are built on this thread, one ahead of the workers; the store is asked from here as well.
        let mut members = audience.into_iter();
        let jobs = std::iter::from_fn(|| {
            loop {
                let member = members.next()?;
                match wait(self.job(member, &mut reading, before)) {
                    Ok(Next::Render(job)) => return Some(*job),
                    Ok(Next::Found(document, unprinted)) => {
                        told_again.push((document.name.clone(), unprinted));
                        found.push(*document);
                    }
                    Ok(Next::Unfit(entity, error)) => unfit.push((self.report.id.clone(), entity, error)),
                    Err(error) => {
                        fault = Some(error);
                        return None;
                    }
                }
            }
        });
        let mut stored = Vec::new();
        let mut failure: Option<Box<Diagnostic>> = None;
        workers::run(
            self.night.limits.threads,
            jobs,
            |job| {
                let printed = caught(|| job.what(), || printer.print(&job, self.metrics));
                (job, printed)
            },
            |(job, printed): (Job, Result<Printed>)| {
                (self.night.tell)(Event::Item(&job.name));
                match printed.and_then(|printed| wait(self.keep(&job, printed))) {
                    Ok((document, unprinted)) => {
                        told.push((job.name.clone(), unprinted));
                        made.push(Reason { report: self.report.id.clone(), name: job.name, why: job.why });
                        stored.push(document);
                        since_flush += 1;
                        if since_flush >= FLUSH_EVERY {
                            since_flush = 0;
                            failure = wait(self.night.steps.flush()).err().or(failure.take());
                        }
                    }
                    Err(error) => failed.push((self.report.id.clone(), job.document.entity, error)),
                }
            },
        );
        if let Some(error) = fault.or(failure) {
            return Err(error);
        }
        rendered.reused += found.len();
        let mut documents = found;
        documents.extend(stored);
        documents.sort();
        made.sort_by(|a, b| a.name.cmp(&b.name));
        told.extend(told_again);
        told.retain(|(_, unprinted)| !unprinted.is_empty());
        told.sort();
        failed.extend(unfit);
        failed.sort_by(|a, b| a.1.cmp(&b.1));
        rendered.documents.extend(documents);
        rendered.made.extend(made);
        rendered.unprinted.extend(told.into_iter().map(|(name, texts)| (self.report.id.clone(), name, texts)));
        rendered.failed.extend(failed);
        Ok(())
    }

    /// Builds a member's context and looks whether its document stands already.
    async fn job(
        &self,
        member: audience::Member,
        reading: &mut report_data::ReportData,
        before: &Before,
    ) -> Result<Next> {
        let (facts, facts_total) = reading.facts(&member.entity.id)?;
        let (members, of_members) = reading.members(&member.entity.id)?;
        let input = Input {
            company: &self.company,
            report: self.report,
            period: self.period,
            working_days: reading.working_days(self, &member),
            as_of: self.night.as_of,
            calendar: &self.night.settings.calendar,
            metrics: self.metrics,
            definitions: &self.definitions,
            scores: reading.scores(&member.entity.level, &member.entity.id)?,
            around: reading.around(&member)?,
            lists: reading.lists(&member.entity.id)?,
            facts,
            facts_total,
            not_supplied: reading.not_supplied(),
            hidden: reading.hidden(&member.entity.id),
            hidden_of: reading.hidden_of(&members),
            members,
            of_members,
            entity: member.entity,
        };
        let what = || what(&self.report.id, &input.entity.name, &input.entity.id);
        let context = match caught(what, || Ok(context::context(&input))) {
            Ok(context) => context,
            Err(error) => return Ok(Next::Unfit(input.entity.id, error)),
        };
        let text = json::canonical(&context);
        let digest = Digest::of(text.as_bytes());
        let key = self.document_key(digest);
        let mut document = Document {
            report: self.report.id.clone(),
            period: self.period.name(),
            level: input.entity.level,
            entity: input.entity.id,
            name: context.entity.name.clone(),
            title: format!("{}, {}", context.report.title, context.period.title),
            above: member.above,
            view: format!("{}/{}/{}", self.period.name(), self.report.id, member.file_name),
            key,
            files: BTreeMap::new(),
        };
        if let Some(MadeDocument(files, unprinted)) = self.night.steps.recall(key).await? {
            document.files = files;
            return Ok(Next::Found(Box::new(document), unprinted));
        }
        let identity = (document.report.clone(), document.period.clone(), document.entity.clone());
        let why = match before.get(&identity) {
            None => "not made before".to_owned(),
            Some((_, earlier)) if *earlier == digest => "its template, theme, fonts or typesetter changed".to_owned(),
            Some((_, earlier)) => match self.night.store.find(&Document::path(CONTEXT, earlier)).await {
                Ok(earlier) => changes::between(earlier.as_deref(), &text),
                // It says why, and nothing else: no reason to hold a document back.
                Err(error) if error.kind == Kind::Verification => "its last context is damaged".to_owned(),
                Err(error) => return Err(error),
            },
        };
        let name = context.entity.name.clone();
        Ok(Next::Render(Box::new(Job { context, text, key, document, name, why })))
    }

    /// Stores a document's files and remembers its step.
    async fn keep(&self, job: &Job, printed: Printed) -> Result<(Document, BTreeSet<Unprinted>)> {
        let mut document = job.document.clone();
        for (format, bytes) in printed.files {
            let digest = self.night.store.put_named("documents", &format, bytes).await?;
            document.files.insert(format, digest);
        }
        // As `MadeDocument` reads it.
        self.night.steps.remember(job.key, &(&document.files, &printed.unprinted))?;
        Ok((document, printed.unprinted))
    }
}

/// What is next for a member of the audience.
enum Next {
    /// Its document stands, with what is told of it.
    Found(Box<Document>, BTreeSet<Unprinted>),
    Render(Box<Job>),
    /// Nothing can be said of the entity of this id.
    Unfit(String, Box<Diagnostic>),
}

/// What a fault was at.
fn what(report: &str, name: &str, id: &str) -> String {
    format!("the {report} of {} ({id})", format::one_line(name))
}

impl Job {
    fn what(&self) -> String {
        what(&self.document.report, &self.name, &self.document.entity)
    }
}

/// Templates, parsed once for all documents of a report.
struct Printer<'a> {
    pdf: pdf::Pdf,
    html: html::Html,
    formats: &'a [String],
    layout: &'a BTreeMap<String, Digest>,
}

impl<'a> Printer<'a> {
    fn of(rendering: &'a Rendering<'a>) -> Result<Printer<'a>> {
        let project = rendering.night.project;
        let own = format!("{TEMPLATES}{}/", rendering.report.id);
        // Templates know each other by short names: their own folder is the root, the theme stands beside it.
        let named = |path: &str| path.strip_prefix(&own).or(path.strip_prefix(TEMPLATES)).unwrap_or(path).to_owned();
        let theme = format!("{TEMPLATES}theme/");
        let files = [own.as_str(), theme.as_str()];
        let files: Vec<_> = files.into_iter().flat_map(|part| project.under(part).collect::<Vec<_>>()).collect();
        let typst = files.iter().filter(|(path, _)| !path.ends_with(".html") && !path.ends_with(".css"));
        let tera = files.iter().filter(|(path, _)| path.ends_with(".html") || path.ends_with(".css"));
        let fonts = project.under(FONTS).chain(project.under(OWN_FONTS)).map(|(_, file)| file.bytes.to_vec()).collect();
        let mut texts = BTreeMap::new();
        for (path, _) in tera {
            texts.insert(named(path), project.text(path)?.to_owned());
        }
        Ok(Printer {
            pdf: pdf::Pdf::new(typst.map(|(path, file)| (named(path), file.bytes.to_vec())).collect(), fonts)?,
            html: html::Html::new(&texts)?,
            formats: &rendering.report.formats,
            layout: &rendering.layout,
        })
    }

    /// All formats of a document.
    fn print(&self, job: &Job, metrics: &Metrics) -> Result<Printed> {
        let context = &job.context;
        let drawn: Vec<Chart> = charts::draw(context);
        let mut printed = Printed::default();
        printed.files.insert(CONTEXT.to_owned(), job.text.clone().into_bytes());
        for format in self.formats {
            let bytes = match format.as_str() {
                "pdf" => {
                    let (bytes, unprinted) = self.pdf.render(context, &drawn, &self.attachments(job, metrics))?;
                    printed.unprinted.extend(unprinted);
                    bytes
                }
                "html" => self.html.render(context, &drawn)?.into_bytes(),
                _ => csv::twin(context).into_bytes(),
            };
            printed.files.insert(format.clone(), bytes);
        }
        Ok(printed)
    }

    /// The attachments, and `document.json` that names them and what made the document.
    fn attachments(&self, job: &Job, metrics: &Metrics) -> Vec<attachments::Attachment> {
        #[derive(Serialize)]
        struct Made<'a> {
            format: u32,
            key: Key,
            context: Digest,
            typesetter: &'a str,
            layout: &'a BTreeMap<String, Digest>,
            attachments: BTreeMap<&'a str, Digest>,
        }
        let without = attachments::attachments(&job.context, metrics, None);
        let made = Made {
            format: FORMAT,
            key: job.key,
            context: Digest::of(job.text.as_bytes()),
            typesetter: TYPESETTER,
            layout: self.layout,
            attachments: without.iter().map(|a| (a.name.as_str(), Digest::of(&a.bytes))).collect(),
        };
        attachments::attachments(&job.context, metrics, Some(json::canonical(&made)))
    }
}

/// Waits for the store from within a callback.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}
