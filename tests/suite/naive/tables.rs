//! A company's tables as text.

use super::company::{Company, STAGES};
use jiff::civil::Date;

/// A table: its columns, and its rows' cells as text.
#[derive(Clone, Debug)]
pub struct Text {
    pub name: &'static str,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<Option<String>>>,
}

fn decimal(value: i64, digits: usize) -> String {
    let one = 10_i64.pow(digits as u32);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{:0digits$}", value.abs() / one, value.abs() % one)
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn say<T: ToString>(value: &Option<T>) -> Option<String> {
    value.as_ref().map(T::to_string)
}

fn flag(value: Option<bool>) -> Option<String> {
    value.map(|value| if value { "1".into() } else { "0".into() })
}

fn table<T>(name: &'static str, head: &str, all: &[T], row: impl Fn(&T) -> Vec<Option<String>>) -> Text {
    // A literal is split once; its words live as long as the program.
    let head = Box::leak(head.to_owned().into_boxed_str()).split_whitespace().collect();
    Text { name, head, rows: all.iter().map(row).collect() }
}

impl Company {
    /// The tables as text. All are given, if only with their heads.
    pub fn tables(&self) -> Vec<Text> {
        let mut tables = self.people();
        tables.extend(self.deals());
        tables
    }

    fn people(&self) -> Vec<Text> {
        vec![
            table("reps", "rep_id hired_on left_on holiday_region", &self.reps, |rep| {
                vec![text(&rep.id), say(&rep.hired), say(&rep.left), say(&rep.region)]
            }),
            table("teams", "team_id level parent_team_id", &self.teams, |team| {
                vec![text(&team.id), text(team.level), team.parent.clone()]
            }),
            table("assignments", "rep_id team_id role starts_on ends_on", &self.assignments, |one| {
                vec![text(&one.rep), text(&one.team), say(&one.role), text(one.from), say(&one.to)]
            }),
            table("holidays", "region day", &self.holidays, |(region, day)| vec![text(region), text(day)]),
            table("absences", "rep_id starts_on ends_on share", &self.absences, |one| {
                let share = one.share.map(|share| decimal(share, 2));
                vec![text(&one.rep), text(one.from), say(&one.to), share]
            }),
            table(
                "targets",
                "target_id metric rep_id team_id slice slice_value starts_on ends_on amount low high align is_fixed basis",
                &self.targets,
                |one| {
                    let [amount, low, high] = one.amounts.map(|amount| amount.map(|amount| decimal(amount, 6)));
                    vec![
                        text(&one.id),
                        text(one.metric),
                        one.rep.clone(),
                        one.team.clone(),
                        one.slice.map(|(slice, _)| slice.to_owned()),
                        one.slice.map(|(_, value)| value.to_owned()),
                        text(one.from),
                        say(&one.to),
                        amount,
                        low,
                        high,
                        one.nearest.then(|| "nearest".to_owned()),
                        one.fixed.then(|| "1".to_owned()),
                        self.plans.contains(&one.metric).then(|| "plan".to_owned()),
                    ]
                },
            ),
        ]
    }

    fn deals(&self) -> Vec<Text> {
        let money = |amount: Option<i64>| amount.map(|amount| decimal(amount, 4));
        let moment = |day: Date, hour: i64| text(format!("{day} {hour:02}:00:00"));
        vec![
            table("stages", "source_stage stage closed_as", &STAGES, |(source, stage, closed)| {
                vec![text(source), text(stage), say(closed)]
            }),
            table("accounts", "account_id parent_account_id segment industry", &self.accounts, |one| {
                vec![text(&one.id), one.parent.clone(), say(&one.segment), say(&one.industry)]
            }),
            table(
                "opportunities",
                "opportunity_id credited_rep_id account_id source_stage stage closed_as is_won amount \
                 amount_at_plan currency rate_on closed_on created_on kind source competitor next_step loss_reason",
                &self.opportunities,
                |one| {
                    let part = |(name, cents): &(Option<&str>, i64)| {
                        format!("{}={}", name.unwrap_or_default(), decimal(*cents, 2))
                    };
                    let parts: Vec<String> = one.parts.iter().map(part).collect();
                    vec![
                        text(&one.id),
                        one.rep.clone(),
                        one.account.clone(),
                        text(one.source_stage),
                        say(&one.stage),
                        say(&one.closed_as),
                        flag(one.is_won),
                        money(one.amount),
                        money(one.at_plan),
                        say(&one.currency),
                        say(&one.rate_on),
                        text(one.closed),
                        text(one.created),
                        say(&one.kind),
                        say(&one.source),
                        say(&one.competitor),
                        say(&one.products),
                        (!one.parts.is_empty()).then(|| parts.join(";")),
                    ]
                },
            ),
            table(
                "opportunity_history",
                "history_id opportunity_id changed_at changed_on source_stage amount currency",
                &self.history,
                |one| {
                    let at = moment(one.day, one.hour);
                    vec![
                        text(&one.id),
                        text(&one.opportunity),
                        at.clone(),
                        at,
                        text(one.source_stage),
                        money(one.amount),
                        say(&one.currency),
                    ]
                },
            ),
            table("credits", "record_table record_id rep_id share kind", &self.credits, |one| {
                let kind = if one.overlay { "overlay" } else { "revenue" };
                vec![
                    text("opportunities"),
                    text(&one.opportunity),
                    text(&one.rep),
                    text(decimal(one.share, 6)),
                    text(kind),
                ]
            }),
            table("exchange_rates", "from_currency valid_on rate kind", &self.rates, |one| {
                let kind = if one.market { "market" } else { "plan" };
                vec![text(one.currency), text(one.day), text(decimal(one.rate as i64, 12)), text(kind)]
            }),
            table("leads", "lead_id rep_id source created_on converted_on", &self.leads, |one| {
                vec![text(&one.id), one.rep.clone(), say(&one.source), text(one.created), say(&one.converted)]
            }),
            table(
                "activities",
                "activity_id rep_id kind direction is_completed happened_on happened_at account_id opportunity_id \
                 purpose outcome",
                &self.activities,
                |one| {
                    vec![
                        text(&one.id),
                        one.rep.clone(),
                        text(one.kind),
                        say(&one.direction),
                        flag(one.completed),
                        text(one.day),
                        one.hour.and_then(|hour| moment(one.day, hour)),
                        one.account.clone(),
                        one.opportunity.clone(),
                        say(&one.purpose),
                        say(&one.outcome),
                    ]
                },
            ),
        ]
    }
}
