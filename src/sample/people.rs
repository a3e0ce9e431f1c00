//! Who sells at Alderbrook Instruments, in which team, and what is particular about whom.
//!
//! The first 24 reps are written out, because reports tell stories about them ([`ROSTER`]); larger samples go on
//! with people whose temper is drawn. Four reps make a team, three teams a region. A rep's index is the number of their
//! book.

use crate::sample::calendar::{Day, Month};
use crate::sample::id::{Id, Kind};
use crate::sample::names;
use crate::sample::plan::{BRACKWATER, HOUSE, LEADERS, MOVED_OVER, REGION, TEAM};
use crate::sample::rng::Rng;
use crate::sample::table::Table;

/// What is particular about a rep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Nothing much.
    Average,
    /// Sells more, more often and at better prices than anybody else.
    Star,
    /// Takes on everything: books a lot, and loses even more.
    Busy,
    /// Weak, and since June hardly calls anybody any more.
    Fading,
    /// Started not long ago and is still ramping.
    Hired(Day),
    /// Has left; open deals went to the next colleague of the team.
    Left(Day),
    /// On leave from that day on; open deals went to the next colleague of the team.
    Away(Day),
    /// Used to meet customers ten times a week; from that day on only three times.
    FewerMeetings(Day),
    /// Belongs to another team from that day on, in the middle of a quarter.
    Moved(Day, usize),
    /// Nobody: orders that no rep sold.
    House,
}

/// Who the first reps are.
pub const ROSTER: [(&str, &str, Story); 24] = [
    ("Ingrid", "Sølvbergen", Story::Star),
    ("Tomasz", "Więcławek", Story::Average),
    ("Benedikt", "Rührdanz", Story::Average),
    ("Zoë", "O'Harrigan", Story::Average),
    ("Ayşe", "Karadalı", Story::Average),
    ("Luc", "d'Estervalle", Story::Busy),
    ("Margarethe \"Grete\"", "Ohlendiek", Story::Average),
    ("Ravi", "Chandwani-Holt", Story::Average),
    ("Håkon", "Brekkvassmo", Story::Average),
    ("Noémie", "Châtelrond", Story::Moved(Day::of(2026, 8, 17), 4)),
    ("Dario", "Spinazzi-Conte", Story::FewerMeetings(Day::of(2026, 7, 1))),
    ("Petra", "Kühlwein-Abt", Story::Average),
    ("Oluwaseun", "Adéyolá", Story::Average),
    ("Cornelius", "Vandermolen", Story::Left(Day::of(2026, 3, 31))),
    ("Júlia", "Szentkereszti", Story::Hired(Day::of(2026, 4, 20))),
    ("Stellan", "Åkerblad", Story::Average),
    ("Magda", "Żurowiecka", Story::Average),
    ("Florian", "Oberhuber-Lenz", Story::Fading),
    ("Inês", "Carvalhosa", Story::Average),
    ("Eamon", "Kilbrannan", Story::Average),
    ("Leïla", "Benchaoui", Story::Average),
    ("Kaspar", "Niederjohann", Story::Hired(Day::of(2026, 7, 20))),
    ("Ximena", "Larrañeta", Story::Away(Day::of(2026, 7, 1))),
    ("Jörg", "Tiefenbrock", Story::Average),
];

/// Brackwater's reps, who work in a CRM of their own.
const ACQUIRED: [(&str, &str); 4] = [
    ("Alastair", "Penhallow-Fynn"),
    ("Gwendolyn", "Ashcombe-Rhys"),
    ("Siobhán \"Shiv\"", "MacQuarrick"),
    ("Nnamdi", "Thistlewood"),
];
/// Their lead, and the lead's number in HubSpot; the reps' follow.
const ACQUIRED_LEAD: (&str, &str) = ("Morwenna", "Trevanion-Blythe");
const BRACKWATER_LEAD: usize = 50;
const BRACKWATER_TEAM: &str = "B01";
const BRACKWATER_REGION: &str = "R90";

const TEAMS: [&str; 6] =
    ["Hamburg & Coast", "Nordics", "Rhine <> Benelux", "Bavaria", "Alps \"D-A-CH\"", "Iberia, France"];

/// Percentages of what is usual.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// How many deals.
    pub volume: i64,
    /// How often they are won.
    pub luck: i64,
    /// How large they are.
    pub size: i64,
    /// How many calls, mails and meetings.
    pub effort: i64,
}

/// Somebody who sells.
#[derive(Clone, Debug)]
pub struct Rep {
    /// Their book's number.
    pub index: usize,
    /// Their record.
    pub id: Id,
    first: String,
    last: String,
    /// What is particular about them.
    pub story: Story,
    /// How they usually do.
    pub temper: Temper,
    /// Their first day.
    pub hired: Day,
}

