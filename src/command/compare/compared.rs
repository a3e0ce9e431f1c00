//! What a comparison found.

use crate::command::compare::changes::TableChange;
use crate::command::compare::inputs::Basis;
use crate::command::compare::moves::Move;
use crate::command::compare::run::Side;
use crate::command::compare::scores::ScoreChange;
use std::collections::BTreeMap;

/// Two runs, compared.
pub(super) struct Compared<'a> {
    pub(super) from: &'a Side<'a>,
    pub(super) to: &'a Side<'a>,
    pub(super) basis: Basis,
    pub(super) records: Vec<TableChange>,
    pub(super) scores: Vec<Told>,
    pub(super) names: BTreeMap<String, String>,
    pub(super) notes: Vec<String>,
}

/// A score that is another, and the facts that made it so; none of a formula, which has parts instead.
pub(super) struct Told {
    pub(super) change: ScoreChange,
    pub(super) moves: Option<Vec<Move>>,
}
