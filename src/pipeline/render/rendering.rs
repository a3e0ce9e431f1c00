//! What is rendered: a report of a period, from these scores, with this layout.

use crate::artifact::model::Model;
use crate::artifact::scores::Scores;
use crate::diagnostic::Result;
use crate::domain::digest::Digest;
use crate::domain::metric::Metrics;
use crate::domain::period::Period;
use crate::pipeline::render::input::{Company, Report};
use crate::pipeline::score::definition;
use crate::run_context::RunContext;
use std::collections::BTreeMap;

/// Where report templates stand.
pub(super) const TEMPLATES: &str = "report_templates/";
/// Where fonts stand among the definitions.
pub(super) const FONTS: &str = "fonts/";
/// Where a project's own fonts stand.
pub(super) const OWN_FONTS: &str = "report_templates/fonts/";

/// One report while its documents are made.
pub(super) struct Rendering<'a> {
    pub(super) night: &'a RunContext<'a>,
    pub(super) model: &'a Model,
    pub(super) scores: &'a Scores,
    pub(super) metrics: &'a Metrics,
    pub(super) report: &'a Report,
    pub(super) period: Period,
    pub(super) company: Company,
    pub(super) definitions: BTreeMap<String, Digest>,
    /// Digests of templates, themes and fonts, by path.
    pub(super) layout: BTreeMap<String, Digest>,
}

impl<'a> Rendering<'a> {
    /// A report of a period.
    pub(super) fn of(
        night: &'a RunContext<'a>,
        model: &'a Model,
        scores: &'a Scores,
        metrics: &'a Metrics,
        report: &'a Report,
        period: Period,
    ) -> Result<Rendering<'a>> {
        let company =
            Company { name: night.settings.company.name.clone(), currency: night.settings.company.currency.clone() };
        let own = format!("{TEMPLATES}{}/", report.id);
        let theme = format!("{TEMPLATES}theme/");
        let parts = [own.as_str(), theme.as_str(), FONTS, OWN_FONTS];
        let layout =
            parts.into_iter().flat_map(|part| night.project.under(part).map(|(p, d)| (p.to_owned(), d.digest)));
        let definitions = definition::digests(night.project, metrics);
        Ok(Rendering { night, model, scores, metrics, report, period, company, definitions, layout: layout.collect() })
    }
}
