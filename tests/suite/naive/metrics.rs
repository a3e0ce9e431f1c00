//! What is known of each metric from its header, and its facts. Some metrics are this test's own: `metrics/*.sql`.

use super::company::{Activity, Company, Opportunity, STAGES};
use super::days::{GRAINS, Span, weekday};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Numbers are in trillionths.
pub const ONE: i128 = 1_000_000_000_000;

/// The metrics that no company has, for what the shipped ones do not use.
pub const OWN: [(&str, &str); 28] = [
    ("product_bookings", include_str!("metrics/product_bookings.sql")),
    ("product_effort", include_str!("metrics/product_effort.sql")),
    ("product_win_rate", include_str!("metrics/product_win_rate.sql")),
    ("product_sales", include_str!("metrics/product_sales.sql")),
    ("deals", include_str!("metrics/deals.sql")),
    ("deal_size", include_str!("metrics/deal_size.sql")),
    ("effort", include_str!("metrics/effort.sql")),
    ("deal_days", include_str!("metrics/deal_days.sql")),
    ("deals_touched", include_str!("metrics/deals_touched.sql")),
    ("rolling_bookings", include_str!("metrics/rolling_bookings.sql")),
    ("leads_converted", include_str!("metrics/leads_converted.sql")),
    ("open_deals", include_str!("metrics/open_deals.sql")),
    ("open_deal_size", include_str!("metrics/open_deal_size.sql")),
    ("open_value", include_str!("metrics/open_value.sql")),
    ("open_days", include_str!("metrics/open_days.sql")),
    ("open_days_median", include_str!("metrics/open_days_median.sql")),
    ("open_days_p90", include_str!("metrics/open_days_p90.sql")),
    ("open_days_sum", include_str!("metrics/open_days_sum.sql")),
    ("growth", include_str!("metrics/growth.sql")),
    ("yearly_change", include_str!("metrics/yearly_change.sql")),
    ("coverage", include_str!("metrics/coverage.sql")),
    ("moved", include_str!("metrics/moved.sql")),
    ("backlog", include_str!("metrics/backlog.sql")),
    ("deal_mean", include_str!("metrics/deal_mean.sql")),
    ("run_rate", include_str!("metrics/run_rate.sql")),
    ("quota_pace", include_str!("metrics/quota_pace.sql")),
    ("touches_a_month", include_str!("metrics/touches_a_month.sql")),
    ("expected", include_str!("metrics/expected.sql")),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Count,
    Distinct,
    Ratio,
    Mean,
    Median,
    /// So many ten-thousandths of the values are at most as great.
    Percentile(i128),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
    Neither,
}

/// A metric's header.
#[derive(Clone, Copy)]
pub struct Spec {
    pub id: &'static str,
    pub aggregate: Aggregate,
    pub better: Better,
    pub money: bool,
    pub stock: bool,
    /// Whether facts are shared over credits.
    pub credit: bool,
    /// Slices and pairs of them.
    pub slices: &'static [&'static str],
    pub apart: &'static [&'static str],
    pub grains: &'static [&'static str],
    /// Months and days.
    pub window: Option<(i32, i32)>,
    pub cohort_days: Option<i64>,
    pub minimum_n: i64,
    /// Of a stock: whether facts say when they are due.
    pub has_due: bool,
    /// Whether facts have a value at the plan's rates.
    pub plan: bool,
    /// Whether the slice `product` shares facts out.
    pub allocated: bool,
}

const CLOSED: &[&str] = &["month", "quarter", "year"];

/// What most headers say.
const PLAIN: Spec = Spec {
    id: "",
    aggregate: Aggregate::Sum,
    better: Better::Higher,
    money: false,
    stock: false,
    credit: false,
    slices: &[],
    apart: &[],
    grains: CLOSED,
    window: None,
    cohort_days: None,
    minimum_n: 0,
    has_due: false,
    plan: false,
    allocated: false,
};

const OPEN_DAYS: Spec = Spec {
    better: Better::Lower,
    stock: true,
    credit: true,
    slices: &["kind", "role"],
    grains: &["month", "quarter"],
    ..PLAIN
};

const BY_PRODUCT: Spec = Spec { slices: &["kind", "product"], allocated: true, grains: &["month", "quarter"], ..PLAIN };

