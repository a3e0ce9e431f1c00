//! The parts of a report's entities and their totals: a team's reps, the company's teams.
//!
//! A rep who moved is a part of each team, with the days spent there; so parts always add up to the whole. All is read
//! once for every document of a report, and put down by the entity it is a part of.

use crate::diagnostic::Result;
use crate::domain::period::Grain;
use crate::domain::score::Score;
use crate::engine::Session;
use crate::engine::text::literal;
use crate::pipeline::render::by_entity::ByEntity;
use crate::pipeline::render::input::{MembersBy, Part};
use crate::pipeline::render::rendering::Rendering;
use crate::score_file::score;
use arrow::array::AsArray;
use std::collections::BTreeSet;

/// Everything about the parts of a report's entities.
#[derive(Default)]
pub struct Members {
    /// For each of the report's tables of members.
    names: Vec<ByEntity>,
    /// For each level and metric.
    scores: Vec<(String, ByEntity)>,
}

impl Members {
    pub(super) async fn open(of: &Rendering<'_>) -> Result<Members> {
        let mut members = Members::default();
        if of.report.members.is_empty() {
            return Ok(members);
        }
        let session = Session::new(of.night.limits.single_threaded(), of.night.store)?;
        for name in ["membership", "reps", "teams"] {
            session.register_parquet(name, &of.model.tables[name].path(name)).await?;
        }
        for by in &of.report.members {
            let sql = format!("{} ORDER BY whole, name, part", names(of, by));
            members.names.push(ByEntity::of(session.stream(&sql).await?).await?);
        }
        let levels: BTreeSet<&str> = of.report.members.iter().map(|by| by.level.as_str()).collect();
        for level in levels {
            let tables = of.report.members.iter().filter(|by| by.level == level);
            let names: Vec<String> = tables.map(|by| format!("SELECT whole, part FROM ({})", names(of, by))).collect();
            session.materialize("parts", &names.join(" UNION ")).await?;
            for id in of.report.used_of_members(level) {
                session.deregister("scores")?;
                session.register_parquet("scores", &of.scores.tables[id].path(id)).await?;
                let sql = format!(
                    "SELECT p.whole, s.* FROM scores AS s JOIN parts AS p ON p.part = s.entity \
                     WHERE s.level = {} AND s.slice = '' AND ({}) ORDER BY p.whole",
                    literal(level),
                    periods(of)
                );
                members.scores.push((id.clone(), ByEntity::of(session.stream(&sql).await?).await?));
            }
        }
        Ok(members)
    }

    /// The parts of an entity for each table, by name. Entities must be asked for in their order.
    pub fn parts(&mut self, entity: &str) -> Result<Vec<Vec<Part>>> {
        let one = |names: &mut ByEntity| {
            let mut parts = Vec::new();
            names.take(entity, |batch, row| {
                let text = |column: usize| batch.column(column).as_string::<i32>().value(row).to_owned();
                let stays = batch.column(3).as_boolean().value(row);
                parts.push(Part { id: text(1), name: text(2), stays });
            })?;
            Ok(parts)
        };
        self.names.iter_mut().map(one).collect()
    }

    /// The totals of an entity's parts. Entities must be asked for in their order.
    pub fn scores(&mut self, entity: &str) -> Result<Vec<Score>> {
        let (mut all, mut fault) = (Vec::new(), None);
        for (metric, rows) in &mut self.scores {
            rows.take(entity, |batch, row| match score(metric, batch, row) {
                Ok(score) => all.push(score),
                Err(error) => fault = Some(error),
            })?;
        }
        match fault {
            Some(error) => Err(error),
            None => Ok(all),
        }
    }
}

/// Of which parts an entity is made on the days of a table's period: those that share a rep with it on a day.
fn names(of: &Rendering<'_>, by: &MembersBy) -> String {
    let period = of.night.settings.calendar.period(by.grain.unwrap_or(of.report.grain), of.period.start);
    let measured_on = period.measured_on(of.night.as_of);
    let (start, level, audience) = (period.start, literal(&by.level), literal(&of.report.audience));
    let name = if by.level.starts_with("rep") { "r.name" } else { "t.name" };
    format!(
        "SELECT w.entity AS whole, p.entity AS part, MIN(COALESCE({name}, p.entity)) AS name, \
         BOOL_OR(LEAST(p.valid_to, w.valid_to) > DATE '{measured_on}') AS stays \
         FROM membership AS p JOIN membership AS w ON w.rep_id = p.rep_id AND w.level = {audience} \
         AND w.valid_from < p.valid_to AND p.valid_from < w.valid_to \
         LEFT JOIN reps AS r ON r.rep_id = p.rep_id LEFT JOIN teams AS t ON t.team_id = p.entity \
         WHERE p.level = {level} AND GREATEST(p.valid_from, w.valid_from) <= DATE '{measured_on}' \
         AND LEAST(p.valid_to, w.valid_to) > DATE '{start}' GROUP BY w.entity, p.entity"
    )
}

/// The periods of which parts are told.
fn periods(of: &Rendering<'_>) -> String {
    let grains = of.report.also.iter().copied().chain([of.report.grain]);
    let start = |grain: Grain| of.night.settings.calendar.period(grain, of.period.start).start;
    let one = |grain| format!("(s.grain = '{grain}' AND s.period_start = DATE '{}')", start(grain));
    grains.map(one).collect::<Vec<_>>().join(" OR ")
}
