//! Pipeline: what is coming.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::company::{Company, Deal, Forecast, Quote};
use super::super::credits;
use super::super::facts::{Fact, Metric, Part};
use super::super::formulas::{Formula, Place, over};
use super::super::history::{History, Version};
use super::super::numbers::{ONE, times, to_cents};
use super::stages;
use super::{count, money, ratio, sliced};

pub fn metrics(company: &Company) -> Vec<Metric> {
    let history = History::of(company);
    let open = |value: &dyn Fn(&Version) -> i128| -> Vec<Fact> {
        history.versions().filter(|version| version.is_open).map(|one| stood(company, one).value(value(one))).collect()
    };
    let amount = |version: &Version| version.amount.unwrap_or(0);
    let weighted = |version: &Version| {
        // In the stages' lists the probability is in hundredths.
        let stage = version.stage.as_ref().and_then(|stage| company.stages.get(stage));
        let probability = stage.map_or(0, |stage| stage.probability / 100);
        to_cents(times(amount(version), probability).expect("an amount"))
    };
    let created = |value: &dyn Fn(&Deal) -> i128| -> Vec<Fact> {
        created(company).into_iter().map(|(fact, deal)| fact.value(value(deal))).collect()
    };
    let stalled = stages::stalled(company, &history);
    let quotes = |of: &dyn Fn(Fact, i128, i128) -> Fact| -> Vec<Fact> {
        company.quotes.iter().filter_map(|(id, quote)| open_quote(company, id, quote, of)).collect()
    };
    vec![
        money("open_pipeline", open(&amount)),
        count("open_opportunities", open(&|_| ONE)),
        money("weighted_pipeline", open(&weighted)),
        count("opportunities_created", created(&|_| ONE)),
        money("pipeline_created", created(&|deal| deal.amount.unwrap_or(0))),
        count("slipped_opportunities", slipped(&history)),
        ratio("stage_conversion_rate", stages::conversions(company, &history)),
        count("stalled_opportunities", stalled.iter().map(|fact| fact.clone().value(ONE)).collect()),
        money("stalled_pipeline", stalled),
        money("pipeline_change", changes(company, &history)),
        count("new_leads", new_leads(company)),
        ratio("forecast_bias", forecasts(company)),
        money("open_quote_profit", quotes(&|fact, amount, cost| fact.value(amount - cost))),
        ratio("open_quote_margin", quotes(&|fact, amount, cost| fact.of(amount - cost, amount))),
    ]
}

pub fn formulas() -> Vec<Formula> {
    vec![
        Formula {
            id: "expected_attainment",
            parts: &["bookings"],
            state: None,
            of: |at: &Place| over(Some(at.value("bookings")? + at.due("weighted_pipeline")?), at.target("bookings")),
        },
        Formula {
            id: "pipeline_coverage",
            parts: &["bookings"],
            state: Some(("met", |at: &Place| {
                let target = at.target("bookings")?;
                Some(target > 0.0 && at.value("bookings")? >= target)
            })),
            of: |at: &Place| {
                let target = at.target("bookings").filter(|target| *target > 0.0)?;
                over(at.due("open_pipeline"), Some(target - at.value("bookings")?))
            },
        },
        Formula {
            id: "pipeline_velocity",
            parts: &["open_opportunities", "wins_of_a_year", "deals_of_a_year", "cycles_of_a_year"],
            state: None,
            of: |at: &Place| {
                let won = at.value("wins_of_a_year")? * at.value("deals_of_a_year")?;
                over(Some(at.value("open_opportunities")? * won), at.value("cycles_of_a_year"))
            },
        },
        Formula {
            id: "forecast_accuracy",
            parts: &["forecast_bias"],
            state: None,
            of: |at: &Place| Some(1.0 - at.value("forecast_bias")?.abs()),
        },
    ]
}

/// An open deal, as long as it stood so.
fn stood(company: &Company, version: &Version) -> Fact {
    let month = version.closed_on.map(|day| day.strftime("%Y-%m").to_string());
    Fact::on(&version.deal, version.rep.as_ref(), version.from)
        .stood(version.from, version.to)
        .due(version.closed_on)
        .slice("stage", version.stage_name.as_deref())
        .slice("kind", company.deals.get(&version.deal).and_then(|deal| deal.kind))
        .slice("expected_month", month.as_deref())
}

/// Opportunities on the day they were created, for who sourced them, else the owner; but duplicates.
fn created(company: &Company) -> Vec<(Fact, &Deal)> {
    let real = company.deals.iter().filter(|(_, deal)| company.closed_as(&deal.stage) != "duplicate");
    let facts = real.map(|(id, deal)| {
        let rep = deal.sourced_by.as_ref().or(deal.rep.as_ref());
        (sliced(company, deal, Fact::on(id, rep, deal.created_on)), deal)
    });
    facts.collect()
}

fn new_leads(company: &Company) -> Vec<Fact> {
    let leads = company.leads.iter();
    leads
        .map(|(id, lead)| Fact::on(id, lead.rep.as_ref(), lead.created_on).slice("source", lead.source.as_deref()))
        .collect()
}

/// Close dates that moved to a later calendar month while the deal was open and stayed so, on the date that was. Moved
/// twice from one date, it counts once: for the first move.
fn slipped(history: &History) -> Vec<Fact> {
    let mut known = BTreeSet::new();
    let mut facts = Vec::new();
    for (before, after) in history.steps() {
        let (Some(before), Some(after)) = (before, after) else { continue };
        let (Some(was), Some(is)) = (before.closed_on, after.closed_on) else { continue };
        let is_later = (is.year(), is.month()) > (was.year(), was.month());
        if before.is_open && after.is_open && is_later && known.insert((before.deal.clone(), was)) {
            facts.push(Fact::on(&before.deal, before.rep.as_ref(), was).slice("stage", before.stage_name.as_deref()));
        }
    }
    facts
}

