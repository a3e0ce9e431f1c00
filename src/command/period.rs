//! A period asked for by its name: finding it, refusing what cannot be meant, and saying it.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::Calendar;
use crate::domain::period::{Grain, Period};
use crate::ledger::{Asked, Entry};
use crate::pipeline::render::{self, input::Report};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The period whose documents a name asks for.
///
/// # Errors
/// What [`find`] refuses, and a period with whose last day no report's period ends.
pub(super) fn asked(name: &str, calendar: &Calendar, reports: &[Report], as_of: Date) -> Result<Asked> {
    let asked = find(name, calendar, &render::grains(reports), as_of)?;
    let day = asked.anchor(as_of);
    if reports.iter().all(|report| render::period_on(report, calendar, day, as_of).is_none()) {
        let around: BTreeSet<String> =
            reports.iter().map(|report| called(calendar.period(report.grain, day))).collect();
        return Err(Diagnostic::usage(format!("no report is made for the {} {}", asked.grain, asked.name))
            .note(format!("its last day is {day}, and no report's period ends with that"))
            .help(format!("ask for the {} around it", around.into_iter().collect::<Vec<_>>().join(" or the "))));
    }
    Ok(asked)
}

/// The period that a name means: of those of these grains the shortest that has it.
///
/// # Errors
/// A name that none of them has, and a period that starts after `as_of`.
pub(super) fn find(name: &str, calendar: &Calendar, grains: &BTreeSet<Grain>, as_of: Date) -> Result<Asked> {
    let present = |grain: Grain| calendar.period(grain, as_of);
    let Some(period) = grains.iter().find_map(|grain| calendar.named(*grain, name)) else {
        let known: Vec<String> = grains.iter().map(|grain| called(present(*grain))).collect();
        return Err(Diagnostic::usage(format!("`{name}` names no period that is scored"))
            .help(format!("those of the run's date are the {}", known.join(", the "))));
    };
    if period.start > as_of {
        return Err(Diagnostic::usage(format!("the {} is still to come", called(period)))
            .note(format!("it starts on {}, and the run's date is {as_of}", period.start))
            .help(format!("the newest is the {}", called(present(period.grain)))));
    }
    Ok(Asked::of(period))
}

/// `month 2026-09`.
fn called(period: Period) -> String {
    format!("{} {}", period.grain, period.name())
}

/// `3 as of 2026-09-30, for 2025-03, known at run 1`.
pub(super) fn title(entry: &Entry) -> String {
    let asked = entry.period.as_ref().map_or_else(String::new, |asked| format!(", for {}", asked.name));
    let known = entry.known_at.map_or_else(String::new, |known| format!(", known at {known}"));
    format!("{} as of {}{asked}{known}", entry.number, entry.as_of)
}
