//! HubSpot's CSV export of the company that was bought.

use std::collections::BTreeMap;

use super::company::{Account, Activity, Company, Deal, ProductLine};
use super::people::Rep;
use super::rows::{Quarantined, Row, Source, berlin, berlin_day, required, rows};
use super::salesforce::{domain, night, stage};

pub fn read(source: &Source, company: &mut Company) {
    let owners = source.full("owners", &["User ID"], owner);
    // The export has people by their full names. Of two with one name the first in the file counts.
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for row in source.files("owners").last().map_or(Vec::new(), |path| rows(path)) {
        let (id, name) = (source.id(row.cell("User ID")), full_name(&row));
        if let Some(id) = id {
            names.entry(name).or_insert(id);
        }
    }
    let named = |name: &str| names.get(name).cloned();
    company.people.reps.extend(owners);
    company.accounts.extend(source.full("companies", &["Record ID"], |row| account(source, row, &named)));
    for path in source.files("deals") {
        let night = night(&path);
        let deals = source.standing(&path, &["Record ID"], |row| deal(source, row, &named));
        match company.nights.iter_mut().find(|(day, _)| *day == night) {
            Some((_, known)) => known.extend(deals),
            None => company.nights.push((night, deals)),
        }
    }
    company.nights.sort_by_key(|(night, _)| *night);
    for (id, stage) in source.full("stages", &["stage_name"], stage) {
        company.stages.insert(id, stage);
    }
    let calls = source.every_night("calls", &["Record ID"], |row| call(source, row, &named));
    let meetings = source.every_night("meetings", &["Record ID"], |row| meeting(source, row, &named));
    company.activities.extend(calls.into_values().chain(meetings.into_values()));
    let products = source.full("products", &["Product ID"], |row| Ok(row.cell("Name").to_owned()));
    company.products.extend(products);
    company.lines.extend(source.full("line_items", &["Record ID"], |row| line(source, row)));
}

fn full_name(row: &Row) -> String {
    [row.cell("First Name"), row.cell("Last Name")]
        .iter()
        .filter(|name| !name.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

fn owner(row: &Row) -> Result<Rep, Quarantined> {
    let (hired_on, left_on) = (row.date("Hired On")?, row.date("Left On")?);
    Ok(Rep { email: row.cell("Email").to_owned(), hired_on, left_on })
}

fn account(source: &Source, row: &Row, named: &dyn Fn(&str) -> Option<String>) -> Result<Account, Quarantined> {
    row.timestamp("Create Date")?;
    Ok(Account {
        name: row.cell("Company name").to_owned(),
        country: row.cell("Country/Region").to_owned(),
        domain: domain(row.cell("Company Domain Name")),
        rep: named(row.cell("Company owner")),
        parent: source.id(row.cell("Parent Company ID")),
        segment: row.text("Segment"),
        industry: row.text("Industry"),
    })
}

fn deal(source: &Source, row: &Row, named: &dyn Fn(&str) -> Option<String>) -> Result<Deal, Quarantined> {
    let closed = row.cell("Close Date");
    let id = row.cell("Record ID");
    Ok(Deal {
        account: source.id(row.cell("Associated Company IDs (Primary)")),
        rep: named(row.cell("Deal owner")),
        stage: source.id(row.cell("Deal Stage")).ok_or(Quarantined)?,
        original: row.decimal("Amount")?,
        currency: row.cell("Currency").to_owned(),
        amount: None,
        at_plan: None,
        // A day, or a moment whose day is the company's.
        closed_on: match row.timestamp("Close Date") {
            Ok(Some(at)) => berlin_day(at),
            _ => required(super::rows::date(closed).map(Some).ok_or(Quarantined))?,
        },
        created_on: berlin_day(required(row.timestamp("Create Date"))?),
        kind: match row.cell("Deal Type") {
            "newbusiness" => Some("new"),
            "existingbusiness" => Some("expansion"),
            "winback" => Some("returning"),
            "renewal" => Some("renewal"),
            _ => None,
        },
        source: row.text("Original Source").map(|text| common_source(&text).to_owned()),
        competitor: row.text("Competitor"),
        loss_reason: row.text("Closed Lost Reason"),
        sourced_by: None,
        shared_key: Some(id.to_owned()),
        is_deleted: false,
    })
}

fn line(source: &Source, row: &Row) -> Result<ProductLine, Quarantined> {
    let quantity = required(row.decimal("Quantity"))?;
    let all = |price: Option<i128>| price.map(|price| super::numbers::times(price, quantity).expect("an amount"));
    Ok(ProductLine {
        deal: source.id(row.cell("Associated Deal ID")).ok_or(Quarantined)?,
        product: source.id(row.cell("Product ID")),
        quantity,
        list: all(row.decimal("Unit price")?),
        amount: row.decimal("Net price")?,
        cost: all(row.decimal("Unit cost")?),
        currency: row.cell("Currency").to_owned(),
        is_deleted: false,
    })
}

/// The main CRM's word for where a deal came from.
fn common_source(text: &str) -> &str {
    match text {
        "Organic Search" | "Paid Search" => "Web",
        "Offline Sources" => "Trade Fair",
        "Email Marketing" => "Newsletter",
        "Referrals" => "Referral",
        "Other Campaigns" => "Partner",
        other => other,
    }
}

/// Calls are logged once they are over.
fn call(source: &Source, row: &Row, named: &dyn Fn(&str) -> Option<String>) -> Result<Activity, Quarantined> {
    let direction = match row.cell("Call direction") {
        "OUTBOUND" => Some("outbound"),
        "INBOUND" => Some("inbound"),
        _ => None,
    };
    let outcome = row.text("Call outcome").map(|text| if text == "Left voicemail" { "Voicemail".into() } else { text });
    Ok(Activity { kind: "call", direction, is_completed: true, outcome, ..activity(source, row, named)? })
}

fn meeting(source: &Source, row: &Row, named: &dyn Fn(&str) -> Option<String>) -> Result<Activity, Quarantined> {
    let outcome = row.text("Meeting outcome").map(|text| match text.as_str() {
        "COMPLETED" => "Held".to_owned(),
        "CANCELED" => "Cancelled".to_owned(),
        "NO_SHOW" => "No show".to_owned(),
        "SCHEDULED" => "Planned".to_owned(),
        _ => text,
    });
    let is_completed = outcome.as_deref() == Some("Held");
    Ok(Activity { kind: "meeting", is_completed, outcome, ..activity(source, row, named)? })
}

/// What calls and meetings have in common.
fn activity(source: &Source, row: &Row, named: &dyn Fn(&str) -> Option<String>) -> Result<Activity, Quarantined> {
    let at = required(row.timestamp("Activity date"))?;
    Ok(Activity {
        id: source.id(row.cell("Record ID")).ok_or(Quarantined)?,
        kind: "",
        direction: None,
        is_completed: false,
        day: berlin_day(at),
        at: Some(berlin(at)),
        booked_on: None,
        rep: named(row.cell("Activity assigned to")),
        account: source.id(row.cell("Associated Company IDs")),
        deal: source.id(row.cell("Associated Deal IDs")),
        purpose: None,
        outcome: None,
        is_deleted: false,
    })
}
