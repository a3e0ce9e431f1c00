//! What is in a deal: products, how many, at what price and what cost; and the offers that were made of it.

use crate::sample::book::{Book, Deal};
use crate::sample::calendar::{Calendar, Day, Moment};
use crate::sample::id::{Id, Kind};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;
use crate::sample::table::Table;

/// Something that is sold.
pub struct Product {
    /// Its name.
    pub name: &'static str,
    /// What kind of thing it is.
    pub family: &'static str,
    /// The list price of one, in whole units of any currency.
    pub list: i64,
    /// What one costs to make, in percent of the list price.
    cost: i64,
    /// How a deal about it is called.
    subject: &'static str,
}

const fn product(name: &'static str, family: &'static str, list: i64, cost: i64, subject: &'static str) -> Product {
    Product { name, family, list, cost, subject }
}

/// Alderbrook's catalogue.
pub const CATALOGUE: [Product; 13] = [
    product("pH probe P40", "Probes", 420, 46, "pH probes"),
    product("Flow logger F12", "Loggers", 890, 48, "flow loggers"),
    product("Gas sensor G7", "Probes", 640, 50, "gas sensors"),
    product("Data gateway DG-2", "Gateways", 1_450, 44, "data gateway"),
    product("Turbidity meter T5", "Probes", 1_180, 47, "turbidity line"),
    product("Cold chain logger <C3>", "Loggers", 210, 52, "cold chain"),
    product("Level meter L9", "Probes", 760, 49, "level meters"),
    product("O₂ monitor M6", "Probes", 980, 45, "O₂ monitoring"),
    product("Field kit K1, \"Koffer\"", "Kits", 1_640, 55, "field kit"),
    product("Pilot plant set", "Kits", 4_800, 60, "pilot plant"),
    product("Calibration, per line", "Services", 480, 62, "calibration"),
    product("Spares & service", "Services", 340, 58, "spares & service"),
    product("Software licence, per year", "Software", 260, 18, "upgrade"),
];

/// Brackwater's catalogue.
pub const BRACKWATERS: [Product; 6] = [
    product("Pressure transmitter BP2", "Sensors", 380, 51, "level meters"),
    product("Tide gauge TG", "Sensors", 1_250, 54, "field kit"),
    product("Flow sensor BF & clamp", "Sensors", 720, 49, "flow loggers"),
    product("Telemetry box", "Gateways", 990, 47, "data gateway"),
    product("Service visit", "Services", 410, 66, "spares & service"),
    product("Cloud plan, per year", "Software", 180, 15, "upgrade"),
];

/// A product in a deal.
pub struct Line {
    /// Which, by its place in the catalogue.
    pub product: usize,
    /// How many.
    pub quantity: i64,
    /// What all of them are sold for, in cents.
    pub total: i64,
    /// The list price of one, in cents.
    pub list: i64,
    /// What one costs to make, in cents.
    pub cost: i64,
}

impl Line {
    /// What one is sold for, in cents.
    pub fn unit(&self) -> i64 {
        (self.total * 2 + self.quantity) / (self.quantity * 2)
    }
}

/// What a deal is made of when it is worth `amount` cents. Which products it has never changes, their numbers do.
pub fn lines(seed: u64, deal: &Deal, catalogue: &[Product], amount: i64) -> Vec<Line> {
    let mut rng = Rng::stream(seed, "lines", (deal.id.book() * 1_000_000 + deal.id.number()) as u64);
    // Six deals in a hundred were entered as one amount.
    if rng.chance(6) || amount <= 0 {
        return Vec::new();
    }
    let subject = catalogue.iter().position(|product| deal.name.ends_with(product.subject));
    let main = subject.unwrap_or_else(|| rng.below(catalogue.len() - 2));
    let more = rng.weighted(&[(35, 0), (40, 1), (25, 2)]);
    let mut parts = vec![(main, 100)];
    for _ in 0..more {
        let other = rng.below(catalogue.len());
        let share = rng.between(8, 30);
        if parts.iter().all(|(product, _)| *product != other) {
            parts[0].1 -= share;
            parts.push((other, share));
        }
    }
    let mut left = amount;
    let count = parts.len();
    let mut lines = Vec::with_capacity(count);
    for (n, (product, share)) in parts.into_iter().enumerate().rev() {
        let total = if n == 0 { left } else { amount / 100 * share };
        left -= total;
        let list = catalogue[product].list * 100;
        let price = list * (100 - rng.between(deal.discount.0, deal.discount.1)) / 100;
        let quantity = (total + price - 1) / price;
        let cost = list * catalogue[product].cost / 100;
        lines.push(Line { product, quantity, total, list, cost });
    }
    lines.reverse();
    lines
}

