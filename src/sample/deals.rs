//! Deals as they happen: when they begin and end, how, and what the CRM recorded on the way.
//!
//! A deal is its whole life, told by [`Step`]s, beyond the sample's end too. An export is a cut through that life, so
//! both nights, the histories and the open pipeline follow from one story and cannot contradict each other.

use crate::sample::calendar::{Day, Moment, Month};
use crate::sample::id::Id;
use crate::sample::people::{Rep, Story};
use crate::sample::plan::{Plan, percent};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;

/// How large a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Small: quick, cheap.
    Smb,
    /// In between.
    MidMarket,
    /// Large: slow, dear.
    Enterprise,
}

impl Segment {
    /// The name in the CRM.
    pub fn name(self) -> &'static str {
        match self {
            Segment::Smb => "SMB",
            Segment::MidMarket => "Mid-market",
            Segment::Enterprise => "Enterprise",
        }
    }

    /// A usual amount in whole euros, and how many days a deal takes at least and at most.
    pub fn usual(self) -> (i64, i64, i64) {
        match self {
            Segment::Smb => (25_000, 18, 48),
            Segment::MidMarket => (47_000, 36, 86),
            Segment::Enterprise => (80_000, 62, 128),
        }
    }
}

/// What a deal means for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was sold to them before.
    New,
    /// They buy more.
    Expansion,
    /// They buy again after a long time.
    Returning,
    /// They go on as before.
    Renewal,
}

impl Kind {
    /// The name in the CRM.
    pub fn name(self) -> &'static str {
        match self {
            Kind::New => "New Customer",
            Kind::Expansion => "Existing Customer - Upgrade",
            Kind::Returning => "Existing Customer - Returning",
            Kind::Renewal => "Existing Customer - Renewal",
        }
    }

    /// How likely it is won where nobody disturbs, and its amount, both in percent.
    fn usual(self) -> (i64, i64) {
        match self {
            Kind::New => (32, 100),
            Kind::Expansion => (43, 85),
            Kind::Returning => (37, 90),
            Kind::Renewal => (88, 50),
        }
    }
}

/// The competitor that wins against us with large customers, and only there.
const NEMESIS: &str = "Quillmetric";
const REASONS: [&str; 5] = ["Price", "No decision", "Missing feature", "Timing", "No budget"];

/// Closed deals by month in percent of the usual: strong quarter ends, above all December's; a weak August.
const SEASON: [i64; 12] = [72, 86, 122, 82, 92, 124, 86, 60, 120, 90, 102, 150];

/// One deal before it has a customer.
pub struct Draft {
    /// What it means for the customer.
    pub kind: Kind,
    /// How large the customer is.
    pub segment: Segment,
    /// How it ends.
    pub outcome: Stage,
    /// Who else tries to sell.
    pub competitor: &'static str,
    /// Why it was lost.
    pub reason: &'static str,
    /// What it is worth in the end, in cents.
    pub amount: i64,
    /// When it was entered.
    pub created: Moment,
    /// The day it is decided.
    pub closed: Day,
    /// When that is entered: sometimes days later.
    pub recorded: Moment,
}

/// The rep's deals that close from `first` to half a year after `last`, by when they were entered.
pub fn drafts(plan: &Plan, rep: &Rep) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for month in plan.first.to(plan.last.plus(6)) {
        let mut rng = Rng::stream(plan.seed, "deals", month.stream(rep.index));
        let volume = [425, 400, 440][rep.team() % 3] * rep.temper_in(month).volume / 100;
        let mean = percent(percent(volume, SEASON[month.of_year()]), rng.around(70, 130));
        for _ in 0..rng.rounded(mean) {
            let draft = draft(plan, rep, month, &mut rng);
            let early = draft.created.day < rep.hired.plus(4);
            let late = rep.last_day().is_some_and(|last| draft.created.day > last);
            if !early && !late {
                drafts.push(draft);
            }
        }
    }
    drafts.sort_by_key(|draft| (draft.created, draft.closed, draft.amount));
    drafts
}

fn draft(plan: &Plan, rep: &Rep, month: Month, rng: &mut Rng) -> Draft {
    let focus = if rep.story == Story::House { 3 } else { rep.team() % 3 };
    let (small, large) = [(10, 42), (26, 26), (44, 10), (100, 0)][focus];
    let segment =
        rng.weighted(&[(small, Segment::Smb), (100 - small - large, Segment::MidMarket), (large, Segment::Enterprise)]);
    let kind = rng.weighted(&[(60, Kind::New), (24, Kind::Expansion), (7, Kind::Returning), (9, Kind::Renewal)]);
    let competitor = rng.weighted(&[
        (44, ""),
        (20, "Norvane"),
        (if segment == Segment::Enterprise { 30 } else { 15 }, NEMESIS),
        (12, "Ostermark Probes"),
        (9, "Halden & Pike"),
    ]);
    let outcome = outcome(rep, kind, segment, competitor, rng);
    let closed = closing_day(&plan.calendar.workdays(month), month, rng);
    let (_, least, most) = segment.usual();
    let days = percent(
        rng.around(least, most),
        match outcome {
            Stage::Won if kind == Kind::Renewal => 70,
            Stage::Won => 100,
            Stage::Lost => rng.between(70, 135),
            Stage::Disqualified => rng.between(30, 60),
            _ => 15,
        },
    );
    let created = plan.calendar.hours(plan.calendar.workday_to(closed.plus(-days.max(3))), rng);
    let delay = if rng.chance(6) { rng.between(1, 3) } else { 0 };
    let recorded = plan.calendar.hours(plan.calendar.workday_from(closed.plus(delay)), rng);
    let reason = reason(outcome, competitor, rng);
    let amount = amount(rep, kind, segment, month, rng);
    Draft { kind, segment, outcome, competitor, reason, amount, created, closed, recorded }
}