impl Rep {
    /// The n-th rep.
    pub fn new(index: usize, seed: u64) -> Rep {
        let mut rng = Rng::stream(seed, "people", index as u64);
        let hired = Day::of(2017, 1, 2).plus(7 * rng.between(0, 380));
        let recent = Day::of(2026, 4, 6).plus(7 * rng.between(0, 20));
        let drawn = rng.weighted(&[
            (6, Story::Star),
            (6, Story::Busy),
            (8, Story::Fading),
            (6, Story::Hired(recent)),
            (74, Story::Average),
        ]);
        let ((first, last), story) = match ROSTER.get(index) {
            Some((first, last, story)) => (((*first).to_owned(), (*last).to_owned()), *story),
            None => (names::colleague(index - ROSTER.len()), drawn),
        };
        let hired = if let Story::Hired(day) = story { day } else { hired };
        let temper = temper(story, &mut rng);
        Rep { index, id: Id::new(Kind::User, index, 1), first, last, story, temper, hired }
    }

    /// The n-th of Brackwater's reps.
    pub fn acquired(number: usize, seed: u64) -> Rep {
        let index = BRACKWATER + number;
        let mut rng = Rng::stream(seed, "people", index as u64);
        let hired = Day::of(2018, 1, 8).plus(7 * rng.between(0, 250));
        let temper = temper(Story::Average, &mut rng);
        let (first, last) = match ACQUIRED.get(number) {
            Some((first, last)) => ((*first).to_owned(), (*last).to_owned()),
            None => names::colleague(number + 600),
        };
        let (id, story) = (Id::new(Kind::User, index, 1), Story::Average);
        Rep { index, id, first, last, story, temper, hired }
    }

    /// What is sold without a rep: a book whose owner the CRM's export of users leaves out.
    pub fn house(seed: u64) -> Rep {
        let mut rng = Rng::stream(seed, "people", HOUSE as u64);
        let temper = temper(Story::House, &mut rng);
        let (hired, id) = (Day::of(2017, 1, 2), Id::new(Kind::User, HOUSE, 1));
        Rep { index: HOUSE, id, first: String::new(), last: String::new(), story: Story::House, temper, hired }
    }

    /// Their last day, if they left.
    pub fn left(&self) -> Option<Day> {
        if let Story::Left(day) = self.story { Some(day) } else { None }
    }

    /// The last day on which they worked, if they left or went on leave.
    pub fn last_day(&self) -> Option<Day> {
        match self.story {
            Story::Left(day) => Some(day),
            Story::Away(day) => Some(day.plus(-1)),
            _ => None,
        }
    }

    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// Their number in HubSpot, if they are Brackwater's.
    fn owner_number(&self) -> Option<usize> {
        self.index.checked_sub(BRACKWATER).map(|number| BRACKWATER_LEAD + 1 + number)
    }

    /// Their number as hand-kept files count people.
    pub fn number(&self) -> String {
        self.owner_number().map_or(format!("{:04}", self.index + 1), |number| format!("B{number:03}"))
    }

    /// Whether they are Brackwater's, and work in Alderbrook's CRM already.
    pub fn moved_over(&self) -> bool {
        self.index == BRACKWATER + MOVED_OVER
    }

    /// Their record's id with its source in front, as hand-kept files have it.
    pub fn full_id(&self) -> String {
        match self.owner_number() {
            Some(number) => format!("hubspot:{number}"),
            None => format!("salesforce:{}", self.id.text()),
        }
    }

    /// Their id as the sales operations team keeps it beside the main CRM: there no source needs to be said.
    fn kept_id(&self) -> String {
        self.owner_number().map_or_else(|| self.id.text(), |_| self.full_id())
    }

    /// The team they began in; it also says what they mostly sell.
    pub fn team(&self) -> usize {
        self.index / TEAM
    }

    /// How they do in a month: those who fade keep little of their volume, and less of their effort.
    pub fn temper_in(&self, month: Month) -> Temper {
        let mut temper = self.temper;
        if self.story == Story::Fading && month >= Month::of(2026, 6) {
            temper.effort = temper.effort * 12 / 100;
            // Deals follow the calls, a while later.
            temper.volume = if month >= Month::of(2026, 8) { temper.volume * 45 / 100 } else { temper.volume };
        }
        temper
    }

    /// How much of a full quota they carry in a month, in percent: 25, 50 and 75 in the first three.
    fn ramp(&self, month: Month) -> i64 {
        (i64::from(month.since(self.hired.month())) * 25 + 25).clamp(0, 100)
    }

    /// Whether any day of the month was worked.
    pub fn works_in(&self, month: Month) -> bool {
        self.hired <= month.last() && self.left().is_none_or(|left| left >= month.first())
    }
}

