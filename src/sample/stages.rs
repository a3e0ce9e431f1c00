//! The stages of a deal at Alderbrook Instruments, and what Brackwater Sensors calls them.

use crate::sample::table::Table;

/// Where a deal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Somebody may need something.
    Prospecting,
    /// They do, and can pay for it.
    Qualification,
    /// What exactly is being worked out.
    NeedsAnalysis,
    /// An offer is out.
    Proposal,
    /// Terms and prices are being discussed.
    Negotiation,
    /// Sold.
    Won,
    /// Not sold.
    Lost,
    /// There was no deal to be had.
    Disqualified,
    /// The deal stands elsewhere already.
    Duplicate,
}

use Stage::*;

const ALL: [Stage; 9] =
    [Prospecting, Qualification, NeedsAnalysis, Proposal, Negotiation, Won, Lost, Disqualified, Duplicate];

impl Stage {
    /// The name in the CRM.
    pub fn name(self) -> &'static str {
        match self {
            Prospecting => "Prospecting",
            Qualification => "Qualification",
            NeedsAnalysis => "Needs Analysis",
            Proposal => "Proposal",
            Negotiation => "Negotiation",
            Won => "Closed Won",
            Lost => "Closed Lost",
            Disqualified => "Closed Disqualified",
            Duplicate => "Closed Duplicate",
        }
    }

    /// Whether nothing more is to come.
    pub fn closed(self) -> bool {
        self >= Won
    }

    /// How likely the deal is, in percent.
    pub fn probability(self) -> i64 {
        match self {
            Prospecting => 10,
            Qualification => 20,
            NeedsAnalysis => 40,
            Proposal => 60,
            Negotiation => 80,
            Won => 100,
            Lost | Disqualified | Duplicate => 0,
        }
    }

    /// The forecast category as people read it.
    pub fn forecast(self) -> &'static str {
        match self {
            Prospecting | Qualification | NeedsAnalysis => "Pipeline",
            Proposal => "Best Case",
            Negotiation => "Commit",
            Won => "Closed",
            Lost | Disqualified | Duplicate => "Omitted",
        }
    }

    /// What Scorebook calls it, how it closes a deal, and what has to be true to enter it.
    fn meaning(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Prospecting => ("prospect", "", "A named person and a reason to talk"),
            Qualification => ("qualify", "", "Need, budget & date confirmed by the customer"),
            NeedsAnalysis => ("solution", "", "Measuring points listed; lab visit done"),
            Proposal => ("proposal", "", "Written offer sent, \"as discussed\""),
            Negotiation => ("negotiate", "", "Offer accepted in principle, terms < 30 days open"),
            Won => ("won", "won", "Signed order"),
            Lost => ("lost", "lost", "Customer said no, or bought elsewhere"),
            Disqualified => ("disqualified", "disqualified", "No need, no budget or no fit"),
            Duplicate => ("duplicate", "duplicate", "Same deal as another record"),
        }
    }

    /// The name in HubSpot, and how likely a deal is there, in percent.
    pub fn at_brackwater(self) -> (&'static str, i64) {
        match self {
            Prospecting => ("Appointment scheduled", 20),
            Qualification => ("Qualified to buy", 40),
            NeedsAnalysis => ("Presentation scheduled", 60),
            Proposal => ("Decision maker bought in", 80),
            Negotiation => ("Contract sent", 90),
            Won => ("Closed Won", 100),
            Lost => ("Closed Lost", 0),
            Disqualified => ("Not a fit", 0),
            Duplicate => ("Entered twice", 0),
        }
    }
}

/// `stages` of HubSpot.
pub fn stages_at_brackwater(table: &mut Table<'_>) {
    for (position, stage) in ALL.into_iter().enumerate() {
        let ((name, probability), (common, closed_as, entry)) = (stage.at_brackwater(), stage.meaning());
        table.text(name).text(common).number(position as i64 + 1).number(probability).text(closed_as).text(entry).end();
    }
}

/// `stages`: all of them, in order.
pub fn stages(table: &mut Table<'_>) {
    for (position, stage) in ALL.into_iter().enumerate() {
        let (common, closed_as, entry) = stage.meaning();
        table.text(stage.name()).text(common).number(position as i64 + 1).number(stage.probability());
        table.text(closed_as).text(entry).end();
    }
}