/// A deal, whose it was, and the day.
type Changed = (String, Option<String>, Date);
/// Movements of a deal on a day, each with the two sides of what it moved.
type Movements = Vec<(Option<String>, i128, i128)>;

/// What a deal added to somebody's open pipeline or took from it on a day, and by which movements.
fn changes(company: &Company, history: &History) -> Vec<Fact> {
    let mut facts: BTreeMap<Changed, Movements> = BTreeMap::new();
    for (before, after) in history.steps() {
        let is_first = |version: &Version| !history.was_open_before(version);
        let day = after.map_or_else(|| before.map(|version| version.to), |version| Some(version.from));
        let Some(day) = day.filter(|day| *day <= company.as_of) else { continue };
        let amount = |version: &Version| version.amount.unwrap_or(0);
        let mut add = |version: &Version, movement: &str, value: i128| {
            let key = (version.deal.clone(), version.rep.clone(), day);
            if value != 0 {
                facts.entry(key).or_default().push((Some(movement.to_owned()), value, 0));
            }
        };
        match (before.filter(|one| one.is_open), after) {
            (None, Some(after)) if after.is_open => {
                add(after, if is_first(after) { "new" } else { "reopened" }, amount(after));
            }
            (Some(before), None) => add(before, "deleted", -amount(before)),
            (Some(before), Some(after)) if after.is_open => {
                if before.rep != after.rep {
                    add(before, "handed over", -amount(before));
                    add(after, "handed over", amount(before));
                }
                let more = amount(after) - amount(before);
                add(after, if more > 0 { "increased" } else { "decreased" }, more);
            }
            (Some(before), Some(after)) => {
                let movement = match company.closed_as(after.stage.as_deref().unwrap_or("")) {
                    "won" => "won",
                    "lost" => "lost",
                    _ => "dropped",
                };
                add(before, movement, -amount(before));
            }
            _ => {}
        }
    }
    let fact = |((deal, rep, day), parts): (Changed, Movements)| {
        let value = parts.iter().map(|part| part.1).sum();
        Fact::on(&deal, rep.as_ref(), day).value(value).part("movement", Part::Shared(parts))
    };
    facts.into_iter().map(fact).collect()
}

/// A quote from the day it was presented up to the day before it was decided, at the longest up to the day on which it
/// expires.
fn open_quote(company: &Company, id: &str, quote: &Quote, of: &dyn Fn(Fact, i128, i128) -> Fact) -> Option<Fact> {
    let (amount, cost, from) = (quote.amount?, quote.cost?, quote.presented_on?);
    let is_over = matches!(quote.status, "accepted" | "rejected" | "expired");
    let expired = quote.expires_on.map(|day| day + 1.day());
    let to = [quote.decided_on, expired].into_iter().flatten().min();
    // No longer open, and nobody knows since when.
    if is_over && to.is_none() {
        return None;
    }
    let fact = Fact::on(id, company.quote_rep(quote), from).stood(from, to.unwrap_or(Date::MAX));
    Some(of(fact, amount, cost))
}

/// Of each method's forecasts for a rep and a period the last one made on or before its first day, else the first one
/// after; against what the rep booked in it. Only of periods that are over.
fn forecasts(company: &Company) -> Vec<Fact> {
    let mut by_period: BTreeMap<(&str, &str, Date, Date), Vec<&Forecast>> = BTreeMap::new();
    for one in company.forecasts.iter().filter(|one| one.ends_on <= company.as_of) {
        by_period.entry((&one.method, &one.rep, one.starts_on, one.ends_on)).or_default().push(one);
    }
    let facts = by_period.into_iter().filter_map(|((method, rep, from, to), mut all)| {
        all.sort_by_key(|one| (one.made_on, &one.id));
        let in_time = all.iter().rev().find(|one| one.made_on <= from);
        let chosen = in_time.or(all.first())?;
        let booked = company.booked(rep, from, to);
        let fact = Fact::on(&chosen.id, Some(&rep.to_owned()), to).of(chosen.amount - booked, booked);
        Some(fact.slice("method", Some(method)))
    });
    facts.collect()
}

impl Company {
    /// A quote's rep or, if it has none, its deal's.
    pub fn quote_rep<'a>(&'a self, quote: &'a Quote) -> Option<&'a String> {
        let of_deal = || self.deals.get(quote.deal.as_ref()?)?.rep.as_ref();
        quote.rep.as_ref().or_else(of_deal)
    }

    /// What a rep booked from one day to another; of shared deals the rep's share, rounded to the cent.
    fn booked(&self, rep: &str, from: Date, to: Date) -> i128 {
        let mut sum = 0;
        for (id, deal) in self.won().filter(|(_, deal)| from <= deal.closed_on && deal.closed_on <= to) {
            let amount = deal.amount.unwrap_or(0);
            let mut shared = self.credits.iter().filter(|one| &one.record == id && !one.is_overlay).peekable();
            sum += match shared.peek() {
                None if deal.rep.as_deref() == Some(rep) => amount,
                None => 0,
                Some(_) => {
                    shared.filter(|one| one.rep == rep).map(|one| credits::overlay(amount, one.share, true)).sum()
                }
            };
        }
        sum
    }
}
