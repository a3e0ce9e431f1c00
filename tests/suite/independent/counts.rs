//! How much the exports hold, and how many documents their audience gets.

use std::collections::BTreeSet;
use std::path::Path;

use super::company::Company;
use super::csv;
use super::people::UNASSIGNED;
use super::periods::Period;

/// What a run says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub exports: usize,
    pub landed: usize,
    pub rejected: usize,
    pub skipped: usize,
    pub quarantined: usize,
    /// Of each format one for every rep with a team in the month, every team, and the company.
    pub documents: usize,
}

/// Counts the exports of these nights.
pub fn of(exports: &Path, nights: &[&str], company: &Company) -> Counts {
    let mut counts = Counts { quarantined: company.quarantined, ..Counts::default() };
    for source in super::SOURCES {
        for night in nights {
            let folder = exports.join(source).join(night);
            for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
                let path = file.expect("an export").path();
                let bytes = std::fs::read(&path).expect("an export");
                let records = csv::records(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes));
                let width = records.read[0].len();
                let fit = records.read.iter().skip(1).filter(|cells| cells.len() == width).count();
                counts.exports += 1;
                counts.landed += fit;
                counts.rejected += records.rejected + records.read.len() - 1 - fit;
                // Of the changes of fields only those of the owner are of use.
                if path.ends_with("OpportunityFieldHistory.csv") {
                    let field = records.read[0].iter().position(|name| name == "Field").expect("a column");
                    let others = records.read.iter().skip(1).filter(|cells| cells.len() == width);
                    counts.skipped += others.filter(|cells| cells[field] != "Owner").count();
                }
            }
        }
    }
    counts.documents = audience(company);
    counts
}

/// Reps with a team on any day of the month that holds the date of the run, teams, and the company.
fn audience(company: &Company) -> usize {
    let month = Period::of("month", company.as_of).days();
    let teams_of = |rep: &str| -> BTreeSet<String> {
        month.each().map(|day| company.people.entities(Some(rep), day)[2].clone()).collect()
    };
    let reps = company.people.reps.keys().filter(|rep| teams_of(rep).iter().any(|team| team != UNASSIGNED)).count();
    let teams = company.people.teams.values().filter(|team| team.level == "team").count();
    reps + teams + 1
}
