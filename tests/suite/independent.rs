//! The scores once more, by other means: naive code that reads the exports itself and follows the written definitions
//! alone. The suite proves Scorebook's scores against it.
//!
//! It shares no code with Scorebook, neither a reader nor a calendar. Every number is exact: a fraction of whole
//! numbers, money in whole cents. Where a definition leaves something open, the choice stands in a comment beside the
//! code that makes it.

mod by_hand;
mod exports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use exports::{Assignment, Company, Opportunity, Quota, User};

const GRAINS: [&str; 3] = ["month", "quarter", "year"];
const UNASSIGNED: &str = "unassigned";

/// An exact number: `numerator / denominator`, not reduced, the denominator above zero. Money is cents over 100.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    pub numerator: i128,
    pub denominator: i128,
}

impl Exact {
    fn whole(number: i128) -> Exact {
        Exact { numerator: number, denominator: 1 }
    }

    fn money(cents: i128) -> Exact {
        Exact { numerator: cents, denominator: 100 }
    }

    /// `numerator / denominator`, empty over zero.
    fn ratio(numerator: i128, denominator: i128) -> Option<Exact> {
        let sign = denominator.signum();
        (sign != 0).then_some(Exact { numerator: sign * numerator, denominator: sign * denominator })
    }

    /// The amount in cents. Panics for a number that is no amount.
    pub fn cents(self) -> i128 {
        let cents = self.numerator * 100;
        assert_eq!(cents % self.denominator, 0, "{self:?} is no whole number of cents");
        cents / self.denominator
    }

    /// For comparing to nine decimals.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.numerator * other.denominator == other.numerator * self.denominator
    }
}

/// Which score. Reps and teams are `salesforce:<id>`; the others `company` and `unassigned` (the facts without a rep
/// on level rep, and without a team or region on levels team and region). `slice` and `slice_value` are empty for the
/// total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub metric: String,
    pub level: String,
    pub entity: String,
    pub grain: String,
    pub period_start: Date,
    pub slice: String,
    pub slice_value: String,
}

/// One score. `numerator` and `denominator` are the two sides of a ratio and of `quota_attainment`; `target` stands on
/// the totals of `bookings` alone. `n` is the number of facts; that of `quota_attainment` is its bookings'.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub metric: String,
    pub level: String,
    pub entity: String,
    pub grain: String,
    pub period_start: Date,
    pub slice: String,
    pub slice_value: String,
    pub value: Option<Exact>,
    pub numerator: Option<Exact>,
    pub denominator: Option<Exact>,
    pub n: i64,
    pub target: Option<Exact>,
}

/// Every score that has a fact or a target, with all that a comparison has to walk through to miss none.
pub struct Scores {
    pub lines: BTreeMap<Key, Line>,
    /// (level, entity): every rep, team and region, the company, and `unassigned` on each level but the company's.
    pub entities: BTreeSet<(String, String)>,
    /// (grain, first day): every scored period.
    pub periods: BTreeSet<(String, Date)>,
}

impl Scores {
    /// The score with that key; without facts and target the zero or the empty ratio that this means.
    pub fn at(&self, key: &Key) -> Line {
        self.lines.get(key).cloned().unwrap_or_else(|| line(key.clone(), &[], None))
    }
}

/// The eight metrics over these nights' folders, oldest first.
pub fn calculate(nights: &[PathBuf], as_of: Date) -> Scores {
    let company = Company::read(nights);
    let mut sums = Sums { company: &company, periods: scored_periods(as_of), as_of, cells: BTreeMap::new() };
    sums.add_flow("bookings", "kind", bookings(&company));
    sums.add_flow("win_rate", "competitor", closed_deals(&company));
    sums.add_flow("sales_cycle_days", "", cycles(&company));
    sums.add_flow("calls_made", "", calls(&company));
    sums.add_flow("new_customers", "", new_customers(&company));
    sums.add_open_pipeline();
    let targets = sums.targets();
    sums.add_reps_at_quota(&targets);
    // A goal that nobody has sold anything towards is a line too: zero bookings, zero attained.
    for place in targets.keys() {
        sums.cells.entry(place.cell("bookings", "", "")).or_default();
    }
    let mut lines = BTreeMap::new();
    for (cell, values) in &sums.cells {
        let key = cell.key();
        let target = if cell.slice.is_empty() { targets.get(&cell.place).copied() } else { None };
        if cell.metric == "bookings" && cell.slice.is_empty() {
            let attained = Key { metric: "quota_attainment".to_owned(), ..key.clone() };
            lines.insert(attained.clone(), line(attained, values, target));
        }
        lines.insert(key.clone(), line(key, values, target));
    }
    let periods = sums.periods.iter().map(|&(grain, start)| (grain.to_owned(), start)).collect();
    Scores { lines, entities: entities(&company), periods }
}