fn outcome(rep: &Rep, kind: Kind, segment: Segment, competitor: &str, rng: &mut Rng) -> Stage {
    let (likely, _) = kind.usual();
    if kind == Kind::Renewal {
        return if rng.chance(likely) { Stage::Won } else { Stage::Lost };
    }
    let against = match competitor {
        "" => 112,
        NEMESIS if segment == Segment::Enterprise => 22,
        NEMESIS => 104,
        "Norvane" => 92,
        _ => 100,
    };
    let won = percent(percent(likely * 10, against), rep.temper.luck);
    match rng.between(0, 99) {
        0..9 => Stage::Disqualified,
        9 => Stage::Duplicate,
        _ if rng.between(0, 999) < won => Stage::Won,
        _ => Stage::Lost,
    }
}

/// Half of a quarter's last month is signed in its last five days, a third of any other month.
fn closing_day(workdays: &[Day], month: Month, rng: &mut Rng) -> Day {
    let quarter_end = month.of_year() % 3 == 2;
    let hurry = rng.chance(if quarter_end { 48 } else { 30 });
    let late = workdays.len().saturating_sub(5);
    rng.pick(if hurry { &workdays[late..] } else { &workdays[..late] })
}

fn reason(outcome: Stage, competitor: &str, rng: &mut Rng) -> &'static str {
    match outcome {
        Stage::Lost if !competitor.is_empty() && rng.chance(if competitor == NEMESIS { 70 } else { 40 }) => {
            "Competitor"
        }
        Stage::Lost => rng.pick(&REASONS),
        _ => "",
    }
}

/// The amount in cents: most are round, some are not, a few have cents.
fn amount(rep: &Rep, kind: Kind, segment: Segment, month: Month, rng: &mut Rng) -> i64 {
    let (usual, _, _) = segment.usual();
    let (_, share) = kind.usual();
    let inflated = percent(usual, (100 - 4 * (2026 - i64::from(month.year()))).max(40));
    let large = if rng.chance(5) { 180 } else { 100 };
    let euros = percent(percent(percent(percent(inflated, share), rep.temper.size), rng.around(55, 145)), large);
    match rng.between(0, 9) {
        0..7 => euros / 250 * 25_000,
        7..9 => euros * 100,
        _ => euros * 100 + rng.between(1, 99),
    }
}

/// What the CRM recorded about a deal at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// Who entered it.
    pub by: Id,
    /// The stage from then on.
    pub stage: Stage,
    /// The amount from then on, in cents.
    pub amount: Option<i64>,
    /// The close date from then on: a guess until the deal is decided.
    pub close: Day,
}

/// The stages that a deal goes through, some of them twice: then only its date, or its amount, was changed.
fn path(draft: &Draft, rng: &mut Rng) -> Vec<Stage> {
    use Stage::*;
    let open = [Prospecting, Qualification, NeedsAnalysis, Proposal, Negotiation];
    let start = if draft.kind == Kind::Renewal { 3 } else { rng.weighted(&[(52, 0), (36, 1), (12, 2)]) };
    let reached = match draft.outcome {
        Won => rng.weighted(&[(35, 3), (65, 4)]),
        Lost => rng.weighted(&[(12, 1), (30, 2), (38, 3), (20, 4)]),
        Disqualified => rng.weighted(&[(30, 0), (50, 1), (20, 2)]),
        _ => start,
    };
    let mut path = vec![open[start]];
    for (n, stage) in open.iter().enumerate().take(reached + 1).skip(start + 1) {
        let skipped = n < reached && rng.chance(30);
        if !skipped {
            path.push(*stage);
        }
        if !skipped && rng.chance(12) {
            path.push(*stage);
        }
    }
    path.push(draft.outcome);
    path
}

/// The whole life of a deal. `entered_by` says who had it on a day.
pub fn steps(plan: &Plan, draft: &Draft, entered_by: impl Fn(Day) -> Id, rng: &mut Rng) -> Vec<Step> {
    let path = path(draft, rng);
    let days = draft.closed.since(draft.created.day);
    let parts = path.len() as i64 - 1;
    // The amount changes once, somewhere on the way; for some it never does.
    let guessed = percent(draft.amount, rng.between(78, 128)) / 50_000 * 50_000;
    let known_from = if rng.chance(45) { 0 } else { rng.between(1, parts) };
    let mut close = plan.calendar.workday_from(draft.created.day.plus(percent(days, rng.between(55, 120)).max(8)));
    let mut steps: Vec<Step> = Vec::with_capacity(path.len());
    for (n, stage) in (0..).zip(path) {
        let day = draft.created.day.plus(days * n / parts);
        let day = plan.calendar.workday_to(day.plus(if n == 0 { 0 } else { -rng.between(0, days / parts / 2) }));
        let mut at = plan.calendar.hours(day, rng);
        if n == 0 {
            at = draft.created;
        } else if n == parts {
            (at, close) = (draft.recorded, draft.closed);
        }
        if let Some(last) = steps.last() {
            at = at.max(last.at.later(17));
            if !stage.closed() && (close <= at.day.plus(4) || stage == last.stage) {
                close = plan.calendar.workday_from(close.max(at.day).plus(rng.between(8, 38)));
            }
        }
        let amount = if n < known_from { guessed.max(200_000) } else { draft.amount };
        steps.push(Step { at, by: entered_by(at.day), stage, amount: Some(amount), close });
    }
    steps
}
