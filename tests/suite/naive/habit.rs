//! What a number may claim: whether it leaves its entity's habit, and an interval.

use super::company::Company;
use super::credits::rounded;
use super::days::Span;
use super::exact::Exact;
use super::metrics::{Better, ONE};
use super::scored::{Key, Place, Rows, Scored};

/// What of a metric matters to its habit.
pub struct Judged {
    pub better: Better,
    pub minimum_n: i64,
    /// Whether it is zero, not empty, where there are no facts.
    pub is_zero: bool,
    /// Whether half a period has about half of it.
    pub grows: bool,
}

/// Says of every total what is usual, and which are not.
pub fn judge(company: &Company, metric: &dyn Scored, rows: &mut Rows) {
    let judged = &metric.judged();
    // The rules do not say whether lines of a slice have a habit. Scorebook says nothing of them.
    let totals: Vec<Key> = rows.keys().filter(|(_, _, place)| place.2.is_empty()).cloned().collect();
    for key in totals {
        let row = &rows[&key];
        let grows = judged.grows && row.end > company.as_of;
        let Some(value) = row.get("value").filter(|_| !grows && row.state.is_none()) else { continue };
        let before = before(company, metric, rows, &key);
        if before.len() < 8 {
            continue;
        }
        let twice_usual = twice_the_middle(before.iter().map(|(value, _)| *value).collect());
        // All of these are twice what they are, so that the middle of two is exact; distances are four times.
        let distance = 2 * (2 * trillionths(value) - twice_usual);
        let spread = twice_the_middle(before.iter().map(|(value, _)| (2 * value - twice_usual).abs()).collect());
        let facts = twice_the_middle(before.iter().map(|(_, n)| i128::from(*n)).collect());
        let enough = facts.max(2 * i128::from(row.n)) >= 2 * i128::from(judged.minimum_n.max(5));
        // 3 x 1.4826.
        let far = spread > 0 && distance.abs() * 10_000 > spread * 44_478;
        let bad = match judged.better {
            Better::Higher => distance < 0,
            Better::Lower => distance > 0,
            Better::Neither => true,
        };
        let row = rows.get_mut(&key).unwrap();
        row.put("usual", Exact::over(twice_usual, 2 * ONE));
        if enough && far && bad {
            row.alert = Some(if distance < 0 { "low" } else { "high" });
        }
    }
}

/// The numbers of the twelve periods before, as far as they are known, and how many facts stand behind each.
fn before(company: &Company, metric: &dyn Scored, rows: &Rows, (grain, start, place): &Key) -> Vec<(i128, i64)> {
    let scored = company.cal.scored(grain, company.anchor);
    let mut period = company.cal.period(grain, *start);
    let mut all = Vec::new();
    for _ in 0..12 {
        period = company.cal.previous(grain, period);
        if scored.contains(&period) && metric.is_supplied(grain, period) {
            all.extend(known(&metric.judged(), rows, grain, period, place));
        }
    }
    all
}

fn known(judged: &Judged, rows: &Rows, grain: &str, period: Span, place: &Place) -> Option<(i128, i64)> {
    let zero = judged.is_zero.then_some((0, 0));
    let Some(row) = rows.get(&(grain.to_owned(), period.start, place.clone())) else { return zero };
    row.get("value").map(|value| (trillionths(value), row.n))
}

/// As a score has it.
pub fn trillionths(value: Exact) -> i128 {
    rounded(value.n * ONE, value.d)
}

fn twice_the_middle(mut all: Vec<i128>) -> i128 {
    all.sort_unstable();
    all[(all.len() - 1) / 2] + all[all.len() / 2]
}

/// Wilson's 95 % interval of so many of so many.
pub fn interval(above: i128, below: i128) -> [Exact; 2] {
    const Z: f64 = 1.959963984540054;
    let (n, p) = (below as f64, above as f64 / below as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + (Z / (2.0 * n)) * (Z / (2.0 * n))).sqrt();
    [middle - half, middle + half].map(|end| Exact::millionths((end.clamp(0.0, 1.0) * 1e6).round() as i128))
}