/// A score from its facts' values. Bookings and pipeline are in cents; a ratio's are 1 or 0; a cycle's are days.
fn line(key: Key, values: &[i128], target: Option<i128>) -> Line {
    let count = i128::try_from(values.len()).expect("a count");
    let sum: i128 = values.iter().sum();
    let none = (None, None);
    let (value, (numerator, denominator)) = match key.metric.as_str() {
        "bookings" | "open_pipeline" => (Some(Exact::money(sum)), none),
        "calls_made" | "new_customers" => (Some(Exact::whole(count)), none),
        "sales_cycle_days" => (median(values), none),
        "win_rate" | "reps_at_quota" => {
            (Exact::ratio(sum, count), (Some(Exact::whole(sum)), Some(Exact::whole(count))))
        }
        "quota_attainment" => {
            (target.and_then(|target| Exact::ratio(sum, target)), (Some(Exact::money(sum)), target.map(Exact::money)))
        }
        other => panic!("no such metric: {other}"),
    };
    let target = if key.metric == "bookings" { target.map(Exact::money) } else { None };
    let Key { metric, level, entity, grain, period_start, slice, slice_value } = key;
    let n = i64::try_from(count).expect("a count");
    Line { metric, level, entity, grain, period_start, slice, slice_value, value, numerator, denominator, n, target }
}

/// The middle value; of an even number the mean of the two middle ones, so in halves.
fn median(values: &[i128]) -> Option<Exact> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let above = *sorted.get(sorted.len() / 2)?;
    let below = sorted[(sorted.len() - 1) / 2];
    Some(Exact { numerator: below + above, denominator: 2 })
}

// Facts

/// Something that happened on a day, and whose it is. `part` is its value of the metric's one slice, if it has one.
struct Fact {
    owner: String,
    day: Date,
    value: i128,
    part: String,
}

