//! What finance and sales operations keep beside the CRMs: exchange rates, costs, tools and who uses them, forecasts.

use crate::sample::book::Book;
use crate::sample::calendar::{Day, Month};
use crate::sample::people::{Rep, Story};
use crate::sample::plan::{BRACKWATER, TEAM};
use crate::sample::plan::{Plan, percent};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;
use crate::sample::table::Table;

/// Currencies, what one unit is usually worth, and at the plan's rate of 2024 to 2026: in hundredths of a cent.
const CURRENCIES: [(&str, i64, [i64; 3]); 2] =
    [("GBP", 11_650, [11_700, 11_900, 11_500]), ("USD", 9_100, [9_200, 9_300, 9_000])];

/// `exchange_rates`: the market's of every working day up to the night, the plan's of every year.
pub fn exchange_rates(plan: &Plan, night: Day, table: &mut Table<'_>) {
    // Deals that were entered before the first month have a history.
    let first = plan.first.plus(-8);
    for (currency, usual, planned) in CURRENCIES {
        for year in first.year()..=plan.last.year() {
            let rate = planned[usize::try_from(year - 2024).unwrap_or_default().min(2)];
            table.text(currency).day(Day::of(year, 1, 1)).text(digits(rate)).text("plan").end();
        }
        for month in first.to(plan.last) {
            // Half-way between what stands at both ends of the month, and a little noise.
            let anchor = |month: Month| usual + Rng::stream(plan.seed, currency, month.stream(0)).around(-420, 420);
            let (from, to) = (anchor(month), anchor(month.plus(1)));
            let days = month.last().since(month.first()) + 1;
            let mut rng = Rng::stream(plan.seed, currency, month.stream(1));
            for day in plan.calendar.workdays(month).into_iter().filter(|day| *day <= night) {
                let rate = from + (to - from) * day.since(month.first()) / days + rng.between(-18, 18);
                table.text(currency).day(day).text(digits(rate)).text("market").end();
            }
        }
    }
}

fn digits(rate: i64) -> String {
    format!("{}.{:04}", rate / 10_000, rate % 10_000)
}

/// `Web` and the like: what marketing spends on each in a month, in whole euros, for 24 reps.
const MARKETING: [(&str, i64); 6] = [
    ("Web", 14_500),
    ("Trade Fair", 7_000),
    ("Referral", 1_800),
    ("Partner", 8_600),
    ("Newsletter", 3_200),
    ("Purchased list", 2_400),
];

/// `costs`: of marketing by source and of sales, booked on the 25th.
pub fn costs(plan: &Plan, reps: usize, night: Day, table: &mut Table<'_>) {
    let mut cost = |month: Month, kind: &str, source: &str, euros: i64| {
        let day = plan.calendar.workday_to(month.first().plus(24));
        if day <= night {
            let number = source.bytes().next().map_or('S', char::from);
            table.text(format!("C{}-{:02}-{number}{}", month.year(), month.of_year() + 1, source.len()));
            table.text(kind).text(source).day(day).money(Some(euros * 100)).end();
        }
    };
    for month in plan.first.to(plan.last) {
        let mut rng = Rng::stream(plan.seed, "costs", month.stream(0));
        let quarter_end = month.of_year() % 3 == 2;
        for (source, usual) in MARKETING {
            let season = if source == "Trade Fair" && quarter_end { 520 } else { 100 };
            let euros = percent(percent(usual, season), rng.around(85, 115)) * reps as i64 / 24;
            cost(month, "marketing", source, euros.max(50));
        }
        let pay = percent(9_400 * reps as i64, if quarter_end { 124 } else { 100 });
        cost(month, "sales", "", percent(pay, rng.around(97, 103)));
    }
}

/// A tool's name, what a seat costs in a month in whole euros, seats for 24 reps.
const TOOLS: [(&str, i64, i64); 3] = [("CRM", 75, 30), ("Dialbeam", 42, 24), ("Prospectory", 110, 12)];
/// Since when logins are kept.
const LOGINS: Month = Month::of(2025, 10);