/// The record of Alderbrook's n-th product.
fn product_id(number: usize) -> Id {
    Id::new(Kind::Product, 0, number + 1)
}

/// `Product2`.
pub fn products(table: &mut Table<'_>) {
    for (n, product) in CATALOGUE.iter().enumerate() {
        table.id(product_id(n)).text(product.name).text(product.family).flag(true).end();
    }
}

/// A deal's amount as a night knows it.
fn worth(deal: &Deal, night: Day) -> Option<i64> {
    deal.known(night).last()?.amount
}

/// `OpportunityLineItem`: those of deals that are new, worth something else or deleted, since `after`.
pub fn items(seed: u64, books: &[Book], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals) {
        let Some(amount) = worth(deal, night) else { continue };
        let deleted = deal.deleted_on(night).is_some();
        let told = |after: Day| worth(deal, after) == Some(amount) && deal.deleted_on(after).is_some() == deleted;
        if after.is_some_and(told) {
            continue;
        }
        for (n, line) in lines(seed, deal, &CATALOGUE, amount).into_iter().enumerate() {
            table.id(deal.id.child(Kind::LineItem, n)).id(deal.id).id(product_id(line.product)).number(line.quantity);
            table.money(Some(line.list)).money(Some(line.unit())).money(Some(line.total)).money(Some(line.cost));
            table.text(deal.currency).moment(deal.created()).flag(deleted).end();
        }
    }
}

/// `OpportunitySplit`: who else has a share in a deal.
pub fn splits(books: &[Book], night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals).filter(|deal| deal.created() <= night.end()) {
        for (n, (rep, share, kind)) in deal.splits.iter().enumerate() {
            table.id(deal.id.child(Kind::Split, n)).id(deal.id).id(*rep).number(*share).text(kind).flag(false).end();
        }
    }
}

/// An offer's life.
struct Offer {
    created: Moment,
    presented: Day,
    expires: Day,
}

/// How an offer stands that night: its status, when it was decided, what it is worth, whether its deal was deleted.
#[derive(PartialEq)]
struct Standing(&'static str, Option<Day>, i64, bool);

fn offer(seed: u64, calendar: &Calendar, deal: &Deal) -> Option<Offer> {
    let mut rng = Rng::stream(seed, "offer", (deal.id.book() * 1_000_000 + deal.id.number()) as u64);
    let step = deal.steps.iter().find(|step| matches!(step.stage, Stage::Proposal | Stage::Negotiation))?;
    let presented = calendar.workday_from(step.at.day.plus(rng.between(0, 2)));
    let last = deal.steps.last()?;
    // An offer holds for two to three months; an order that comes later still counts.
    let expires = presented.plus(rng.between(60, 90));
    let expires = if last.stage == Stage::Won { expires.max(last.close.plus(14)) } else { expires };
    Some(Offer { created: step.at, presented, expires })
}

fn standing(deal: &Deal, offer: &Offer, night: Day) -> Option<Standing> {
    let known = deal.known(night);
    let last = known.last().filter(|_| offer.created <= night.end())?;
    let amount = known.iter().rev().find_map(|step| step.amount)?;
    let (status, decided) = match last.stage {
        Stage::Won => ("Accepted", Some(last.close)),
        _ if offer.expires < night && (!last.stage.closed() || offer.expires < last.close) => {
            ("Expired", Some(offer.expires))
        }
        stage if stage.closed() => ("Denied", Some(last.close)),
        _ if offer.presented > night => ("Draft", None),
        _ => ("Presented", None),
    };
    Some(Standing(status, decided, amount, deal.deleted_on(night).is_some()))
}

/// `Quote`: the offers that are new, or stand otherwise, since `after`.
pub fn quotes(seed: u64, calendar: &Calendar, books: &[Book], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for deal in books.iter().flat_map(|book| &book.deals) {
        let Some(offer) = offer(seed, calendar, deal) else { continue };
        let Some(now) = standing(deal, &offer, night) else { continue };
        if after.and_then(|after| standing(deal, &offer, after)).is_some_and(|before| before == now) {
            continue;
        }
        let Standing(status, decided, amount, deleted) = now;
        let cost: i64 = lines(seed, deal, &CATALOGUE, amount).iter().map(|line| line.cost * line.quantity).sum();
        let cost = if cost == 0 { amount * 52 / 100 } else { cost };
        table.id(deal.id.child(Kind::Quote, 0)).id(deal.id).text(format!("Offer: {}", deal.name)).text(status);
        table.money(Some(amount)).money(Some(cost)).text(deal.currency);
        table.day((status != "Draft").then_some(offer.presented)).day(decided).day(offer.expires);
        table.moment(offer.created).flag(deleted).end();
    }
}