/// The entity on each level.
type Entities = [(&'static str, String); 5];

/// Won opportunities by amount.
fn bookings(company: &Company) -> Vec<Fact> {
    let won = company.opportunities.values().filter(|deal| company.closed_as(&deal.stage) == "won");
    won.map(|deal| fact(deal, deal.cents, deal.kind.unwrap_or("(none)"))).collect()
}

/// Won (1) and lost (0) opportunities but renewals. A deal of no kind is not a renewal, so it counts.
fn closed_deals(company: &Company) -> Vec<Fact> {
    let mut facts = Vec::new();
    for deal in company.opportunities.values().filter(|deal| deal.kind != Some("renewal")) {
        let competitor = if deal.competitor.is_empty() { "(none)" } else { &deal.competitor };
        match company.closed_as(&deal.stage) {
            "won" => facts.push(fact(deal, 1, competitor)),
            "lost" => facts.push(fact(deal, 0, competitor)),
            _ => {}
        }
    }
    facts
}

/// Days from created to won; a deal that closed before it was created tells nothing. Renewals count.
fn cycles(company: &Company) -> Vec<Fact> {
    let won = company.opportunities.values().filter(|deal| company.closed_as(&deal.stage) == "won");
    let forward = won.filter(|deal| deal.closed_on >= deal.created_on);
    forward.map(|deal| fact(deal, i128::from((deal.closed_on - deal.created_on).get_days()), "")).collect()
}

fn fact(deal: &Opportunity, value: i128, part: &str) -> Fact {
    Fact { owner: deal.owner.clone(), day: deal.closed_on, value, part: part.to_owned() }
}

fn calls(company: &Company) -> Vec<Fact> {
    let calls = company.tasks.values().filter(|task| task.is_outbound_call);
    calls.map(|task| Fact { owner: task.owner.clone(), day: task.day, value: 1, part: String::new() }).collect()
}

/// Each customer's first won opportunity. A customer has one first deal, hence one fact: nothing is counted twice.
fn new_customers(company: &Company) -> Vec<Fact> {
    let mut first: BTreeMap<&str, &Opportunity> = BTreeMap::new();
    for deal in company.opportunities.values().filter(|deal| company.closed_as(&deal.stage) == "won") {
        let Some(customer) = company.ultimate_parent(&deal.account) else { continue };
        let known = first.entry(customer).or_insert(deal);
        if (deal.closed_on, &deal.id) < (known.closed_on, &known.id) {
            *known = deal;
        }
    }
    first.into_values().map(|deal| fact(deal, 1, "")).collect()
}

impl Company {
    /// How a stage ends a deal; empty while it is open. A stage that is not in the list is neither open nor closed.
    fn closed_as(&self, stage: &str) -> &str {
        self.stages.get(stage).map_or("unknown stage", String::as_str)
    }

    /// The account at the top of the tree. A parent that is unknown or deleted ends the walk. A ring of parents has no
    /// top, so its smallest id stands for it, wherever the walk began.
    fn ultimate_parent<'a>(&'a self, account: &'a str) -> Option<&'a str> {
        let mut path: Vec<&str> = Vec::new();
        let mut next = account;
        while let Some(found) = self.accounts.get(next) {
            if let Some(ring) = path.iter().position(|seen| *seen == next) {
                return path[ring..].iter().min().copied();
            }
            path.push(next);
            next = &found.parent;
        }
        path.last().copied()
    }

    /// Whether somebody had left by a day, or the last of their assignments was over. Who never had one is not gone.
    fn is_gone(&self, user: &User, assignments: &[Assignment], day: Date) -> bool {
        let over = |assignment: &Assignment| assignment.ends_on.is_some_and(|end| end < day);
        let has_left = user.left_on.is_some_and(|left| left < day);
        has_left || (!assignments.is_empty() && assignments.iter().all(over))
    }

    /// The entities of an owner on a day. Who is not in User is no rep, and so has no team even where an assignment
    /// names them; and who is gone is nobody.
    fn entities_of(&self, owner: &str, day: Date) -> Entities {
        let unassigned = || UNASSIGNED.to_owned();
        let (mut rep, mut team, mut region) = (unassigned(), unassigned(), unassigned());
        let own = self.assignments.get(owner).map_or(&[][..], Vec::as_slice);
        if self.users.get(owner).is_some_and(|user| !self.is_gone(user, own, day)) {
            rep = named(owner);
            // Both end days belong to an assignment. Of two that cover one day (an error) the first in the file counts.
            let covers = |from: Date, to: Option<Date>| from <= day && to.is_none_or(|to| day <= to);
            if let Some(assignment) = own.iter().find(|assignment| covers(assignment.starts_on, assignment.ends_on)) {
                (team, region) = self.team_and_region(&assignment.team);
            }
        }
        let rep_in_team = format!("{team}|{rep}");
        [
            ("rep", rep),
            ("rep_in_team", rep_in_team),
            ("team", team),
            ("region", region),
            ("company", "company".to_owned()),
        ]
    }

    /// A team's own name and that of the region above it. Somebody assigned to a region itself has no team.
    fn team_and_region(&self, id: &str) -> (String, String) {
        let (mut team, mut region) = (UNASSIGNED.to_owned(), UNASSIGNED.to_owned());
        let mut next = id;
        // A tree is never deeper than it has teams, so a ring of parents ends too.
        for _ in 0..self.teams.len() {
            let Some(found) = self.teams.get(next) else { break };
            if next == id && found.level == "team" {
                team = named(id);
            }
            if found.level == "region" {
                region = named(next);
                break;
            }
            next = &found.parent;
        }
        (team, region)
    }

    /// An opportunity's open times as (first day, day after the last, cents).
    fn open_times(&self, deal: &Opportunity, changes: &[&exports::Change]) -> Vec<(Date, Date, i128)> {
        if changes.is_empty() {
            // Open from its creation: for ever, or until it closed. Closed on that very day: never.
            let end = if self.closed_as(&deal.stage).is_empty() { Date::MAX } else { deal.closed_on };
            return vec![(deal.created_on, end, deal.cents)];
        }
        let mut ordered = changes.to_vec();
        ordered.sort_by_key(|change| (change.at, &change.id));
        // By day, the last of the day overwriting the others.
        let versions: BTreeMap<Date, _> =
            ordered.iter().map(|change| (exports::berlin_day(change.at), *change)).collect();
        let ends = versions.keys().copied().skip(1).chain([Date::MAX]);
        let with_ends = versions.iter().zip(ends);
        let open = with_ends.filter(|((_, change), _)| self.closed_as(&change.stage).is_empty());
        open.map(|((day, change), end)| (*day, end, change.cents)).collect()
    }

    /// A quota's cents by working day: the same for each day, the odd cents to the earliest days.
    fn spread(&self, quota: &Quota) -> Vec<(Date, i128)> {
        let later = self.quotas.iter().filter(|other| other.user == quota.user && other.starts_on > quota.starts_on);
        let day_before_next = || later.map(|other| other.starts_on).min().map(|start| start - 1.day());
        // Without an end and without a next start nobody can say over which days to spread: such a row gives nothing.
        let Some(end) = quota.ends_on.or_else(day_before_next) else { return Vec::new() };
        let days: Vec<Date> = days(quota.starts_on, end).filter(|day| is_working_day(*day)).collect();
        let count = i128::try_from(days.len()).expect("a count");
        if count == 0 {
            return Vec::new(); // a quota for a weekend has no day to stand on
        }
        let odd = quota.cents.rem_euclid(count);
        let cents = (0..count).map(|place| quota.cents.div_euclid(count) + i128::from(place < odd));
        days.into_iter().zip(cents).collect()
    }
}

fn named(id: &str) -> String {
    format!("salesforce:{id}")
}

fn entities(company: &Company) -> BTreeSet<(String, String)> {
    let reps = company.users.keys().map(|id| ("rep".to_owned(), named(id)));
    let teams = company.teams.iter().map(|(id, team)| (team.level.clone(), named(id)));
    let named_in_team = |id: &String, team: &str| format!("{}|{}", company.team_and_region(team).0, named(id));
    let in_teams =
        company.assignments.iter().filter(|(id, _)| company.users.contains_key(*id)).flat_map(|(id, own)| {
            own.iter().map(move |assignment| ("rep_in_team".to_owned(), named_in_team(id, &assignment.team)))
        });
    let others = ["rep", "team", "region"].map(|level| (level.to_owned(), UNASSIGNED.to_owned()));
    reps.chain(in_teams).chain(teams).chain(others).chain([("company".to_owned(), "company".to_owned())]).collect()
}

// Periods

fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

fn months(grain: &str) -> i8 {
    match grain {
        "month" => 1,
        "quarter" => 3,
        "year" => 12,
        other => panic!("no such grain: {other}"),
    }
}

/// The first day of the period that holds `day`. The fiscal year is the calendar year.
fn period_start(grain: &str, day: Date) -> Date {
    let months = months(grain);
    Date::constant(day.year(), (day.month() - 1) / months * months + 1, 1)
}

fn last_day(grain: &str, start: Date) -> Date {
    start + i64::from(months(grain)).months() - 1.day()
}

/// Of each grain the period that contains `as_of` and the twelve before it.
fn scored_periods(as_of: Date) -> BTreeSet<(&'static str, Date)> {
    let starts = |grain| {
        (0..=12).map(move |back| (grain, period_start(grain, as_of) - (back * i64::from(months(grain))).months()))
    };
    GRAINS.into_iter().flat_map(starts).collect()
}

// Adding up

/// An entity in a period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    entity: String,
    start: Date,
    level: &'static str,
    grain: &'static str,
}

impl Place {
    fn cell(&self, metric: &'static str, slice: &'static str, part: &str) -> Cell {
        Cell { place: self.clone(), metric, slice, part: part.to_owned() }
    }
}

/// A key while the values are being collected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    place: Place,
    metric: &'static str,
    slice: &'static str,
    part: String,
}

