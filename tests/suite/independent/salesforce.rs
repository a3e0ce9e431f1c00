//! Salesforce's data export, and what sales operations keep beside it.

use jiff::civil::Date;

use super::company::{Account, Activity, Change, Company, Deal, Lead, OwnerChange, ProductLine, Quote, Stage};
use super::credits::Credit;
use super::numbers::ONE;
use super::people::{Absence, Assignment, Rep, Team};
use super::rows::{Quarantined, Row, Source, berlin, berlin_day, required, rows};
use super::targets::Quota;

pub fn read(source: &Source, company: &mut Company) {
    read_people(source, company);
    company.accounts.extend(source.full("Account", &["Id"], |row| account(source, row)).into_iter().filter_map(kept));
    for path in source.files("Opportunity") {
        let night = night(&path);
        let mut deals = source.standing(&path, &["Id"], |row| deal(source, row));
        deals.retain(|_, deal| !deal.is_deleted);
        match company.nights.iter_mut().find(|(day, _)| *day == night) {
            Some((_, known)) => known.extend(deals),
            None => company.nights.push((night, deals)),
        }
    }
    let changes = source.every_night("OpportunityHistory", &["Id"], |row| change(source, row));
    company.changes.extend(changes.into_values());
    let owners = source.every_night("OpportunityFieldHistory", &["Id"], |row| owner_change(source, row));
    company.owner_changes.extend(owners.into_values().flatten());
    for (id, stage) in source.full("stages", &["stage_name"], stage) {
        company.stages.insert(id, stage);
    }
    // Deletion comes after folding: the newest row of a task decides, and a deleted one leaves nothing behind.
    let tasks = source.every_night("Task", &["Id"], |row| task(source, row));
    let events = source.every_night("Event", &["Id"], |row| event(source, row));
    company.activities.extend(tasks.into_values().chain(events.into_values()).filter(|one| !one.is_deleted));
    let leads = source.full("Lead", &["Id"], |row| lead(source, row));
    company.leads.extend(leads.into_iter().filter(|(_, lead)| !lead.is_deleted));
    let products = source.full("Product2", &["Id"], |row| Ok(row.cell("Name").to_owned()));
    company.products.extend(products);
    let lines = source.every_night("OpportunityLineItem", &["Id"], |row| line(source, row));
    company.lines.extend(lines.into_iter().filter(|(_, line)| !line.is_deleted));
    let quotes = source.every_night("Quote", &["Id"], |row| quote(source, row));
    company.quotes.extend(quotes.into_iter().filter(|(_, quote)| !quote.is_deleted));
    let splits = source.full("OpportunitySplit", &["Id"], |row| split(source, row));
    company.credits.extend(splits.into_values().flatten());
}

/// The day of a night's folder.
pub fn night(path: &std::path::Path) -> Date {
    let folder = path.parent().and_then(|folder| folder.file_name()).expect("a night's folder");
    folder.to_string_lossy().parse().expect("a night's folder is a date")
}

fn kept((id, account): (String, Option<Account>)) -> Option<(String, Account)> {
    Some((id, account?))
}

fn read_people(source: &Source, company: &mut Company) {
    let people = &mut company.people;
    people.reps.extend(source.full("User", &["Id"], |row| {
        let (hired_on, left_on) = (row.date("Hired_On__c")?, row.date("Left_On__c")?);
        Ok(Rep { email: row.cell("Email").to_owned(), hired_on, left_on })
    }));
    people.teams.extend(source.full("teams", &["team_id"], |row| {
        Ok(Team { level: row.cell("level").to_owned(), parent: source.id(row.cell("parent_team_id")) })
    }));
    for (rep, assignment) in newest(source, "assignments", |row| assignment(source, row)) {
        people.assignments.entry(rep).or_default().push(assignment);
    }
    people.absences.extend(newest(source, "absences", |row| absence(source, row)));
    company.quotas.extend(source.full("quotas", &["quota_id"], |row| quota(source, row)).into_values());
}

/// The rows of a `full` table that has no id of its own.
fn newest<T>(source: &Source, table: &str, read: impl Fn(&Row) -> Result<T, Quarantined>) -> Vec<T> {
    let rows = source.files(table).last().map_or(Vec::new(), |path| rows(path));
    rows.iter().filter_map(|row| read(row).ok()).collect()
}

fn assignment(source: &Source, row: &Row) -> Result<(String, Assignment), Quarantined> {
    let team = source.id(row.cell("team_id")).ok_or(Quarantined)?;
    let (starts_on, ends_on) = (required(row.date("starts_on"))?, row.date("ends_on")?);
    let rep = source.id(row.cell("user_id")).ok_or(Quarantined)?;
    Ok((rep, Assignment { team, role: row.text("role"), starts_on, ends_on }))
}

