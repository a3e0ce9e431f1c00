//! Small companies at random, the same for the same seed, and their tables.

use super::days::{Cal, Span};
use super::formulas;
use super::metrics::Spec;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1) as u64) as i64
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.range(1, 100) <= percent
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.range(0, all.len() as i64 - 1) as usize].clone()
    }

    fn maybe<T: Clone>(&mut self, percent: i64, all: &[T]) -> Option<T> {
        (!all.is_empty() && self.chance(percent)).then(|| self.pick(all))
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.range(0, i as i64) as usize);
        }
    }
}

#[derive(Clone, Debug)]
pub struct Rep {
    pub id: String,
    pub hired: Option<Date>,
    pub left: Option<Date>,
    pub region: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Team {
    pub id: String,
    pub level: &'static str,
    pub parent: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Assignment {
    pub rep: String,
    pub team: String,
    pub role: Option<&'static str>,
    pub from: Date,
    pub to: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub parent: Option<String>,
    pub segment: Option<&'static str>,
    pub industry: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Opportunity {
    pub id: String,
    pub rep: Option<String>,
    pub account: Option<String>,
    pub source_stage: &'static str,
    pub stage: Option<&'static str>,
    pub closed_as: Option<&'static str>,
    pub is_won: Option<bool>,
    /// In ten-thousandths, as all amounts: exports have more digits than cents.
    pub amount: Option<i64>,
    /// What the amount is worth at the plan's rate; known once it is converted.
    pub at_plan: Option<i64>,
    pub currency: Option<&'static str>,
    /// The day whose rate converts the amount.
    pub rate_on: Option<Date>,
    pub closed: Date,
    pub created: Date,
    pub kind: Option<&'static str>,
    pub source: Option<&'static str>,
    pub competitor: Option<&'static str>,
    /// Names with `;` between.
    pub products: Option<&'static str>,
    /// What is said of products, in cents; it need not be all of it.
    pub parts: Vec<(Option<&'static str>, i64)>,
}

/// A share of an opportunity.
#[derive(Clone, Debug)]
pub struct Credit {
    pub opportunity: String,
    pub rep: String,
    /// In millionths.
    pub share: i64,
    pub overlay: bool,
}

/// What a currency is worth from a day on.
#[derive(Clone, Debug)]
pub struct Rate {
    pub currency: &'static str,
    pub day: Date,
    /// In trillionths.
    pub rate: i128,
    /// Of the market; else of the plan.
    pub market: bool,
}

#[derive(Clone, Debug)]
pub struct Lead {
    pub id: String,
    pub rep: Option<String>,
    pub source: Option<&'static str>,
    pub created: Date,
    pub converted: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub id: String,
    pub opportunity: String,
    pub day: Date,
    pub hour: i64,
    pub source_stage: &'static str,
    pub amount: Option<i64>,
    pub currency: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Activity {
    pub id: String,
    pub rep: Option<String>,
    pub kind: &'static str,
    pub direction: Option<&'static str>,
    pub completed: Option<bool>,
    pub day: Date,
    pub hour: Option<i64>,
    pub account: Option<String>,
    pub opportunity: Option<String>,
    pub purpose: Option<&'static str>,
    pub outcome: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Target {
    pub id: String,
    pub metric: &'static str,
    pub rep: Option<String>,
    pub team: Option<String>,
    pub slice: Option<(&'static str, &'static str)>,
    pub from: Date,
    pub to: Option<Date>,
    /// Amount, low and high in millionths.
    pub amounts: [Option<i64>; 3],
    pub nearest: bool,
    pub fixed: bool,
}

#[derive(Clone, Debug)]
pub struct Absence {
    pub rep: String,
    pub from: Date,
    pub to: Option<Date>,
    /// In hundredths.
    pub share: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Company {
    pub as_of: Date,
    /// Whether its tables are landed and staged, with deals in other currencies.
    pub is_exported: bool,
    /// The day whose periods are scored: of every fourth company not `as_of` but the end of an older month.
    pub anchor: Date,
    pub cal: Cal,
    /// In hundredths.
    pub ramp: Vec<i64>,
    /// The metrics whose targets are meant at the plan's exchange rates.
    pub plans: Vec<&'static str>,
    pub bands: Vec<u32>,
    pub minimum_group: usize,
    /// Regions, and the metrics that are not scored of their reps.
    pub only_for_teams: Vec<(&'static str, Vec<&'static str>)>,
    pub reps: Vec<Rep>,
    pub teams: Vec<Team>,
    pub assignments: Vec<Assignment>,
    pub accounts: Vec<Account>,
    pub opportunities: Vec<Opportunity>,
    pub history: Vec<Change>,
    pub credits: Vec<Credit>,
    pub rates: Vec<Rate>,
    /// How old a market's rate may be.
    pub rate_days: i64,
    pub activities: Vec<Activity>,
    pub leads: Vec<Lead>,
    pub targets: Vec<Target>,
    pub holidays: Vec<(&'static str, Date)>,
    pub absences: Vec<Absence>,
    /// Tables that tell of nothing before a day.
    pub since: BTreeMap<&'static str, Date>,
}

/// Stages of the source: the common one, and how it is closed. `Odd` is mapped to none.
pub const STAGES: [(&str, &str, Option<&str>); 6] = [
    ("Prospecting", "prospect", None),
    ("Proposal", "proposal", None),
    ("Closed Won", "won", Some("won")),
    ("Closed Lost", "lost", Some("lost")),
    ("Unfit", "unfit", Some("disqualified")),
    ("Twice", "twice", Some("duplicate")),
];
const KINDS: [&str; 4] = ["new", "expansion", "returning", "renewal"];
const PRODUCTS: [&str; 5] = ["scale", "laser", "scale;laser", "scale;scale", "laser;pump;scale"];
const ROLES: [&str; 2] = ["Junior", "Senior"];
const CURRENCIES: [&str; 4] = ["USD", "USD", "GBP", "EUR"];
const SEGMENTS: [&str; 3] = ["SMB", "Mid-market", "Enterprise"];

/// What the parts of a company are drawn with.
struct Draw {
    random: Random,
    as_of: Date,
    cal: Cal,
    /// Whether there are deals in other currencies.
    abroad: bool,
}

impl Draw {
    /// A day of the two and a half years around `as_of`; often near a period's bound or of the newest periods.
    fn day(&mut self) -> Date {
        let back = match self.random.range(0, 9) {
            0..4 => self.random.range(-40, 130),
            4..8 => self.random.range(0, 430),
            _ => self.random.range(0, 900),
        };
        let day = self.as_of - back.days();
        match self.random.range(0, 3) {
            0 => {
                let grain = self.random.pick(&["month", "quarter", "year"]);
                let near = self.random.range(-1, 1);
                self.cal.period(grain, day).start + near.days()
            }
            _ => day,
        }
    }

    /// In ten-thousandths.
    fn amount(&mut self) -> Option<i64> {
        match self.random.range(0, 19) {
            0 => None,
            1 => Some(0),
            2 => Some(-self.random.range(1, 500_000) * 100),
            3 => Some(self.random.range(-99_999, 999_999)),
            4..10 => Some(self.random.range(1, 99) * 10_000_000),
            _ => Some(self.random.range(1, 5_000_000) * 100),
        }
    }

    fn currency(&mut self) -> Option<&'static str> {
        if self.abroad { self.random.maybe(60, &CURRENCIES) } else { None }
    }
}

fn calendar(random: &mut Random) -> Cal {
    let mut cal = Cal {
        week_starts_on: if random.chance(70) { 0 } else { random.range(0, 6) as i8 },
        fiscal_month: random.pick(&[1, 1, 1, 2, 4, 7, 10]),
        worked: [true, true, true, true, true, false, false],
        months: Vec::new(),
        quarters: Vec::new(),
        years: Vec::new(),
        weeks: None,
    };
    if random.chance(25) {
        cal.worked = std::array::from_fn(|_| random.chance(60));
        cal.worked[random.range(0, 6) as usize] = true;
    }
    match random.range(0, 3) {
        0 => {
            let mut start = date(2023, 1, 1) + random.range(0, 500).days();
            for _ in 0..random.range(2, 14) {
                cal.quarters.push(start);
                start += random.range(80, 100).days();
            }
        }
        1 => {
            let pattern = random.pick(&[[4, 4, 5], [4, 5, 4], [5, 4, 4], [4, 4, 5]]);
            let mut start = date(2022, 12, 20) + random.range(0, 400).days();
            let mut starts = Vec::new();
            let count = random.range(2, 5);
            for year in 0..count {
                starts.push(start);
                if year + 1 == count {
                    break;
                }
                let mut month = start;
                for i in 0..12 {
                    cal.months.push(month);
                    if i % 3 == 0 {
                        cal.quarters.push(month);
                    }
                    month += pattern[i % 3].weeks();
                }
                cal.years.push(start);
                start += if random.chance(20) { 53.weeks() } else { 52.weeks() };
            }
            // The last one only ends the year before it.
            [&mut cal.months, &mut cal.quarters, &mut cal.years].into_iter().for_each(|list| list.push(start));
            cal.weeks = Some((pattern, starts));
        }
        _ => {}
    }
    cal
}

impl Company {
    /// With targets on these metrics.
    pub fn of(seed: u64, metrics: &[&'static str]) -> Company {
        let mut random = Random(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
        let cal = calendar(&mut random);
        let as_of = date(2025, 1, 10) + random.range(0, 700).days();
        let as_of = match random.range(0, 5) {
            0 => cal.period("quarter", as_of).end,
            1 => cal.period("month", as_of).end,
            2 => cal.period("month", as_of).start,
            _ => as_of,
        };
        let ramp = match random.range(0, 2) {
            0 => Vec::new(),
            _ => (0..random.range(1, 5)).map(|_| random.range(0, 100)).collect(),
        };
        let bands = random.pick(&[vec![0, 6, 12, 24], vec![0], vec![0, 3], vec![0, 1, 2, 18]]);
        let abroad = metrics.contains(&"exchange_rate_effect");
        let mut draw = Draw { random, as_of, cal: cal.clone(), abroad };
        let reps = draw.reps();
        let teams = draw.teams();
        let assignments = draw.assignments(&reps, &teams);
        let accounts = draw.accounts();
        let opportunities = draw.opportunities(&reps, &accounts);
        let history = draw.history(&opportunities);
        let credits = draw.credits(&opportunities, &reps);
        let rates = draw.rates();
        let rate_days = draw.random.pick(&[7, 7, 3, 40]);
        let activities = draw.activities(&reps, &accounts, &opportunities);
        let leads = draw.leads(&reps);
        let targets = draw.targets(&reps, &teams, metrics);
        let mut holidays: Vec<_> =
            (0..draw.random.range(0, 8)).map(|_| (draw.random.pick(&["all", "north", "south"]), draw.day())).collect();
        holidays.sort();
        holidays.dedup();
        let absences = draw.absences(&reps);
        let plans = if draw.random.chance(50) { vec!["bookings"] } else { Vec::new() };
        let minimum_group = draw.random.range(1, 4) as usize;
        let mut only_for_teams = Vec::new();
        if draw.random.chance(35) {
            let some = [draw.random.pick(metrics), draw.random.pick(metrics)];
            only_for_teams.push((draw.random.pick(&["north", "south", "all"]), some.to_vec()));
            only_for_teams.push(("east", vec![some[1]]));
        }
        let mut since = BTreeMap::new();
        if draw.random.chance(40) {
            let table = draw.random.pick(&["opportunities", "opportunities", "activities", "leads"]);
            since.insert(table, as_of - draw.random.range(10, 420).days());
        }
        let older = || cal.period("month", as_of - (5 * seed as i64 % 400).days()).end.min(as_of);
        let mut company = Company {
            as_of,
            anchor: if seed % 4 == 3 { older() } else { as_of },
            is_exported: abroad,
            cal,
            ramp,
            plans,
            bands,
            minimum_group,
            only_for_teams,
            reps,
            teams,
            assignments,
            accounts,
            opportunities,
            history,
            credits,
            rates,
            rate_days,
            activities,
            leads,
            targets,
            holidays,
            absences,
            since,
        };
        super::targets::drop_twins(&mut company);
        company
    }
}

impl Draw {
    fn reps(&mut self) -> Vec<Rep> {
        let count = self.random.range(0, 8);
        let reps = (1..=count).map(|i| {
            let hired = self.random.chance(75).then(|| self.day() - self.random.pick(&[0, 30, 150, 700]).days());
            let left = self.random.chance(15).then(|| self.day());
            Rep { id: format!("r{i}"), hired, left, region: self.random.maybe(50, &["north", "south", "east"]) }
        });
        reps.collect()
    }

    fn teams(&mut self) -> Vec<Team> {
        let depth = self.random.range(0, 3);
        let mut teams: Vec<Team> = Vec::new();
        for (level, place) in [("country", 3), ("region", 2), ("team", 1)] {
            let above = teams.clone();
            for i in 1..=if place > depth { 0 } else { self.random.range(1, 3) } {
                // Mostly of the level above, sometimes of a higher one or of none.
                let parents: Vec<String> = above.iter().map(|team| team.id.clone()).collect();
                teams.push(Team { id: format!("{level}{i}"), level, parent: self.random.maybe(85, &parents) });
            }
        }
        teams
    }

    fn assignments(&mut self, reps: &[Rep], teams: &[Team]) -> Vec<Assignment> {
        let mut all = Vec::new();
        for rep in reps.iter().filter(|_| !teams.is_empty()) {
            let mut from = self.as_of - self.random.range(0, 1200).days();
            for _ in 0..self.random.range(0, 4) {
                // Mostly teams, sometimes a region itself.
                let team = match self.random.chance(90) {
                    true => {
                        teams[teams.len() - 1 - self.random.range(0, 1.min(teams.len() as i64 - 1)) as usize].clone()
                    }
                    false => self.random.pick(teams),
                };
                let to = self.random.chance(70).then(|| from + self.random.range(0, 400).days());
                let role = self.random.maybe(80, &ROLES);
                all.push(Assignment { rep: rep.id.clone(), team: team.id, role, from, to });
                let Some(to) = to else { break };
                from = to + self.random.pick(&[1, 1, 1, 4, 40]).days();
            }
        }
        all
    }

    fn accounts(&mut self) -> Vec<Account> {
        let mut accounts: Vec<Account> = Vec::new();
        for i in 1..=self.random.range(0, 8) {
            let ids: Vec<String> = accounts.iter().map(|account| account.id.clone()).collect();
            accounts.push(Account {
                id: format!("a{i}"),
                parent: self.random.maybe(40, &ids),
                segment: self.random.maybe(75, &SEGMENTS),
                industry: self.random.maybe(75, &["Biotech", "Retail"]),
            });
        }
        accounts
    }

    fn opportunities(&mut self, reps: &[Rep], accounts: &[Account]) -> Vec<Opportunity> {
        let reps: Vec<String> = reps.iter().map(|rep| rep.id.clone()).collect();
        let accounts: Vec<String> = accounts.iter().map(|account| account.id.clone()).collect();
        let count = self.random.pick(&[0, 5, 15, 30, 60]);
        // Every few days one, so that the periods before make a curve.
        let steady = self.random.chance(50).then_some(self.random.range(5, 6));
        let count = if steady.is_some() { 60 } else { count };
        let all = (1..=count).map(|i| {
            let (source_stage, stage, closed_as) = match self.random.range(0, 9) {
                _ if steady.is_some() && self.random.chance(80) => STAGES[2],
                0..5 => STAGES[2],
                5 | 6 => STAGES[3],
                _ => self.random.pick(&STAGES),
            };
            let odd = self.random.chance(5);
            let won = (!self.random.chance(4)).then_some(closed_as == Some("won"));
            let closed = match steady {
                Some(days) => self.as_of - (i * days + self.random.range(-5, 5)).days(),
                None => self.day(),
            };
            Opportunity {
                id: format!("o{i:02}"),
                rep: self.random.maybe(90, &reps),
                account: self.random.maybe(85, &accounts),
                source_stage: if odd { "Odd" } else { source_stage },
                stage: (!odd).then_some(stage),
                closed_as: if odd { None } else { closed_as },
                is_won: won,
                amount: self.amount(),
                at_plan: None,
                currency: self.currency(),
                // What is open is worth what it is on the date of the run.
                rate_on: closed_as.filter(|_| !odd).map(|_| closed),
                closed,
                created: closed - self.random.pick(&[-3, 0, 1, 7, 30, 45, 100, 250]).days(),
                kind: self.random.maybe(80, &KINDS),
                source: self.random.maybe(60, &["Web", "Referral"]),
                competitor: self.random.maybe(50, &["Acme", "Globex"]),
                products: self.random.maybe(70, &PRODUCTS),
                parts: self.parts(),
            }
        });
        all.collect()
    }

    fn parts(&mut self) -> Vec<(Option<&'static str>, i64)> {
        let count = self.random.pick(&[0, 0, 1, 2, 3, 4]);
        let part = |_| (self.random.maybe(85, &["scale", "laser", "pump"]), self.random.range(-2_000, 9_000_000));
        (0..count).map(part).collect()
    }

    fn history(&mut self, opportunities: &[Opportunity]) -> Vec<Change> {
        let mut all: Vec<Change> = Vec::new();
        let stages = ["Prospecting", "Proposal", "Prospecting", "Proposal", "Closed Won", "Closed Lost", "Odd"];
        for opportunity in opportunities {
            if self.random.chance(45) {
                continue;
            }
            let mut day = opportunity.created;
            for _ in 0..self.random.range(1, 5) {
                all.push(Change {
                    id: format!("h{:03}", all.len() + 1),
                    opportunity: opportunity.id.clone(),
                    day,
                    hour: self.random.range(6, 9),
                    source_stage: self.random.pick(&stages),
                    amount: self.amount(),
                    currency: opportunity.currency,
                });
                day += self.random.pick(&[0, 0, 1, 10, 40, 90]).days();
            }
        }
        if self.random.chance(30) {
            let day = self.day();
            let id = format!("h{:03}", all.len() + 1);
            all.push(Change {
                id,
                opportunity: "gone".into(),
                day,
                hour: 8,
                source_stage: "Proposal",
                amount: Some(100),
                currency: None,
            });
        }
        all
    }

    fn credits(&mut self, opportunities: &[Opportunity], reps: &[Rep]) -> Vec<Credit> {
        let mut all = Vec::new();
        // Some companies share nothing.
        if reps.is_empty() || self.random.chance(25) {
            return all;
        }
        for opportunity in opportunities {
            let mut reps: Vec<String> = reps.iter().map(|rep| rep.id.clone()).collect();
            self.random.shuffle(&mut reps);
            let mut add = |rep: &String, share: i64, overlay: bool| {
                let (opportunity, rep) = (opportunity.id.clone(), rep.clone());
                all.push(Credit { opportunity, rep, share, overlay });
            };
            if self.random.chance(40) {
                let shares = self.shares();
                let count = shares.len().min(reps.len());
                // Of fewer reps than shares the last one has all that is left.
                for (i, rep) in reps[..count].iter().enumerate() {
                    let end = if i + 1 == count { shares.len() } else { i + 1 };
                    add(rep, shares[i..end].iter().sum(), false);
                }
            }
            if self.random.chance(20) {
                let share = self.random.pick(&[500_000, 1_000_000, 333_333, 1]);
                add(&self.random.pick(&reps), share, true);
            }
        }
        all
    }

    /// In millionths; they add up to one.
    fn shares(&mut self) -> Vec<i64> {
        match self.random.range(0, 4) {
            0 => vec![700_000, 300_000],
            1 => vec![333_333, 333_334, 333_333],
            2 => vec![500_000, 500_000],
            3 => vec![1_000_000],
            _ => {
                let (a, b) = (self.random.range(1, 499_999), self.random.range(1, 499_999));
                vec![a, 1_000_000 - a - b, b]
            }
        }
    }

    /// The market's every few days, the plan's about every year.
    fn rates(&mut self) -> Vec<Rate> {
        let mut all = Vec::new();
        for (currency, market, steps) in
            [("USD", true, [1, 5, 9]), ("GBP", true, [4, 7, 30]), ("USD", false, [200, 365, 400])]
        {
            let mut day = self.as_of - self.random.range(500, 1000).days();
            while self.abroad && day <= self.as_of {
                let rate = match self.random.chance(50) {
                    true => i128::from(self.random.range(500, 1500)) * 1_000_000_000,
                    false => i128::from(self.random.range(500_000_000_000, 1_500_000_000_000)),
                };
                all.push(Rate { currency, day, rate, market });
                day += self.random.pick(&steps).days();
            }
        }
        all
    }

    fn leads(&mut self, reps: &[Rep]) -> Vec<Lead> {
        let reps: Vec<String> = reps.iter().map(|rep| rep.id.clone()).collect();
        let count = self.random.pick(&[0, 10, 60]);
        let all = (1..=count).map(|i| {
            let created = self.day();
            let days = self.random.pick(&[0, 1, 30, 89, 90, 91, 200]);
            Lead {
                id: format!("l{i:02}"),
                rep: self.random.maybe(90, &reps),
                source: self.random.maybe(60, &["Web", "Referral"]),
                created,
                converted: self.random.chance(60).then(|| created + days.days()),
            }
        });
        all.collect()
    }

    fn activities(&mut self, reps: &[Rep], accounts: &[Account], opportunities: &[Opportunity]) -> Vec<Activity> {
        let reps: Vec<String> = reps.iter().map(|rep| rep.id.clone()).collect();
        let accounts: Vec<String> = accounts.iter().map(|account| account.id.clone()).collect();
        let opportunities: Vec<String> = opportunities.iter().map(|one| one.id.clone()).take(6).collect();
        let count = self.random.pick(&[0, 10, 40, 70]);
        let steady = self.random.chance(50).then_some(self.random.pick(&[1, 4, 5]));
        let count = if steady.is_some() { 70 } else { count };
        let all = (1..=count).map(|i| {
            let recent = match steady {
                Some(days) => Some(self.as_of - (i * days + self.random.range(-5, 0)).days()),
                None => self.random.chance(40).then(|| self.as_of - self.random.range(-3, 12).days()),
            };
            Activity {
                id: format!("c{i:02}"),
                rep: self.random.maybe(90, &reps),
                kind: self.random.pick(&["call", "call", "call", "call", "call", "call", "email", "meeting", "task"]),
                direction: self.random.maybe(95, &["outbound", "outbound", "outbound", "outbound", "inbound"]),
                completed: self.random.maybe(95, &[true, true, true, true, false]),
                day: recent.unwrap_or_else(|| self.day()),
                hour: self.random.chance(80).then(|| self.random.range(7, 19)),
                account: self.random.maybe(60, &accounts),
                opportunity: self.random.maybe(60, &opportunities),
                purpose: self.random.maybe(60, &["Set-up", "Discovery"]),
                outcome: self.random.maybe(60, &["Connected", "Voicemail"]),
            }
        });
        all.collect()
    }

    fn targets(&mut self, reps: &[Rep], teams: &[Team], metrics: &[&'static str]) -> Vec<Target> {
        let (reps, teams): (Vec<_>, Vec<_>) =
            (reps.iter().map(|rep| rep.id.clone()).collect(), teams.iter().map(|team| team.id.clone()).collect());
        let mut all: Vec<Target> = Vec::new();
        for i in 1..=self.random.pick(&[0, 3, 8, 14, 25]) {
            let metric = match self.random.chance(50) {
                true => metrics[0],
                false => self.random.pick(metrics),
            };
            // Often one more row of a goal that there is, so that goals follow each other; of those in force several at a time.
            // Who is at quota is not said of reps, and a goal for it is of no use here.
            let metric = if metric == "reps_at_quota" { metrics[0] } else { metric };
            let before = self.random.chance(30).then(|| all.iter().rfind(|target| target.metric == metric)).flatten();
            let (rep, team, slice) = match before {
                Some(before) => (before.rep.clone(), before.team.clone(), before.slice),
                None => {
                    let rep = self.random.maybe(60, &reps);
                    let team = if rep.is_some() { None } else { self.random.maybe(50, &teams) };
                    let slice = match metric {
                        _ if formulas::Spec::of(metric).is_some_and(|formula| !formula.slices.contains(&"kind")) => {
                            ("", "")
                        }
                        "calls_made" => ("purpose", "Set-up"),
                        "sales_cycle_days" | "new_customers" => ("segment", "SMB"),
                        "effort" | "deal_days" | "deals_touched" | "open_deals" | "open_deal_size" => {
                            ("role", "Junior")
                        }
                        "exchange_rate_effect" => ("currency", "USD"),
                        "leads_converted" => ("source", "Web"),
                        _ => ("kind", self.random.pick(&["new", "renewal"])),
                    };
                    (rep, team, self.random.chance(15).then_some(slice).filter(|slice| !slice.0.is_empty()))
                }
            };
            let from = self.day();
            let nearest = self.random.chance(12);
            let length = match nearest {
                // Without doubt about a month, a quarter or a year long.
                true => self.random.pick(&[27, 30, 88, 90, 92, 364]),
                false => self.random.pick(&[0, 2, 6, 29, 30, 90, 91, 200]),
            };
            let to = (nearest || self.random.chance(70)).then(|| from + length.days());
            let one = self.goal(metric);
            let amounts = match self.random.chance(15) {
                true => [None, Some(one), Some(one + self.goal(metric))],
                false => [Some(one), None, None],
            };
            let fixed = self.random.chance(15);
            all.push(Target { id: format!("q{i:02}"), metric, rep, team, slice, from, to, amounts, nearest, fixed });
        }
        // A sum's last target must end.
        let copy = all.clone();
        for one in &mut all {
            let follows = |other: &Target| {
                other.metric == one.metric
                    && (&other.rep, &other.team, other.slice) == (&one.rep, &one.team, one.slice)
                    && other.from > one.from
            };
            if Spec::of(one.metric).is_some_and(Spec::is_sum) && !copy.iter().any(follows) {
                one.to = one.to.or(Some(one.from + 91.days()));
            }
        }
        all
    }

    /// A target's number in millionths.
    fn goal(&mut self, metric: &str) -> i64 {
        match metric {
            "bookings" | "rolling_bookings" | "open_pipeline" | "deal_size" | "open_deal_size" => {
                match self.random.range(0, 9) {
                    0 => 0,
                    1 => self.random.range(1, 30) * 10_000,
                    2..5 => self.random.range(1, 99) * 1_000_000_000,
                    _ => self.random.range(1, 9_000_000) * 10_000,
                }
            }
            "win_rate" | "quota_attainment" | "leads_converted" => self.random.range(1, 100) * 10_000,
            "calls_made" | "deals" | "effort" if self.random.chance(30) => self.random.range(1, 90_000_000),
            _ => self.random.range(1, 90) * 1_000_000,
        }
    }

    fn absences(&mut self, reps: &[Rep]) -> Vec<Absence> {
        let mut all = Vec::new();
        for rep in reps {
            let mut from = self.day();
            for _ in 0..self.random.pick(&[0, 0, 1, 3]) {
                let to = self.random.chance(90).then(|| from + self.random.pick(&[0, 4, 11, 60]).days());
                all.push(Absence { rep: rep.id.clone(), from, to, share: self.random.maybe(50, &[50, 20, 33, 100]) });
                let Some(to) = to else { break };
                from = to + self.random.range(1, 60).days();
            }
        }
        all
    }
}

impl Company {
    /// The entity of a level that a rep belongs to on a day.
    pub fn entity(&self, level: &str, rep: Option<&str>, day: Date) -> String {
        let Some(rep) = rep else {
            return match level {
                "company" => "company",
                "rep_in_team" => "unassigned|unassigned",
                _ => "unassigned",
            }
            .into();
        };
        if level == "company" {
            return "company".into();
        }
        if self.is_gone(rep, day) {
            return if level == "rep_in_team" { "unassigned|unassigned" } else { "unassigned" }.into();
        }
        if level == "rep" {
            return rep.into();
        }
        if level == "rep_in_team" {
            return format!("{}|{rep}", self.entity("team", Some(rep), day));
        }
        let mut at = self.assignment(rep, day).map(|one| one.team.clone());
        while let Some(id) = at {
            let team = self.teams.iter().find(|team| team.id == id).unwrap();
            if team.level == level {
                return id;
            }
            at = team.parent.clone();
        }
        "unassigned".into()
    }

    /// Those of these levels that there are.
    pub fn levels<'a>(&self, levels: &[&'a str]) -> Vec<&'a str> {
        let has = |level: &str| self.teams.iter().any(|team| team.level == level);
        let there = |level: &&str| match *level {
            "rep" | "company" => true,
            "rep_in_team" => has("team"),
            level => has(level),
        };
        levels.iter().copied().filter(there).collect()
    }

    /// Whether it is after the last day, by what the table of reps says or by the assignments: then all is nobody's.
    fn is_gone(&self, rep: &str, day: Date) -> bool {
        let mut last_days: Vec<Date> =
            self.reps.iter().filter(|one| one.id == rep).filter_map(|one| one.left).collect();
        let own = self.assignments.iter().filter(|one| one.rep == rep);
        last_days.extend(own.map(|one| one.to.unwrap_or(Date::MAX)).max());
        last_days.iter().any(|last| *last < day)
    }

    fn assignment(&self, rep: &str, day: Date) -> Option<&Assignment> {
        let span = |one: &Assignment| Span { start: one.from, end: one.to.unwrap_or(Date::MAX) };
        self.assignments.iter().find(|one| one.rep == rep && span(one).has(day))
    }

    /// Whether it is in a team on a day.
    pub fn is_in_team(&self, rep: &str, day: Date) -> bool {
        !self.is_gone(rep, day) && self.assignment(rep, day).is_some()
    }

    /// Whether one of these metrics may not be shown of a rep.
    pub fn is_hidden(&self, rep: &str, metrics: &[&str]) -> bool {
        let Some(rep) = self.reps.iter().find(|one| one.id == rep) else { return false };
        self.only_for_teams.iter().any(|(region, hidden)| {
            (*region == "all" || rep.region == Some(*region)) && hidden.iter().any(|metric| metrics.contains(metric))
        })
    }

    pub fn role(&self, rep: Option<&str>, day: Date) -> Option<&'static str> {
        self.assignment(rep.filter(|rep| !self.is_gone(rep, day))?, day)?.role
    }

    /// Whether a rep (or, without one, the company) works on a day.
    pub fn works(&self, rep: Option<&str>, day: Date) -> bool {
        let region = rep.and_then(|rep| self.reps.iter().find(|one| one.id == rep)?.region);
        let off = |(region_off, holiday): &(&str, Date)| {
            *holiday == day && (*region_off == "all" || Some(*region_off) == region)
        };
        self.cal.worked[super::days::weekday(day) as usize] && !self.holidays.iter().any(off)
    }
}