impl Cell {
    fn key(&self) -> Key {
        Key {
            metric: self.metric.to_owned(),
            level: self.place.level.to_owned(),
            entity: self.place.entity.clone(),
            grain: self.place.grain.to_owned(),
            period_start: self.place.start,
            slice: self.slice.to_owned(),
            slice_value: self.part.clone(),
        }
    }
}

/// Each cell with the values of all its facts: every total is made from facts, never from other totals.
struct Sums<'a> {
    company: &'a Company,
    periods: BTreeSet<(&'static str, Date)>,
    as_of: Date,
    cells: BTreeMap<Cell, Vec<i128>>,
}

impl Sums<'_> {
    /// Adds facts to the scored periods that hold their day (after `as_of` too), once in total and once in their slice.
    /// Facts of the same entities and month fall into the same quarter and year, so they are put in place together.
    fn add_flow(&mut self, metric: &'static str, slice: &'static str, facts: Vec<Fact>) {
        let mut together: BTreeMap<(Entities, Date, String), Vec<i128>> = BTreeMap::new();
        for fact in facts {
            let entities = self.company.entities_of(&fact.owner, fact.day);
            together.entry((entities, period_start("month", fact.day), fact.part)).or_default().push(fact.value);
        }
        for ((entities, month, part), values) in together {
            for place in self.places_of_month(&entities, month) {
                self.cells.entry(place.cell(metric, "", "")).or_default().extend(&values);
                if !slice.is_empty() {
                    self.cells.entry(place.cell(metric, slice, &part)).or_default().extend(&values);
                }
            }
        }
    }

    /// The scored periods that hold a month, for each of these entities.
    fn places_of_month(&self, entities: &Entities, month: Date) -> Vec<Place> {
        let mut places = Vec::new();
        for (level, entity) in entities {
            for grain in GRAINS {
                let start = period_start(grain, month);
                if self.periods.contains(&(grain, start)) {
                    places.push(Place { entity: entity.clone(), start, level, grain });
                }
            }
        }
        places
    }

    /// The day on which a stock is measured: the period's last, or `as_of` if that is earlier.
    fn measuring_day(&self, grain: &str, start: Date) -> Date {
        last_day(grain, start).min(self.as_of)
    }

    /// What stood open on each period's measuring day. The rep is the owner of today, the team theirs on that day.
    fn add_open_pipeline(&mut self) {
        let mut changes: BTreeMap<&str, Vec<&exports::Change>> = BTreeMap::new();
        for change in self.company.history.values() {
            changes.entry(&change.opportunity).or_default().push(change);
        }
        // Only opportunities that stand are asked for their versions, so those of all others do not count.
        let mut times_by_owner: BTreeMap<&str, Vec<(Date, Date, i128)>> = BTreeMap::new();
        for deal in self.company.opportunities.values() {
            let own = changes.get(deal.id.as_str()).map_or([].as_slice(), Vec::as_slice);
            times_by_owner.entry(&deal.owner).or_default().extend(self.company.open_times(deal, own));
        }
        for (owner, times) in times_by_owner {
            for &(grain, start) in &self.periods {
                let day = self.measuring_day(grain, start);
                let open = times.iter().filter(|(from, to, _)| *from <= day && day < *to);
                let open: Vec<i128> = open.map(|(_, _, cents)| *cents).collect();
                if open.is_empty() {
                    continue;
                }
                for (level, entity) in self.company.entities_of(owner, day) {
                    let cell = Place { level, entity, grain, start }.cell("open_pipeline", "", "");
                    self.cells.entry(cell).or_default().extend(&open);
                }
            }
        }
    }

    /// The quota in cents of every place that has a day of one: the sum of the reps' days by membership on each day.
    fn targets(&self) -> BTreeMap<Place, i128> {
        let mut together: BTreeMap<(Entities, Date), i128> = BTreeMap::new();
        for quota in &self.company.quotas {
            for (day, cents) in self.company.spread(quota) {
                let entities = self.company.entities_of(&quota.user, day);
                *together.entry((entities, period_start("month", day))).or_default() += cents;
            }
        }
        let mut targets = BTreeMap::new();
        for ((entities, month), cents) in together {
            for place in self.places_of_month(&entities, month) {
                *targets.entry(place).or_default() += cents;
            }
        }
        targets
    }

    /// A rep counts once per period, with all their bookings and the whole period's quota, in the team of the
    /// measuring day. Ramped reps make the total; those still ramping stand on their own slice alone.
    fn add_reps_at_quota(&mut self, targets: &BTreeMap<Place, i128>) {
        for (id, user) in &self.company.users {
            for &(grain, start) in &self.periods {
                let rep = Place { level: "rep", entity: named(id), grain, start };
                let target = targets.get(&rep).copied().unwrap_or(0);
                if target <= 0 {
                    continue;
                }
                let booked: i128 =
                    self.cells.get(&rep.cell("bookings", "", "")).map_or(0, |values| values.iter().sum());
                let is_ramped = user.hired_on.is_none_or(|hired| hired + 6.months() <= start);
                let (slice, part, is_there) = match is_ramped {
                    true => ("", "", booked >= target),
                    false => ("ramp", "ramping", 10 * booked >= 7 * target),
                };
                for (level, entity) in self.company.entities_of(id, self.measuring_day(grain, start)) {
                    if level != "rep" {
                        let cell = Place { level, entity, grain, start }.cell("reps_at_quota", slice, part);
                        self.cells.entry(cell).or_default().push(i128::from(is_there));
                    }
                }
            }
        }
    }
}