pub const SPECS: [Spec; 25] = [
    Spec {
        id: "bookings",
        plan: true,
        money: true,
        credit: true,
        slices: &["kind", "segment", "industry", "source", "product", "kind*segment"],
        // No deal has lines: all of it is unallocated.
        allocated: true,
        ..PLAIN
    },
    Spec {
        id: "win_rate",
        aggregate: Aggregate::Ratio,
        credit: true,
        slices: &["competitor", "tenure_band", "segment", "industry", "kind", "touch_band", "competitor*segment"],
        minimum_n: 10,
        ..PLAIN
    },
    Spec {
        id: "sales_cycle_days",
        aggregate: Aggregate::Median,
        better: Better::Lower,
        slices: &["segment", "kind"],
        minimum_n: 5,
        ..PLAIN
    },
    Spec {
        id: "open_pipeline",
        money: true,
        stock: true,
        has_due: true,
        slices: &["stage", "kind"],
        grains: &["week", "month", "quarter", "year"],
        ..PLAIN
    },
    Spec {
        id: "calls_made",
        aggregate: Aggregate::Count,
        slices: &["purpose", "segment", "outcome", "hour_band", "weekday"],
        grains: &GRAINS,
        ..PLAIN
    },
    Spec { id: "new_customers", aggregate: Aggregate::Distinct, slices: &["segment", "source"], ..PLAIN },
    Spec { id: "exchange_rate_effect", better: Better::Neither, money: true, slices: &["currency"], ..PLAIN },
    Spec {
        id: "deals",
        aggregate: Aggregate::Count,
        credit: true,
        slices: &["kind", "role", "product", "kind*role"],
        apart: &["source"],
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "deal_size",
        aggregate: Aggregate::Mean,
        better: Better::Neither,
        money: true,
        credit: true,
        slices: &["kind", "tenure_band", "product"],
        grains: &["month", "year"],
        ..PLAIN
    },
    Spec {
        id: "effort",
        better: Better::Lower,
        credit: true,
        slices: &["role"],
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "deal_days",
        aggregate: Aggregate::Median,
        better: Better::Lower,
        credit: true,
        slices: &["role", "product"],
        window: Some((3, 0)),
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "deals_touched",
        aggregate: Aggregate::Distinct,
        credit: true,
        slices: &["role"],
        window: Some((0, 30)),
        grains: &["week", "month"],
        ..PLAIN
    },
    Spec {
        id: "rolling_bookings",
        money: true,
        credit: true,
        slices: &["kind"],
        window: Some((3, 0)),
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "leads_converted",
        aggregate: Aggregate::Ratio,
        slices: &["source", "tenure_band"],
        cohort_days: Some(90),
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "open_deals",
        aggregate: Aggregate::Count,
        better: Better::Neither,
        stock: true,
        credit: true,
        slices: &["role", "tenure_band", "product", "role*tenure_band"],
        grains: &["week", "month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "open_deal_size",
        aggregate: Aggregate::Median,
        money: true,
        stock: true,
        slices: &["stage", "role", "tenure_band"],
        grains: &["month", "quarter"],
        ..PLAIN
    },
    Spec {
        id: "open_value",
        money: true,
        stock: true,
        credit: true,
        slices: &["kind", "product"],
        grains: &["month", "quarter"],
        has_due: true,
        ..PLAIN
    },
    Spec { id: "product_bookings", money: true, credit: true, ..BY_PRODUCT },
    Spec { id: "product_sales", money: true, ..BY_PRODUCT },
    Spec { id: "product_effort", credit: true, ..BY_PRODUCT },
    Spec { id: "product_win_rate", aggregate: Aggregate::Ratio, credit: true, ..BY_PRODUCT },
    Spec { id: "open_days", aggregate: Aggregate::Mean, ..OPEN_DAYS },
    Spec { id: "open_days_median", aggregate: Aggregate::Median, ..OPEN_DAYS },
    Spec { id: "open_days_p90", aggregate: Aggregate::Percentile(9000), ..OPEN_DAYS },
    Spec { id: "open_days_sum", credit: false, ..OPEN_DAYS },
];

impl Spec {
    pub fn of(id: &str) -> Option<&'static Spec> {
        const { &SPECS }.iter().find(|spec| spec.id == id)
    }

    /// Whether a target on it is spread over days.
    pub fn is_sum(&self) -> bool {
        !self.stock && self.is_zero_without_facts()
    }

    pub fn is_zero_without_facts(&self) -> bool {
        matches!(self.aggregate, Aggregate::Sum | Aggregate::Count | Aggregate::Distinct)
    }

    /// Whether half a period has about half of it.
    pub fn grows(&self) -> bool {
        self.is_sum() && self.window.is_none()
    }

    /// The days whose facts are a period's, measured on its last day or on the date of the run.
    pub fn days(&self, period: Span, measured: Date) -> Span {
        match self.window {
            None => period,
            Some((months, days)) => Span { start: measured + 1.day() - months.months() - days.days(), end: measured },
        }
    }
}

