//! Of whom what may be shown.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::metric::{Form, Metric, Metrics};
use crate::pipeline::score::definition;
use crate::pipeline::stage::workdays::Workdays;
use crate::project::{Project, SETTINGS};
use crate::settings::People;
use std::collections::BTreeSet;

/// The reps of whom this metric may not be shown, or one of those that a formula is made of.
pub fn hidden(people: &People, workdays: &Workdays, metrics: &Metrics, metric: &Metric) -> Result<BTreeSet<String>> {
    let own = metric.form_of();
    let rules = people.only_for_teams.iter().filter(|rule| rule.metrics.iter().any(|id| id == own));
    let mut all: BTreeSet<String> = rules.flat_map(|rule| workdays.reps_of(&rule.region)).cloned().collect();
    if metric.is_formula() {
        for part in definition::uses(metric)?.iter().filter_map(|part| metrics.get(part)) {
            all.extend(hidden(people, workdays, metrics, part)?);
        }
    }
    Ok(all)
}

/// Refuses rules about metrics that there are not.
pub fn check_people(project: &Project, people: &People, metrics: &Metrics) -> Result<()> {
    for id in people.only_for_teams.iter().flat_map(|rule| &rule.metrics) {
        if metrics.get(id).is_none_or(|metric| metric.form != Form::Itself) {
            let text = project.text(SETTINGS)?;
            let named = text.lines().position(|line| line.contains(&format!("\"{id}\""))).unwrap_or_default();
            return Err(Diagnostic::project(format!("`{id}` in [[people.only_for_teams]] is no metric"))
                .at(Place::line(SETTINGS, text, named + 1).word(id))
                .closest(id, metrics.keys().map(String::as_str)));
        }
    }
    Ok(())
}
