//! Whom cells are of, as numbers: the engine adds up and sorts by these, and names come back when cells become scores.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::period::days_between;
use crate::engine::Session;
use crate::pipeline::Night;
use crate::pipeline::stage::typed::EPOCH;
use crate::pipeline::stage::workdays::Rows;
use crate::pipeline::stage::{Model, read_table};
use arrow::array::{ArrayRef, Date32Array, Int32Array, RecordBatch, StringArray};
use std::sync::Arc;

/// Everybody whom a fact may belong to, in the order of levels and names.
#[derive(Default)]
pub struct Entities {
    all: Vec<(String, String)>,
    members: Vec<Member>,
}

/// With whom a rep is: first day, and the one after the last.
struct Member {
    rep: String,
    entity: usize,
    days: [i32; 2],
}

impl Entities {
    /// Reads the model's `membership`.
    pub async fn read(night: &Night<'_>, model: &Model) -> Result<Entities> {
        let mut found = Vec::new();
        for batch in read_table(night, model, "membership").await? {
            let rows = Rows(&batch);
            let day = |name: &str, row| Some(days_between(EPOCH, rows.day(name, row)?));
            let text = |name: &str, row| rows.text(name, row);
            let member = |row| {
                let days = [day("valid_from", row)?, day("valid_to", row)?];
                Some(((text("level", row)?, text("entity", row)?), text("rep_id", row)?, days))
            };
            found.extend((0..batch.num_rows()).filter_map(member));
        }
        found.sort_unstable();
        let mut entities = Entities::default();
        for (entity, rep, days) in found {
            if entities.all.last() != Some(&entity) {
                entities.all.push(entity);
            }
            entities.members.push(Member { rep, entity: entities.all.len() - 1, days });
        }
        Ok(entities)
    }

    /// Level and name.
    pub fn get(&self, number: i32) -> (&str, &str) {
        usize::try_from(number).ok().and_then(|i| self.all.get(i)).map_or(("", ""), |(level, name)| (level, name))
    }

    /// Names the tables `entities` (level, entity, entity_no) and `members` (rep_id, level, entity_no, valid_from, valid_to).
    pub fn add_to(&self, session: &Session) -> Result<()> {
        let numbers = |of: &mut dyn Iterator<Item = usize>| -> ArrayRef {
            Arc::new(Int32Array::from_iter_values(of.map(|number| number as i32)))
        };
        let texts = |of: &mut dyn Iterator<Item = &str>| -> ArrayRef { Arc::new(StringArray::from_iter_values(of)) };
        let days = |i: usize| -> ArrayRef {
            Arc::new(Date32Array::from_iter_values(self.members.iter().map(|member| member.days[i])))
        };
        let tables = [
            (
                "entities",
                vec![
                    ("level", texts(&mut self.all.iter().map(|(level, _)| level.as_str()))),
                    ("entity", texts(&mut self.all.iter().map(|(_, entity)| entity.as_str()))),
                    ("entity_no", numbers(&mut (0..self.all.len()))),
                ],
            ),
            (
                "members",
                vec![
                    ("rep_id", texts(&mut self.members.iter().map(|member| member.rep.as_str()))),
                    ("level", texts(&mut self.members.iter().map(|member| self.all[member.entity].0.as_str()))),
                    ("entity_no", numbers(&mut self.members.iter().map(|member| member.entity))),
                    ("valid_from", days(0)),
                    ("valid_to", days(1)),
                ],
            ),
        ];
        for (name, columns) in tables {
            let rows = RecordBatch::try_from_iter(columns);
            let rows = rows.map_err(|error| Diagnostic::internal(format!("no table {name}: {error}")))?;
            session.add_batches(name, rows.schema(), vec![rows])?;
        }
        Ok(())
    }
}