fn absence(source: &Source, row: &Row) -> Result<Absence, Quarantined> {
    let share = row.decimal("share")?.unwrap_or(ONE);
    let (starts_on, ends_on) = (required(row.date("starts_on"))?, row.date("ends_on")?);
    Ok(Absence { rep: source.id(row.cell("user_id")).ok_or(Quarantined)?, starts_on, ends_on, share })
}

fn quota(source: &Source, row: &Row) -> Result<Quota, Quarantined> {
    Ok(Quota {
        metric: row.cell("metric").to_owned(),
        rep: source.id(row.cell("user_id")).ok_or(Quarantined)?,
        starts_on: required(row.date("starts_on"))?,
        ends_on: row.date("ends_on")?,
        amount: required(row.decimal("amount"))?,
    })
}

fn account(source: &Source, row: &Row) -> Result<Option<Account>, Quarantined> {
    row.timestamp("CreatedDate")?;
    let account = Account {
        name: row.cell("Name").to_owned(),
        country: row.cell("BillingCountry").to_owned(),
        domain: domain(row.cell("Website")),
        parent: source.id(row.cell("ParentId")),
        rep: source.id(row.cell("OwnerId")),
        segment: row.text("Segment__c"),
        industry: row.text("Industry"),
    };
    Ok((!row.flag("IsDeleted")?).then_some(account))
}

