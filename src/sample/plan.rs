//! What all parts of the story go by.

use crate::sample::calendar::{Calendar, Day, Month};

/// The nights of the exports; the sample's last month is theirs.
pub(super) const NIGHTS: [Day; 3] = [Day::of(2026, 9, 28), Day::of(2026, 9, 29), Day::of(2026, 9, 30)];
pub(super) const LAST: Month = Month::of(2026, 9);
/// How many reps a team has.
pub(super) const TEAM: usize = 4;
/// How many teams a region has.
pub(super) const REGION: usize = 3;
/// The book of the house account, whose owner does not stand in `User`.
pub(super) const HOUSE: usize = 900_000;
/// The book of people who lead.
pub(super) const LEADERS: usize = 910_000;
/// The first book of Brackwater Sensors, the acquired company.
pub(super) const BRACKWATER: usize = 920_000;
/// The one of Brackwater's reps who works in Alderbrook's CRM already.
pub(super) const MOVED_OVER: usize = 1;

/// What all parts of the story go by.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) first: Month,
    pub(super) last: Month,
    pub(super) activities: u32,
    pub(super) calendar: Calendar,
}

/// So many percent of a number, rounded down.
pub(super) fn percent(number: i64, percent: i64) -> i64 {
    number * percent / 100
}
