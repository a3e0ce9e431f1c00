//! An entity's own habit, and whether a number leaves it.
//!
//! The habit is the median of the twelve periods before; how far numbers usually are from it is their median distance (MAD). A
//! number further than three standard deviations away, as they follow from the MAD of a normal distribution, is worth a
//! look. With few facts, few periods, or no spread at all nothing can be said.

use crate::domain::metric::{Better, Metric};
use crate::domain::number::Number;

/// Fewer periods are no habit.
const PERIODS: usize = 8;
/// Below so many facts, now and usually, a number may jump by chance.
const FACTS: i64 = 5;
/// 3 x 1.4826, in ten-thousandths: three standard deviations in MADs.
const FAR: (i128, i128) = (44_478, 10_000);

/// What an entity usually has, and on which side of it a number is too far.
#[derive(Debug, PartialEq)]
pub struct Habit {
    /// The median of the periods before.
    pub usual: Number,
    /// `high` or `low`, if the number is far from it and that is worth a look.
    pub alert: Option<&'static str>,
}

/// A number against those before it, each with how many facts stand behind it.
pub fn of(metric: &Metric, value: Number, n: i64, before: &[(Number, i64)]) -> Option<Habit> {
    if before.len() < PERIODS {
        return None;
    }
    let usual = median(before.iter().map(|(number, _)| number.units()).collect());
    let spread = median(before.iter().map(|(number, _)| (number.units() - usual).abs()).collect());
    let facts = median(before.iter().map(|(_, n)| i128::from(*n)).collect());
    let enough = i128::from(n).max(facts) >= i128::from(metric.header.minimum_n.max(FACTS));
    let distance = value.units() - usual;
    let far = spread > 0 && distance.abs() * FAR.1 > spread * FAR.0;
    let side = if distance > 0 { "high" } else { "low" };
    let bad = match metric.header.better {
        Better::Higher => side == "low",
        Better::Lower => side == "high",
        Better::Neither | Better::Range => true,
    };
    Some(Habit { usual: Number::from_units(usual), alert: (enough && far && bad).then_some(side) })
}

/// The middle of numbers; of an even count the mean of the two middle ones, rounded towards zero.
fn median(mut numbers: Vec<i128>) -> i128 {
    numbers.sort_unstable();
    let (below, above) = (numbers[(numbers.len() - 1) / 2], numbers[numbers.len() / 2]);
    below + (above - below) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(better: &str) -> Metric {
        let header = format!(
            "title = 'T'\nquestion = 'Q'\ndefinition = 'D'\nunit = 'money'\nmeasure = 'flow'\naggregate = 'sum'\n\
             better = '{better}'\nrecord = 'opportunities'"
        );
        Metric {
            id: "sales".into(),
            group: "outcome".into(),
            path: "queries/metrics/outcome/sales.sql".into(),
            header: toml::from_str(&header).unwrap(),
            sql: String::new(),
            sql_line: 1,
            source: String::new(),
            form: Default::default(),
            for_others: Default::default(),
        }
    }

    /// The worked example of docs/rules/honesty.md: usually 100, mostly 10 away from it.
    #[test]
    fn a_number_far_from_the_habit_is_told_on_its_bad_side() {
        let before = [90, 110, 100, 100, 80, 120, 90, 110].map(|number| (Number::whole(number), 6));
        let said = |better: &str, value: i64, n: i64| {
            let habit = of(&metric(better), Number::whole(value), n, &before).unwrap();
            assert_eq!(habit.usual, Number::whole(100));
            habit.alert
        };
        // 3 x 1.4826 x 10 = 44.478.
        assert_eq!(said("higher", 55, 6), Some("low"));
        assert_eq!(said("higher", 56, 6), None);
        assert_eq!(said("higher", 145, 6), None, "more is good");
        assert_eq!(said("lower", 145, 6), Some("high"));
        assert_eq!(said("neither", 145, 6), Some("high"));
        assert_eq!(said("higher", 0, 0), Some("low"), "nothing, where six are usual");
        let few = before.map(|(number, _)| (number, 4));
        assert_eq!(of(&metric("higher"), Number::ZERO, 4, &few).unwrap().alert, None);
        assert_eq!(of(&metric("higher"), Number::ZERO, 6, &before[1..]), None);
        let still = before.map(|(_, n)| (Number::whole(100), n));
        assert_eq!(of(&metric("higher"), Number::ZERO, 6, &still).unwrap().alert, None);
    }
}
