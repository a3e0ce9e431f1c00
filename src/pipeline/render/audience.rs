//! Who gets a document: the entities of the report's level that are there in its period.

use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::domain::period::EPOCH;
use crate::domain::period::Period;
use crate::domain::score::UNASSIGNED;
use crate::engine::Session;
use crate::engine::text::{fill, literal};
use crate::pipeline::render::input::{Entity, Report};
use crate::pipeline::render::naming;
use crate::run_context::RunContext;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use jiff::ToSpan;
use std::collections::BTreeMap;

/// A member of a report's audience.
pub struct Member {
    /// Whom its document is about.
    pub entity: Entity,
    /// The ids of the entities above: level -> id.
    pub above: BTreeMap<String, String>,
    /// The readable name of its files.
    pub file_name: String,
}

/// The members, by id.
///
/// A rep is there who has a team on a day of the period up to the measuring day; where nobody has one, who is not gone.
pub async fn list(night: &RunContext<'_>, model: &Model, report: &Report, period: Period) -> Result<Vec<Member>> {
    let session = Session::new(night.limits, night.store)?;
    for name in ["reps", "teams", "membership"] {
        session.register_parquet(name, &model.tables[name].path(name)).await?;
    }
    let measured_on = period.measured_on(night.as_of);
    let sql = fill(
        include_str!("sql/audience.sql"),
        &[
            ("level", &literal(&report.audience)),
            ("company", &literal(&night.settings.company.name)),
            ("start", &period.start.to_string()),
            ("measured_on", &measured_on.to_string()),
            ("unassigned", UNASSIGNED),
        ],
    )?;
    let mut members: Vec<Member> = Vec::new();
    for batch in session.query_own(&sql).await? {
        let column = |name: &str| -> Vec<Option<String>> {
            // Where rows of several queries meet, the engine may hold texts in another way.
            let column = batch.column_by_name(name).and_then(|column| cast(column, &DataType::Utf8).ok());
            let texts = column.as_ref().and_then(|column| column.as_string_opt::<i32>());
            match texts {
                Some(texts) => texts.iter().map(|text| text.map(String::from)).collect(),
                None => vec![None; batch.num_rows()],
            }
        };
        let (ids, names, roles) = (column("entity"), column("name"), column("role"));
        let (levels, above, above_names) = (column("above_level"), column("above"), column("above_name"));
        let hired = hired(&batch);
        for row in 0..batch.num_rows() {
            let Some(id) = &ids[row] else { continue };
            if members.last().is_none_or(|member| member.entity.id != *id) {
                let name = names[row].clone().unwrap_or_else(|| id.clone());
                members.push(Member {
                    file_name: naming::file_name(&report.audience, id, &name),
                    entity: Entity {
                        level: report.audience.clone(),
                        id: id.clone(),
                        name,
                        role: None,
                        team: None,
                        region: None,
                        hired_on: hired[row],
                    },
                    above: BTreeMap::new(),
                });
            }
            let (Some(member), Some(level), Some(team)) = (members.last_mut(), &levels[row], &above[row]) else {
                continue;
            };
            // Rows come oldest first: the last team of the period is the one that is printed.
            member.above.insert(level.clone(), team.clone());
            match level.as_str() {
                "team" => (member.entity.team, member.entity.role) = (above_names[row].clone(), roles[row].clone()),
                "region" => member.entity.region = above_names[row].clone(),
                _ => {}
            }
        }
    }
    Ok(members)
}

fn hired(batch: &RecordBatch) -> Vec<Option<jiff::civil::Date>> {
    let days = batch.column_by_name("hired_on").and_then(|column| column.as_primitive_opt::<Date32Type>());
    let Some(days) = days else { return vec![None; batch.num_rows()] };
    (0..days.len()).map(|row| days.is_valid(row).then(|| EPOCH + days.value(row).days())).collect()
}
