//! Activity: what a rep controls.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::company::{Activity, Company};
use super::super::facts::{Fact, Metric};
use super::super::formulas::{Formula, Place, over};
use super::super::periods::Days;
use super::{count, ratio};

pub fn metrics(company: &Company) -> Vec<Metric> {
    let calls = || company.activities.iter().filter(|one| is_outbound_call(one));
    let meetings = || company.activities.iter().filter(|one| one.kind == "meeting");
    let connected = |call: &Activity| call.outcome.as_deref() == Some("Connected");
    let booked = |meeting: &Activity| meeting.booked_on.unwrap_or(meeting.day);
    vec![
        count("calls_made", calls().map(|call| happened(company, call)).collect()),
        ratio("connect_rate", calls().map(|call| happened(company, call).hit(connected(call))).collect()),
        count(
            "emails_sent",
            company.activities.iter().filter(|one| is_email(one)).map(|one| happened(company, one)).collect(),
        ),
        count(
            "touches",
            company.activities.iter().filter(|one| is_touch(one)).map(|one| happened(company, one)).collect(),
        ),
        count("meetings_set", meetings().map(|one| happened(company, one).on_day(booked(one))).collect()),
        count("meetings_held", meetings().filter(|one| one.is_completed).map(|one| happened(company, one)).collect()),
        ratio(
            "meeting_show_rate",
            meetings()
                .filter(|one| is_due(company, one))
                .map(|one| happened(company, one).hit(one.is_completed))
                .collect(),
        ),
        count("proposals_sent", proposals(company)),
        count("active_customers", customers(company, false)),
        count("touched_customers", customers(company, true)),
    ]
}

pub fn formulas() -> Vec<Formula> {
    vec![Formula {
        id: "customer_touch_coverage",
        parts: &["touched_customers", "active_customers"],
        state: None,
        of: |at: &Place| over(at.value("touched_customers"), at.value("active_customers")),
    }]
}

/// A meeting that was cancelled or put off was not due.
fn is_due(company: &Company, meeting: &Activity) -> bool {
    let is_off = matches!(meeting.outcome.as_deref(), Some("Cancelled" | "Postponed" | "Rescheduled"));
    meeting.day <= company.as_of && !is_off
}

/// Quotes on the day they were presented; drafts were not.
fn proposals(company: &Company) -> Vec<Fact> {
    let sent = company.quotes.iter().filter(|(_, quote)| quote.status != "draft");
    let facts = sent.filter_map(|(id, quote)| {
        let fact = Fact::on(id, company.quote_rep(quote), quote.presented_on?);
        let deal = quote.deal.as_ref().and_then(|deal| company.deals.get(deal));
        Some(match deal {
            Some(deal) => super::sliced(company, deal, fact),
            None => fact.slice("kind", None).slice("segment", None),
        })
    });
    facts.collect()
}

/// Customers as long as they are active: twelve months from each purchase on. Or only while they have been touched in
/// ninety days as well, by anyone and with any account of theirs.
fn customers(company: &Company, only_touched: bool) -> Vec<Fact> {
    let customer = |account: &Option<String>| company.customer(account.as_deref()?);
    let mut bought: BTreeMap<&str, Vec<Days>> = BTreeMap::new();
    for (_, deal) in company.won() {
        if let Some(id) = customer(&deal.account) {
            bought
                .entry(id)
                .or_default()
                .push(Days { from: deal.closed_on, to: deal.closed_on + 12.months() - 1.day() });
        }
    }
    let mut touched: BTreeMap<&str, Vec<Days>> = BTreeMap::new();
    for touch in company.activities.iter().filter(|one| is_touch(one)) {
        if let Some(id) = customer(&touch.account) {
            touched.entry(id).or_default().push(Days { from: touch.day, to: touch.day + 89.days() });
        }
    }
    let mut facts = Vec::new();
    for (id, active) in bought {
        let touched = touched.get(id).map_or(&[][..], Vec::as_slice);
        let account = &company.accounts[id];
        // Both change on first days and after last days alone, so in between everything stays as it is.
        let mut days: Vec<Date> =
            active.iter().chain(touched).flat_map(|days| [days.from, days.to + 1.day()]).collect();
        days.sort_unstable();
        days.dedup();
        for pair in days.windows(2) {
            let has = |all: &[Days]| all.iter().any(|days| days.has(pair[0]));
            if has(&active) && (!only_touched || has(touched)) {
                let fact = Fact::on(id, account.rep.as_ref(), pair[0]).stood(pair[0], pair[1]);
                facts.push(fact.slice("segment", account.segment.as_deref()));
            }
        }
    }
    facts
}

/// Answered or not, but made.
fn is_outbound_call(activity: &Activity) -> bool {
    activity.kind == "call" && activity.direction == Some("outbound") && activity.is_completed
}

fn is_email(activity: &Activity) -> bool {
    activity.kind == "email" && activity.direction != Some("inbound") && activity.is_completed
}

/// Outbound calls, e-mails that we sent, and meetings that took place.
pub fn is_touch(activity: &Activity) -> bool {
    let is_held = activity.kind == "meeting" && activity.is_completed;
    is_outbound_call(activity) || is_email(activity) || is_held
}

fn happened(company: &Company, activity: &Activity) -> Fact {
    let segment = company.account(activity.account.as_ref()).and_then(|account| account.segment.as_deref());
    let hour_band = activity.at.map(|at| match at.hour() {
        ..9 => "before 9",
        9..12 => "9 to 12",
        12..14 => "12 to 14",
        14..17 => "14 to 17",
        _ => "after 17",
    });
    let weekdays = ["1 Monday", "2 Tuesday", "3 Wednesday", "4 Thursday", "5 Friday", "6 Saturday", "7 Sunday"];
    let weekday = usize::try_from(activity.day.weekday().to_monday_zero_offset()).expect("a weekday");
    Fact::on(&activity.id, activity.rep.as_ref(), activity.day)
        .slice("purpose", activity.purpose.as_deref())
        .slice("segment", segment)
        .slice("outcome", activity.outcome.as_deref())
        .slice("hour_band", hour_band)
        .slice("weekday", Some(weekdays[weekday]))
        .slice("kind", Some(activity.kind))
}