/// `licences`: seats paid for in a month.
pub fn licences(plan: &Plan, reps: usize, table: &mut Table<'_>) {
    for month in plan.first.to(plan.last) {
        for (tool, price, seats) in TOOLS {
            let seats = (seats * reps as i64 / 24).max(1);
            table.text(tool).day(month.first()).day(month.last()).number(seats).money(Some(seats * price * 100)).end();
        }
    }
}

/// How often somebody uses a tool on a day at work, in percent.
fn habit(rep: &Rep, tool: usize, month: Month, rng: &mut Rng) -> i64 {
    let usual = rng.between(76, 96);
    match (tool, rep.index) {
        (0, _) if rep.story == Story::Fading && month >= Month::of(2026, 6) => 34,
        (0, _) => usual,
        (_, BRACKWATER..) => 0,
        (1, _) => usual - 30,
        // Three teams have seats for sales intelligence; the second hardly looks at it.
        _ => match rep.index / TEAM % 6 {
            1 => 5,
            2 | 4 => usual - 40,
            _ => 0,
        },
    }
}

/// `tool_use`: who logged in where, on the days since `after`.
pub fn tool_use(plan: &Plan, reps: &[&Rep], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    let first = if after.is_some() { plan.last } else { plan.first.max(LOGINS) };
    for rep in reps {
        for month in first.to(plan.last) {
            for (tool, (name, ..)) in TOOLS.iter().enumerate() {
                let mut rng = Rng::stream(plan.seed, name, month.stream(rep.index));
                let habit = habit(rep, tool, month, &mut rng);
                for day in plan.calendar.workdays(month) {
                    let used = rng.chance(habit);
                    let at_work = day >= rep.hired && rep.last_day().is_none_or(|last| day <= last);
                    if used && at_work && day <= night && after.is_none_or(|after| day > after) {
                        table.text(rep.full_id()).text(name).day(day).end();
                    }
                }
            }
        }
    }
}

/// `forecasts`: what each rep commits to on a month's first working day, and what the manager makes of it, in euros.
pub fn forecasts(plan: &Plan, reps: &[(&Rep, &Book)], night: Day, table: &mut Table<'_>) {
    for (rep, book) in reps {
        for month in plan.first.to(plan.last).filter(|month| rep.works_in(*month)) {
            let made = plan.calendar.workday_from(month.first());
            if made > night || rep.hired > made || rep.last_day().is_some_and(|last| last < made) {
                continue;
            }
            let mut rng = Rng::stream(plan.seed, "forecast", month.stream(rep.index));
            let told = told(book, month).max(1_200_000);
            let hopeful = match rep.story {
                Story::Busy => rng.around(140, 185),
                Story::Fading => rng.around(150, 240),
                _ => rng.around(72, 132),
            };
            let commit = percent(told, hopeful);
            // One lead in six passes on what the reps say.
            let doubt = if rep.index / TEAM % 6 == 1 { 0 } else { rng.around(45, 85) };
            let call = commit + percent(told - commit, doubt);
            for (method, letter, amount) in [("commit", 'C', commit), ("manager", 'M', call)] {
                table.text(format!("F{}-{:02}-{}{letter}", month.year(), month.of_year() + 1, rep.number()));
                table.text(method).text(rep.full_id()).day(made).day(month.first()).day(month.last());
                table.money(Some(amount / 50_000 * 50_000)).end();
            }
        }
    }
}

/// What a book will have won in a month, in cents, currencies as they are.
fn told(book: &Book, month: Month) -> i64 {
    let last = book.deals.iter().filter_map(|deal| deal.steps.last());
    let won = last.filter(|step| step.stage == Stage::Won && step.close.month() == month);
    won.filter_map(|step| step.amount).sum()
}
