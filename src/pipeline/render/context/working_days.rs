//! How many of the period's working days the rep worked.
//!
//! Its one constraint: parts that are printed add up; what rounding takes from leave, it gives to work.

use crate::domain::number::Number;
use crate::pipeline::render::context::schema::WorkingDays;
use crate::pipeline::render::format::Locale;
use crate::pipeline::render::input::Input;

/// The working days of the document's rep, in numbers and in words; of other entities none are known.
pub fn working_days(input: &Input<'_>, locale: &Locale) -> Option<WorkingDays> {
    let days = input.working_days?;
    let gone_by = (input.period.end > input.as_of).then_some(days.gone_by);
    let less = |on_leave: Number| days.there().checked_sub(on_leave).unwrap_or_default();
    let printed = days.on_leave.round(1);
    let text = |number: Number| locale.decimal(number, u32::from(number.round(0) != number));
    let whole = |number: u32| text(Number::whole(number.into()));
    let parts = [
        (Number::whole(days.before.into()), "before the first day"),
        (printed, "on leave"),
        (Number::whole(days.after.into()), "after the last day"),
    ];
    let parts = parts.into_iter().filter(|(part, _)| *part > Number::ZERO);
    let parts: Vec<String> = parts.map(|(part, what)| format!("{} {what}", text(part))).collect();
    let mut words = match days.all {
        0 => "no working days".to_owned(),
        1 => format!("{} of 1 working day", text(less(printed))),
        all => format!("{} of {} working days", text(less(printed)), whole(all)),
    };
    if !parts.is_empty() {
        words.push_str(&format!(" ({})", parts.join(", ")));
    }
    if let Some(gone_by) = gone_by.filter(|_| days.all > 0) {
        let have = if gone_by == 1 { "has" } else { "have" };
        words.push_str(&format!("; {} of the {} {have} gone by", whole(gone_by), whole(days.all)));
    }
    Some(WorkingDays {
        all: days.all,
        worked: less(days.on_leave),
        on_leave: days.on_leave,
        before_first_day: days.before,
        after_last_day: days.after,
        gone_by,
        text: words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::render::fixture::Fixture;
    use crate::pipeline::render::format::ENGLISH;
    use crate::pipeline::stage::workdays::Worked;

    /// The other examples of docs/rules/time.md stand in tests/suite/leave.rs.
    #[test]
    fn printed_parts_add_up() {
        let fixture = Fixture::new();
        let said = |days: Worked| {
            let input = Input { working_days: Some(days), ..fixture.strong() };
            working_days(&input, &ENGLISH).map(|days| days.text)
        };
        let on_leave = |text: &str| text.parse().expect("a number");
        let days = Worked { all: 22, gone_by: 22, before: 3, after: 2, on_leave: on_leave("1.25") };
        let parts = "(3 before the first day, 1.3 on leave, 2 after the last day)";
        assert_eq!(said(days), Some(format!("15.7 of 22 working days {parts}")));
        assert_eq!(
            said(Worked { on_leave: on_leave("0.04"), before: 0, after: 0, ..days }).as_deref(),
            Some("22 of 22 working days")
        );
        assert_eq!(said(Worked { all: 1, ..Worked::default() }).as_deref(), Some("1 of 1 working day"));
        assert_eq!(said(Worked::default()).as_deref(), Some("no working days"));
        let team = Input { working_days: None, ..fixture.strong() };
        assert_eq!(working_days(&team, &ENGLISH), None);
        let weak = Input { working_days: Some(Worked { all: 22, gone_by: 1, ..Worked::default() }), ..fixture.weak() };
        let text = working_days(&weak, &ENGLISH).map(|days| days.text);
        assert_eq!(text.as_deref(), Some("22 of 22 working days; 1 of the 22 has gone by"));
    }
}