/// One row that counts: on its day, or from it up to (not including) another.
#[derive(Clone)]
pub struct Fact {
    pub record: String,
    pub rep: Option<String>,
    pub from: Date,
    pub to: Option<Date>,
    /// The value is the days from this one to that of measuring.
    pub since: Option<Date>,
    pub due: Option<Date>,
    /// In trillionths: a value, or a ratio's upper side.
    pub above: i128,
    /// In trillionths: the value at the plan's rates, if the metric has one.
    pub plan: i128,
    /// In trillionths: a ratio's lower side, a mean's weight.
    pub below: i128,
    /// Each slice's values; those of a slice that is not `multi` are one.
    pub slices: Vec<(&'static str, Vec<String>)>,
    /// What is named of it, above and below; the names are those of products.
    pub named: Vec<(String, i128, i128)>,
    /// The same as facts of their own, with what is not named.
    pub parts: Vec<Fact>,
    /// Whether it stands beside the record, and is in no total.
    pub overlay: bool,
}

impl Fact {
    /// The values of a slice that it has by itself; role and tenure are its rep's on some day.
    pub fn values(&self, company: &Company, slice: &str, day: Date) -> Vec<String> {
        let rep = self.rep.as_deref();
        match slice {
            "role" => vec![said(company.role(rep, day))],
            "tenure_band" => vec![said(tenure_band(company, rep, day))],
            _ => self.slices.iter().find(|(name, _)| *name == slice).map(|(_, values)| values.clone()).unwrap(),
        }
    }
}

fn said(text: Option<impl Into<String>>) -> String {
    text.map_or("(none)".into(), Into::into)
}

fn one(text: Option<impl Into<String>>) -> Vec<String> {
    vec![said(text)]
}

/// What stands between `;`, each once.
fn several(text: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = text.into_iter().flat_map(|text| text.split(';')).map(String::from).collect();
    all.sort();
    all.dedup();
    if all.is_empty() { one(None::<String>) } else { all }
}

/// Amounts are in ten-thousandths.
fn amount(amount: Option<i64>) -> i128 {
    i128::from(amount.unwrap_or(0)) * (ONE / 10_000)
}

fn fact(of: &Opportunity, above: i128, slices: Vec<(&'static str, Vec<String>)>) -> Fact {
    Fact { above, ..on_a_day(&of.id, &of.rep, of.closed, slices) }
}

fn days(of: &Opportunity) -> i128 {
    i128::from((of.closed - of.created).get_days())
}

/// The facts as the SQL returns them.
pub fn facts(company: &Company, metric: &str) -> Vec<Fact> {
    let all = &company.opportunities;
    let won = || all.iter().filter(|one| one.closed_as == Some("won"));
    let account = |id: &Option<String>| company.accounts.iter().find(|account| Some(&account.id) == id.as_ref());
    let segment = |id: &Option<String>| one(account(id).and_then(|account| account.segment));
    let industry = |id: &Option<String>| one(account(id).and_then(|account| account.industry));
    match metric {
        "bookings" | "rolling_bookings" => won()
            .map(|of| {
                let slices = vec![
                    ("kind", one(of.kind)),
                    ("segment", segment(&of.account)),
                    ("industry", industry(&of.account)),
                    ("source", one(of.source)),
                ];
                // What the plan has no rate for counts at the day's.
                Fact { plan: amount(of.at_plan.or(of.amount)), ..fact(of, amount(of.amount), slices) }
            })
            .collect(),
        "exchange_rate_effect" => won()
            .filter(|of| of.at_plan.is_some())
            .map(|of| fact(of, amount(of.amount) - amount(of.at_plan), vec![("currency", one(of.currency))]))
            .collect(),
        "win_rate" => all
            .iter()
            .filter(|of| matches!(of.closed_as, Some("won" | "lost")) && of.kind != Some("renewal"))
            .map(|of| {
                let slices = vec![
                    ("competitor", one(of.competitor)),
                    ("segment", segment(&of.account)),
                    ("industry", industry(&of.account)),
                    ("kind", one(of.kind)),
                    ("touch_band", one(touch_band(company, &of.id))),
                ];
                fact(of, if of.is_won == Some(true) { ONE } else { 0 }, slices)
            })
            .collect(),
        "sales_cycle_days" => won()
            .filter(|of| of.closed >= of.created)
            .map(|of| fact(of, days(of) * ONE, vec![("segment", segment(&of.account)), ("kind", one(of.kind))]))
            .collect(),
        "deals" => won()
            .map(|of| {
                let slices = vec![
                    ("kind", one(of.kind)),
                    ("product", several(of.products)),
                    ("source", one(of.source.filter(|source| *source == "Web"))),
                ];
                fact(of, ONE, slices)
            })
            .collect(),
        "deal_size" => won()
            .map(|of| fact(of, amount(of.amount), vec![("kind", one(of.kind)), ("product", several(of.products))]))
            .collect(),
        "effort" => won().map(|of| fact(of, days(of) * (ONE + 7), Vec::new())).collect(),
        "deal_days" => won().map(|of| fact(of, days(of) * ONE, vec![("product", several(of.products))])).collect(),
        "open_deals" | "open_value" | "open_days" | "open_days_median" | "open_days_p90" | "open_days_sum" => {
            open(company, metric)
        }
        "product_bookings" | "product_sales" | "product_effort" | "product_win_rate" => by_product(company, metric),
        "open_pipeline" | "open_deal_size" => all.iter().flat_map(|of| versions(company, of)).collect(),
        "calls_made" => calls(company),
        "deals_touched" => touches(company),
        "leads_converted" => leads(company),
        _ => new_customers(company),
    }
}

/// Deals from their creation up to the day they close.
fn open(company: &Company, metric: &str) -> Vec<Fact> {
    let open = |of: &Opportunity| {
        let (kind, product) = (("kind", one(of.kind)), ("product", several(of.products)));
        let fact = match metric {
            "open_deals" => fact(of, ONE, vec![product]),
            "open_value" => {
                Fact { due: of.kind.map(|_| of.closed + 20.days()), ..fact(of, amount(of.amount), vec![kind, product]) }
            }
            _ => Fact { since: Some(of.created), ..fact(of, ONE, vec![kind]) },
        };
        Fact { from: of.created, to: of.closed_as.map(|_| of.closed), ..fact }
    };
    company.opportunities.iter().map(open).collect()
}

/// Closed deals, shared over products.
fn by_product(company: &Company, metric: &str) -> Vec<Fact> {
    let shared = |of: &Opportunity| {
        let won = |value: i128| if of.closed_as == Some("won") { value } else { 0 };
        let kind = vec![("kind", one(of.kind))];
        let fact = match metric {
            "product_effort" => fact(of, days(of) * ONE, kind),
            "product_win_rate" => Fact { below: amount(of.amount), ..fact(of, won(amount(of.amount)), kind) },
            _ => fact(of, amount(of.amount), kind),
        };
        // Parts of one name are added up.
        let mut named: BTreeMap<String, i128> = BTreeMap::new();
        for (name, cents) in &of.parts {
            *named.entry(said(*name)).or_default() += i128::from(*cents) * (ONE / 100);
        }
        let named = named.into_iter().map(|(name, value)| (name, won(value), value)).collect();
        Fact { named, ..fact }
    };
    let closed: &[&str] = if metric == "product_win_rate" { &["won", "lost"] } else { &["won"] };
    let counts = |of: &&Opportunity| of.closed_as.is_some_and(|closed_as| closed.contains(&closed_as));
    company.opportunities.iter().filter(counts).map(shared).collect()
}

pub fn tenure_band(company: &Company, rep: Option<&str>, day: Date) -> Option<String> {
    let hired = company.reps.iter().find(|one| Some(one.id.as_str()) == rep)?.hired?;
    let i = company.bands.iter().rposition(|band| hired + i64::from(*band).months() <= day).unwrap_or(0);
    Some(match company.bands.get(i + 1) {
        Some(next) => format!("{}-{} months", company.bands[i], next - 1),
        None => format!("{}+ months", company.bands[i]),
    })
}

fn touch_band(company: &Company, opportunity: &str) -> Option<String> {
    let touches = company.activities.iter().filter(|one| {
        one.opportunity.as_deref() == Some(opportunity)
            && one.completed == Some(true)
            && match one.kind {
                "call" => one.direction == Some("outbound"),
                "email" | "meeting" => one.direction != Some("inbound"),
                _ => false,
            }
    });
    match touches.count() {
        0 => None,
        1..4 => Some("1-3".into()),
        4..8 => Some("4-7".into()),
        _ => Some("8+".into()),
    }
}

/// A deal's open stretches.
fn versions(company: &Company, of: &Opportunity) -> Vec<Fact> {
    let open = |stage: Option<&str>, from: Date, to: Option<Date>, cents: Option<i64>| Fact {
        record: of.id.clone(),
        rep: of.rep.clone(),
        from,
        to,
        since: None,
        due: None,
        above: amount(cents),
        plan: 0,
        below: ONE,
        slices: vec![("stage", one(stage)), ("kind", one(of.kind))],
        named: Vec::new(),
        parts: Vec::new(),
        overlay: false,
    };
    let mut changes: Vec<_> = company.history.iter().filter(|change| change.opportunity == of.id).collect();
    if changes.is_empty() {
        // The history of these companies does not say when deals are to close.
        let due = |fact: Fact| vec![Fact { due: Some(of.closed), ..fact }];
        return match of.closed_as {
            // Its stage is mapped to none, and nothing tells of another.
            None if of.stage.is_none() => Vec::new(),
            None => due(open(of.stage, of.created, None, of.amount)),
            Some(_) if of.closed > of.created => due(open(None, of.created, Some(of.closed), of.amount)),
            Some(_) => Vec::new(),
        };
    }
    changes.sort_by_key(|change| (change.day, change.hour, &change.id));
    let mut facts = Vec::new();
    for (i, change) in changes.iter().enumerate() {
        let next = changes.get(i + 1).map(|next| next.day);
        // Of several changes on one day the last one stands.
        if next == Some(change.day) {
            continue;
        }
        if let Some((_, stage, None)) = STAGES.iter().find(|(source, _, _)| *source == change.source_stage) {
            facts.push(open(Some(stage), change.day, next, change.amount));
        }
    }
    facts
}

fn on_a_day(record: &str, rep: &Option<String>, day: Date, slices: Vec<(&'static str, Vec<String>)>) -> Fact {
    Fact {
        record: record.to_owned(),
        rep: rep.clone(),
        from: day,
        to: None,
        since: None,
        due: None,
        above: ONE,
        plan: 0,
        below: ONE,
        slices,
        named: Vec::new(),
        parts: Vec::new(),
        overlay: false,
    }
}

fn calls(company: &Company) -> Vec<Fact> {
    let made = company
        .activities
        .iter()
        .filter(|one| one.kind == "call" && one.direction == Some("outbound") && one.completed == Some(true));
    let call = |of: &Activity| {
        let account = company.accounts.iter().find(|account| Some(&account.id) == of.account.as_ref());
        let hour = of.hour.map(|hour| match hour {
            ..9 => "before 9",
            9..12 => "9 to 12",
            12..14 => "12 to 14",
            14..17 => "14 to 17",
            _ => "after 17",
        });
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let number = weekday(of.day) as usize;
        let slices = vec![
            ("purpose", one(of.purpose)),
            ("segment", one(account.and_then(|account| account.segment))),
            ("outcome", one(of.outcome)),
            ("hour_band", one(hour)),
            ("weekday", one(Some(format!("{} {}", number + 1, names[number])))),
        ];
        on_a_day(&of.id, &of.rep, of.day, slices)
    };
    made.map(call).collect()
}

/// Opportunity, rep and day of all activities, each once.
fn touches(company: &Company) -> Vec<Fact> {
    let touched = company.activities.iter().filter_map(|of| Some((of.opportunity.clone()?, of.rep.clone(), of.day)));
    let mut all: Vec<_> = touched.collect();
    all.sort();
    all.dedup();
    all.iter().map(|(record, rep, day)| on_a_day(record, rep, *day, Vec::new())).collect()
}

fn leads(company: &Company) -> Vec<Fact> {
    let lead = |of: &super::company::Lead| {
        let in_time = of.converted.is_some_and(|day| of.created <= day && day <= of.created + 90.days());
        let fact = on_a_day(&of.id, &of.rep, of.created, vec![("source", one(of.source))]);
        Fact { above: if in_time { ONE } else { 0 }, ..fact }
    };
    company.leads.iter().map(lead).collect()
}

fn new_customers(company: &Company) -> Vec<Fact> {
    let highest = |id: &str| {
        let mut at = company.accounts.iter().find(|account| account.id == id).unwrap();
        while let Some(parent) = &at.parent {
            at = company.accounts.iter().find(|account| account.id == *parent).unwrap();
        }
        at
    };
    let mut won: Vec<&Opportunity> =
        company.opportunities.iter().filter(|one| one.closed_as == Some("won") && one.account.is_some()).collect();
    won.sort_by_key(|one| (one.closed, &one.id));
    let (mut seen, mut facts) = (Vec::new(), Vec::new());
    for of in won {
        let customer = highest(of.account.as_deref().unwrap());
        if !seen.contains(&&customer.id) {
            seen.push(&customer.id);
            let slices = vec![("segment", one(customer.segment)), ("source", one(of.source))];
            facts.push(on_a_day(&customer.id, &of.rep, of.closed, slices));
        }
    }
    facts
}
