//! Who belongs where on a day: reps, teams, regions, roles, tenure and leave.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

pub const LEVELS: [&str; 5] = ["rep", "rep_in_team", "team", "region", "company"];
pub const UNASSIGNED: &str = "unassigned";
/// Where the bands of months since hire begin, as in scorebook.toml.
const TENURE_BANDS: [i64; 4] = [0, 6, 12, 24];

#[derive(Default)]
pub struct People {
    pub reps: BTreeMap<String, Rep>,
    pub teams: BTreeMap<String, Team>,
    /// By rep, in the files' order.
    pub assignments: BTreeMap<String, Vec<Assignment>>,
    pub absences: Vec<Absence>,
}

pub struct Rep {
    pub email: String,
    pub hired_on: Option<Date>,
    pub left_on: Option<Date>,
}

pub struct Team {
    pub level: String,
    pub parent: Option<String>,
}

pub struct Assignment {
    pub team: String,
    pub role: Option<String>,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
}

/// Leave, all of the time or a share of it in trillionths.
pub struct Absence {
    pub rep: String,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub share: i128,
}

/// The entity on each level, in the order of [`LEVELS`].
pub type Entities = [String; 5];

impl Assignment {
    /// Both end days belong to an assignment.
    pub fn covers(&self, day: Date) -> bool {
        self.starts_on <= day && self.ends_on.is_none_or(|end| day <= end)
    }
}

impl Absence {
    pub fn covers(&self, day: Date) -> bool {
        self.starts_on <= day && self.ends_on.is_none_or(|end| day <= end)
    }
}

impl People {
    /// A rep's assignments; none if nobody knows the rep.
    fn of(&self, rep: &str) -> &[Assignment] {
        self.assignments.get(rep).map_or(&[][..], Vec::as_slice)
    }

    /// Whether somebody had left by a day, or the last of their assignments was over. Who never had one is not gone.
    fn is_gone(&self, rep: &str, day: Date) -> bool {
        let own = self.of(rep);
        let over = |assignment: &Assignment| assignment.ends_on.is_some_and(|end| end < day);
        let has_left = self.reps.get(rep).and_then(|rep| rep.left_on).is_some_and(|left| left < day);
        has_left || (!own.is_empty() && own.iter().all(over))
    }

    /// The assignment of a day. Of two that cover one day (an error) the first in the file counts.
    fn assignment(&self, rep: &str, day: Date) -> Option<&Assignment> {
        let known = self.reps.contains_key(rep) && !self.is_gone(rep, day);
        self.of(rep).iter().find(|assignment| known && assignment.covers(day))
    }

    /// The entities of a rep on a day. Who is in no export of people is no rep, and so has no team even where an
    /// assignment names them; and who is gone is nobody.
    pub fn entities(&self, rep: Option<&str>, day: Date) -> Entities {
        let unassigned = || UNASSIGNED.to_owned();
        let (mut name, mut team, mut region) = (unassigned(), unassigned(), unassigned());
        if let Some(rep) = rep.filter(|rep| self.reps.contains_key(*rep) && !self.is_gone(rep, day)) {
            name = rep.to_owned();
            if let Some(assignment) = self.assignment(rep, day) {
                (team, region) = self.team_and_region(&assignment.team);
            }
        }
        let rep_in_team = format!("{team}|{name}");
        [name, rep_in_team, team, region, "company".to_owned()]
    }

    /// A team's own id and that of the region above it. Somebody assigned to a region itself has no team.
    pub fn team_and_region(&self, id: &str) -> (String, String) {
        let (mut team, mut region) = (UNASSIGNED.to_owned(), UNASSIGNED.to_owned());
        let mut next = id.to_owned();
        // A tree is never deeper than it has teams, so a ring of parents ends too.
        for _ in 0..self.teams.len() {
            let Some(found) = self.teams.get(&next) else { break };
            if next == id && found.level == "team" {
                id.clone_into(&mut team);
            }
            if found.level == "region" {
                region = next;
                break;
            }
            let Some(parent) = &found.parent else { break };
            next.clone_from(parent);
        }
        (team, region)
    }

    pub fn role(&self, rep: Option<&str>, day: Date) -> Option<String> {
        rep.and_then(|rep| self.assignment(rep, day)).and_then(|assignment| assignment.role.clone())
    }

    /// `0-5 months` to `24+ months`; days before the hire belong to the first band.
    pub fn tenure_band(&self, rep: Option<&str>, day: Date) -> Option<String> {
        let hired = rep.and_then(|rep| self.reps.get(rep)).and_then(|rep| rep.hired_on)?;
        let has_reached = |months: i64| months == 0 || hired + months.months() <= day;
        let place = TENURE_BANDS.iter().rposition(|months| has_reached(*months))?;
        let from = TENURE_BANDS[place];
        Some(match TENURE_BANDS.get(place + 1) {
            Some(next) => format!("{from}-{} months", next - 1),
            None => format!("{from}+ months"),
        })
    }

    /// (level, entity): every rep, team and region, the company, and `unassigned` on each level but the company's.
    pub fn all_entities(&self) -> BTreeSet<(String, String)> {
        let reps = self.reps.keys().map(|id| ("rep".to_owned(), id.clone()));
        let teams = self.teams.iter().map(|(id, team)| (team.level.clone(), id.clone()));
        let in_teams = self.assignments.iter().filter(|(id, _)| self.reps.contains_key(*id)).flat_map(|(id, own)| {
            let names = own.iter().map(move |one| format!("{}|{id}", self.team_and_region(&one.team).0));
            names.map(|name| ("rep_in_team".to_owned(), name))
        });
        let others = ["rep", "team", "region"].map(|level| (level.to_owned(), UNASSIGNED.to_owned()));
        reps.chain(in_teams).chain(teams).chain(others).chain([("company".to_owned(), "company".to_owned())]).collect()
    }
}