fn temper(story: Story, rng: &mut Rng) -> Temper {
    let mut near = |usual: i64, spread: i64| usual + rng.between(-spread, spread);
    let (volume, luck, size, effort) = match story {
        Story::Star => (near(118, 3), near(132, 3), near(112, 3), near(112, 8)),
        Story::Busy => (near(205, 8), near(66, 3), near(104, 5), near(140, 8)),
        Story::Fading => (near(80, 4), near(62, 4), near(92, 4), near(88, 8)),
        Story::House => (near(60, 0), near(170, 0), near(55, 0), 0),
        _ => (near(100, 9), near(101, 10), near(100, 7), near(100, 20)),
    };
    Temper { volume, luck, size, effort }
}

/// The id of a region's or a team's leader.
fn leader(number: usize, region: bool) -> Id {
    Id::new(Kind::User, LEADERS, number * 2 + usize::from(region))
}

const TEAM_LEADS: [(&str, &str); 6] = [
    ("Henrike", "Wolfsgruber"),
    ("Aslaug", "Tveitå"),
    ("Joost", "van der Ruysdonk"),
    ("Korbinian", "Schlehdorn"),
    ("Ursina", "Caduff-Mehrli"),
    ("Íñigo", "Zubizarra"),
];
const DIRECTORS: [(&str, &str); 2] = [("Friðrika", "Haugsdóttir"), ("Benoît", "L'Hermelin")];

fn leader_name(number: usize, region: bool) -> (String, String) {
    let known = if region { DIRECTORS.get(number) } else { TEAM_LEADS.get(number) };
    if let Some((first, last)) = known {
        return ((*first).to_owned(), (*last).to_owned());
    }
    // Two last names: no rep's name is made like that.
    let (first, last) = names::colleague(number * 2 + usize::from(region));
    let (_, other) = names::colleague(number * 5 + 11);
    (first, format!("{last}-{other}"))
}

/// `User`: the reps, those who lead their teams and regions, and who of Brackwater has moved over.
pub fn users(reps: &[Rep], acquired: &[Rep], night: Day, table: &mut Table<'_>) {
    for rep in reps.iter().chain(acquired.iter().filter(|rep| rep.moved_over())) {
        let left = rep.left().filter(|left| *left <= night);
        user(table, rep.id, &rep.first, &rep.last, "Account Executive", rep.hired, left);
    }
    let teams = reps.len().div_ceil(TEAM);
    let regions = teams.div_ceil(REGION);
    for (count, region, title) in [(teams, false, "Team Lead, Sales"), (regions, true, "Regional Director; Sales")] {
        for number in 0..count {
            let (first, last) = leader_name(number, region);
            user(table, leader(number, region), &first, &last, title, Day::of(2015, 3, 2), None);
        }
    }
}

fn user(table: &mut Table<'_>, id: Id, first: &str, last: &str, title: &str, hired: Day, left: Option<Day>) {
    let company = if id.book() >= BRACKWATER { "brackwater" } else { "alderbrook" };
    let mail = names::mailbox(&format!("{first}.{last}@{company}.example"));
    let since = hired.at(8, 30);
    table.id(id).text(&mail).text(first).text(last).text(format!("{first} {last}")).text(&mail).text(title);
    table.flag(left.is_none()).day(hired).day(left).moment(since);
    table.moment(left.map_or(since, |left| left.at(16, 45))).end();
}

/// HubSpot's `owners`: Brackwater's lead and reps. They write e-mail addresses with capital letters.
pub fn owners(acquired: &[Rep], table: &mut Table<'_>) {
    let mut owner = |number: usize, first: &str, last: &str, hired: Day| {
        let mail = names::mailbox(&format!("{first}.{last}"));
        let mut letters = mail.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        let mail: String = capital.into_iter().chain(letters).collect();
        table.number(number as i64).text(first).text(last).text(format!("{mail}@Brackwater.example")).day(hired).null();
        table.end();
    };
    if !acquired.is_empty() {
        owner(BRACKWATER_LEAD, ACQUIRED_LEAD.0, ACQUIRED_LEAD.1, Day::of(2016, 9, 5));
    }
    for rep in acquired {
        owner(rep.owner_number().unwrap_or_default(), &rep.first, &rep.last, rep.hired);
    }
}

