//! Whom cells are of, as numbers: the engine adds up and sorts by these, and names come back when cells become scores.

use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::domain::period::EPOCH;
use crate::domain::period::days_between;
use crate::engine::Session;
use crate::pipeline::score::periods::{add, numbers, texts};
use crate::pipeline::stage::workdays::Rows;
use crate::run_context::RunContext;
use crate::run_context::read_table;
use arrow::array::{ArrayRef, Date32Array};
use std::sync::Arc;

/// Level, entity and grain: what a score is compared with has the same.
pub type Group = (String, String, String);

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
    pub async fn read(night: &RunContext<'_>, model: &Model) -> Result<Entities> {
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
        let members = &self.members;
        let days = |i: usize| -> ArrayRef {
            Arc::new(Date32Array::from_iter_values(members.iter().map(|member| member.days[i])))
        };
        add(
            session,
            "entities",
            vec![
                ("level", texts(self.all.iter().map(|(level, _)| level.as_str()))),
                ("entity", texts(self.all.iter().map(|(_, entity)| entity.as_str()))),
                ("entity_no", numbers(0..self.all.len() as i32)),
            ],
        )?;
        add(
            session,
            "members",
            vec![
                ("rep_id", texts(members.iter().map(|member| member.rep.as_str()))),
                ("level", texts(members.iter().map(|member| self.all[member.entity].0.as_str()))),
                ("entity_no", numbers(members.iter().map(|member| member.entity as i32))),
                ("valid_from", days(0)),
                ("valid_to", days(1)),
            ],
        )
    }
}