/// A website's name, in small letters: without `https://`, `www.` and what comes after the name.
pub fn domain(website: &str) -> String {
    let website = website.trim().to_lowercase();
    let name = ["https://", "http://"].iter().find_map(|scheme| website.strip_prefix(scheme)).unwrap_or(&website);
    let name = name.strip_prefix("www.").unwrap_or(name);
    name.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

fn deal(source: &Source, row: &Row) -> Result<Deal, Quarantined> {
    // No metric reads the probability, but a row whose typed cell cannot be read is quarantined all the same.
    row.decimal("Probability")?;
    Ok(Deal {
        account: source.id(row.cell("AccountId")),
        rep: source.id(row.cell("OwnerId")),
        stage: source.id(row.cell("StageName")).ok_or(Quarantined)?,
        original: row.decimal("Amount")?,
        currency: row.cell("CurrencyIsoCode").to_owned(),
        amount: None,
        at_plan: None,
        closed_on: required(row.date("CloseDate"))?,
        created_on: berlin_day(required(row.timestamp("CreatedDate"))?),
        kind: match row.cell("Type") {
            "New Customer" => Some("new"),
            "Existing Customer - Upgrade" => Some("expansion"),
            "Existing Customer - Returning" => Some("returning"),
            "Existing Customer - Renewal" => Some("renewal"),
            _ => None,
        },
        source: row.text("LeadSource"),
        competitor: row.text("Competitor__c"),
        loss_reason: row.text("Loss_Reason__c"),
        sourced_by: source.id(row.cell("Sourced_By__c")),
        shared_key: row.text("HubSpot_Deal_Id__c"),
        is_deleted: row.flag("IsDeleted")?,
    })
}

fn change(source: &Source, row: &Row) -> Result<Change, Quarantined> {
    Ok(Change {
        id: source.id(row.cell("Id")).ok_or(Quarantined)?,
        deal: source.id(row.cell("OpportunityId")).ok_or(Quarantined)?,
        stage: source.id(row.cell("StageName")).ok_or(Quarantined)?,
        original: row.decimal("Amount")?,
        currency: row.cell("CurrencyIsoCode").to_owned(),
        closed_on: row.date("CloseDate")?,
        at: required(row.timestamp("CreatedDate"))?,
    })
}

/// A change of another field than the owner is read, holds its key, and gives nothing.
fn owner_change(source: &Source, row: &Row) -> Result<Option<OwnerChange>, Quarantined> {
    let change = OwnerChange {
        id: source.id(row.cell("Id")).ok_or(Quarantined)?,
        deal: source.id(row.cell("OpportunityId")).ok_or(Quarantined)?,
        at: required(row.timestamp("CreatedDate"))?,
        from: source.id(row.cell("OldValue")),
        to: source.id(row.cell("NewValue")),
    };
    Ok((row.cell("Field") == "Owner").then_some(change))
}

/// The stages' list has one shape in both CRMs.
pub fn stage(row: &Row) -> Result<Stage, Quarantined> {
    Ok(Stage {
        name: row.cell("common_stage").to_owned(),
        position: required(row.whole("position"))?,
        probability: required(row.decimal("probability"))?,
        closed_as: row.text("closed_as"),
    })
}

fn task(source: &Source, row: &Row) -> Result<Activity, Quarantined> {
    let done = row.timestamp("CompletedDateTime")?;
    let created = row.timestamp("CreatedDate")?;
    Ok(Activity {
        id: source.id(row.cell("Id")).ok_or(Quarantined)?,
        kind: match row.cell("TaskSubtype") {
            "Call" => "call",
            "Email" => "email",
            _ => "task",
        },
        direction: match row.cell("CallType") {
            "Outbound" => Some("outbound"),
            "Inbound" => Some("inbound"),
            _ => None,
        },
        is_completed: row.cell("Status") == "Completed",
        day: required(row.date("ActivityDate"))?,
        at: done.or(created).map(berlin),
        booked_on: created.map(berlin_day),
        rep: source.id(row.cell("OwnerId")),
        account: source.id(row.cell("AccountId")),
        deal: of_kind(source, row.cell("WhatId"), "006"),
        purpose: row.text("Purpose__c"),
        outcome: row.text("CallDisposition"),
        is_deleted: row.flag("IsDeleted")?,
    })
}

fn event(source: &Source, row: &Row) -> Result<Activity, Quarantined> {
    Ok(Activity {
        id: source.id(row.cell("Id")).ok_or(Quarantined)?,
        kind: "meeting",
        direction: None,
        is_completed: row.cell("Status__c") == "Held",
        day: required(row.date("ActivityDate"))?,
        at: row.timestamp("StartDateTime")?.map(berlin),
        booked_on: row.timestamp("CreatedDate")?.map(berlin_day),
        rep: source.id(row.cell("OwnerId")),
        account: source.id(row.cell("AccountId")),
        deal: of_kind(source, row.cell("WhatId"), "006"),
        purpose: row.text("Type"),
        outcome: row.text("Status__c"),
        is_deleted: row.flag("IsDeleted")?,
    })
}

/// An id of one kind of record: its first three characters say which.
fn of_kind(source: &Source, id: &str, kind: &str) -> Option<String> {
    source.id(id).filter(|_| id.starts_with(kind))
}

fn lead(source: &Source, row: &Row) -> Result<Lead, Quarantined> {
    row.date("ConvertedDate")?;
    Ok(Lead {
        rep: source.id(row.cell("OwnerId")),
        source: row.text("LeadSource"),
        created_on: berlin_day(required(row.timestamp("CreatedDate"))?),
        is_deleted: row.flag("IsDeleted")?,
    })
}

fn line(source: &Source, row: &Row) -> Result<ProductLine, Quarantined> {
    let quantity = required(row.decimal("Quantity"))?;
    // Prices are of one piece, and so is the cost; the total is of all.
    let all = |price: Option<i128>| price.map(|price| super::numbers::times(price, quantity).expect("an amount"));
    Ok(ProductLine {
        deal: source.id(row.cell("OpportunityId")).ok_or(Quarantined)?,
        product: source.id(row.cell("Product2Id")),
        quantity,
        list: all(row.decimal("ListPrice")?),
        amount: row.decimal("TotalPrice")?,
        cost: all(row.decimal("Unit_Cost__c")?),
        currency: row.cell("CurrencyIsoCode").to_owned(),
        is_deleted: row.flag("IsDeleted")?,
    })
}

fn quote(source: &Source, row: &Row) -> Result<Quote, Quarantined> {
    Ok(Quote {
        deal: source.id(row.cell("OpportunityId")),
        rep: None,
        status: match row.cell("Status") {
            "Draft" => "draft",
            "Presented" => "presented",
            "Accepted" => "accepted",
            "Denied" => "rejected",
            "Expired" => "expired",
            _ => return Err(Quarantined),
        },
        presented_on: row.date("Presented_On__c")?,
        decided_on: row.date("Decided_On__c")?,
        expires_on: row.date("ExpirationDate")?,
        amount: row.decimal("TotalPrice")?,
        cost: row.decimal("Total_Cost__c")?,
        currency: row.cell("CurrencyIsoCode").to_owned(),
        is_deleted: row.flag("IsDeleted")?,
    })
}

/// A split that was deleted holds its key and gives nothing.
fn split(source: &Source, row: &Row) -> Result<Option<Credit>, Quarantined> {
    let is_overlay = match row.cell("SplitType") {
        "Revenue" => false,
        "Overlay" => true,
        _ => return Err(Quarantined),
    };
    let credit = Credit {
        record: source.id(row.cell("OpportunityId")).ok_or(Quarantined)?,
        rep: source.id(row.cell("SplitOwnerId")).ok_or(Quarantined)?,
        share: required(row.decimal("SplitPercentage"))? / 100,
        is_overlay,
    };
    Ok((!row.flag("IsDeleted")?).then_some(credit))
}
