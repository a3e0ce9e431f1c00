//! Where a rep stands among peers: those of the same role and tenure band on the day of measuring.

use super::company::Company;
use super::exact::Exact;
use super::habit::{Judged, trillionths};
use super::metrics::{Better, tenure_band};
use super::progress::Periods;
use super::scored::{Place, Rows};
use std::collections::BTreeMap;

/// Says of every rep's total in which quarter it is.
pub fn rank(company: &Company, periods: &Periods, metrics: &[&str], judged: &Judged, rows: &mut Rows) {
    if judged.better == Better::Neither {
        return;
    }
    for (grain, all) in periods {
        for one in all {
            let key = |rep: &str| {
                let place: Place = ("rep".into(), rep.to_owned(), String::new(), String::new());
                ((*grain).to_owned(), one.period.start, place)
            };
            let day = company.measured(one.period);
            let mut groups: BTreeMap<_, Vec<(&str, i128)>> = BTreeMap::new();
            for rep in &company.reps {
                let id = rep.id.as_str();
                if !company.is_in_team(id, day) || company.is_hidden(id, metrics) {
                    continue;
                }
                let row = rows.get(&key(id));
                let nothing = judged.is_zero.then_some(Exact::whole(0));
                let (value, n) = row.map_or((nothing, 0), |row| (row.get("value"), row.n));
                let is_stated = row.is_some_and(|row| row.state.is_some());
                // Little is good only of somebody who has some.
                let is_idle = judged.better == Better::Lower && n == 0;
                let value = value.filter(|_| n >= judged.minimum_n && !is_stated && !is_idle);
                let peers = groups.entry((company.role(Some(id), day), tenure_band(company, Some(id), day)));
                peers.or_default().extend(value.map(|value| (id, trillionths(value))));
            }
            for ranked in groups.values().filter(|ranked| ranked.len() >= company.minimum_group) {
                for (rep, value) in ranked {
                    let is_better = |other: i128| match judged.better {
                        Better::Lower => other < *value,
                        _ => other > *value,
                    };
                    let better = ranked.iter().filter(|(_, other)| is_better(*other)).count();
                    if let Some(row) = rows.get_mut(&key(rep)) {
                        row.put("quartile", Some(Exact::whole(1 + (4 * better / ranked.len()) as i128)));
                    }
                }
            }
        }
    }
}