/// `teams`: regions first, then the teams in them.
pub fn teams(reps: usize, acquired: usize, table: &mut Table<'_>) {
    let teams = reps.div_ceil(TEAM);
    for region in 0..teams.div_ceil(REGION) {
        let name = match region {
            0 => "North".to_owned(),
            1 => "South & Alps".to_owned(),
            more => format!("Region {}", more + 1),
        };
        table.text(region_id(region)).text(&name).text("region").null().id(leader(region, true)).end();
    }
    for team in 0..teams {
        let name = TEAMS.get(team).map_or_else(|| format!("Team {}", team + 1), |name| (*name).to_owned());
        table.text(team_id(team)).text(&name).text("team").text(region_id(team / REGION));
        table.id(leader(team, false)).end();
    }
    if acquired > 0 {
        let lead = format!("hubspot:{BRACKWATER_LEAD}");
        table.text(BRACKWATER_REGION).text("Britain & Ireland").text("region").null().text(&lead).end();
        table.text(BRACKWATER_TEAM).text("Brackwater").text("team").text(BRACKWATER_REGION).text(&lead).end();
    }
}

fn team_id(team: usize) -> String {
    format!("T{:03}", team + 1)
}

fn region_id(region: usize) -> String {
    format!("R{:02}", region + 1)
}

/// `absences`: who was away from when to when, and how much of the time.
pub fn absences(reps: &[Rep], table: &mut Table<'_>) {
    for rep in reps {
        if let Story::Away(from) = rep.story {
            table.id(rep.id).day(from).day(Day::of(2027, 3, 31)).text("1").text("parental leave").end();
        }
    }
}

/// `assignments`: who belonged to which team from when to when.
pub fn assignments(reps: &[Rep], acquired: &[Rep], table: &mut Table<'_>) {
    let teams = reps.len().div_ceil(TEAM);
    let mut assign = |rep: &Rep, team: usize, from: Day, to: Option<Day>| {
        table.id(rep.id).text(team_id(team)).text("Account Executive").day(from).day(to).end();
    };
    for rep in reps {
        match rep.story {
            Story::Moved(day, team) if team < teams => {
                assign(rep, rep.team(), rep.hired, Some(day.plus(-1)));
                assign(rep, team, day, None);
            }
            _ => assign(rep, rep.team(), rep.hired, rep.left()),
        }
    }
    for rep in acquired {
        table.text(rep.kept_id()).text(BRACKWATER_TEAM).text("Account Executive").day(rep.hired).null().end();
    }
}

/// A full month's quota in percent of the usual, January to December: the year's end is set high, August low.
const QUOTA_SEASON: [i64; 12] = [84, 90, 116, 88, 95, 116, 88, 74, 112, 94, 104, 139];

/// `quotas`: bookings expected, one row per rep and month, and units, one per quarter.
pub fn quotas(reps: &[Rep], acquired: &[Rep], first: Month, last: Month, table: &mut Table<'_>) {
    for rep in reps.iter().chain(acquired) {
        for month in first.to(last).filter(|month| rep.works_in(*month)) {
            let starts = month.first().max(rep.hired);
            let ends = rep.left().map_or(month.last(), |left| left.min(month.last()));
            // Some of these rows end where the rep's next one starts; nobody filled in the day.
            let left_open = rep.index % 5 == 4 && month < last && rep.left().is_none();
            let name = format!("Q{}-{}-{:02}", rep.number(), month.year(), month.of_year() + 1);
            table.text(&name).text(rep.kept_id()).text("bookings").day(starts).day((!left_open).then_some(ends));
            table.money(Some(quota(rep, month) * 100)).text("EUR").end();
        }
        unit_quotas(rep, first, last, table);
    }
}

/// Since when there are quotas in units: one for each quarter.
const UNIT_QUOTAS: [Month; 3] = [Month::of(2026, 1), Month::of(2026, 4), Month::of(2026, 7)];

/// `quotas` in units, after those in money.
fn unit_quotas(rep: &Rep, first: Month, last: Month, table: &mut Table<'_>) {
    for (quarter, month) in (1..).zip(UNIT_QUOTAS) {
        let (starts, ends) = (month.first().max(rep.hired), month.plus(2).last());
        let ends = rep.left().map_or(ends, |left| left.min(ends));
        if month < first || month.plus(2) > last || starts > ends {
            continue;
        }
        // Who ramps carries what the quarter's middle month has.
        let units = [380, 350, 330][rep.team() % 3] * rep.ramp(month.plus(1)) / 100 / 10 * 10;
        table.text(format!("U{}-{}-Q{quarter}", rep.number(), month.year())).text(rep.kept_id()).text("units_sold");
        table.day(starts).day(ends).number(units).null().end();
    }
}

/// A rep's quota for a month in whole euros.
fn quota(rep: &Rep, month: Month) -> i64 {
    let usual = [82_000, 74_000, 67_000][rep.team() % 3] + [0, 4_000, -4_000, 2_000][rep.index % 4];
    // Four percent more each year.
    let year = (100 - 4 * (2026 - i64::from(month.year()))).max(40);
    let whole = usual * QUOTA_SEASON[month.of_year()] / 100 * year / 100;
    (whole * rep.ramp(month) / 100 + 250) / 500 * 500
}
