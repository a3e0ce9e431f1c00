//! What finance and sales operations keep by hand for both CRMs.

use super::company::{Company, Cost, Forecast, Licence, Mapping, ToolUse};
use super::numbers::to_cents;
use super::rows::{Quarantined, Row, Source, required};

pub fn read(source: &Source, company: &mut Company) {
    for (currency, kind, day, rate) in
        source.full("exchange_rates", &["from_currency", "valid_on", "kind"], rate).into_values()
    {
        company.rates.0.entry((currency, kind)).or_default().insert(day, rate);
    }
    company.costs.extend(source.full("costs", &["cost_id"], cost).into_values());
    company.licences.extend(source.full("licences", &["tool", "starts_on"], licence).into_values());
    let uses = source.every_night("tool_use", &["user_id", "tool", "used_on"], |row| tool_use(source, row));
    company.tool_use.extend(uses.into_values());
    company.forecasts.extend(source.full("forecasts", &["forecast_id"], |row| forecast(source, row)).into_values());
    let key = ["record_table", "record_id", "same_as"];
    company.mappings.extend(source.full("mappings", &key, |row| mapping(source, row)).into_values());
}

type Rate = (String, String, jiff::civil::Date, i128);

fn rate(row: &Row) -> Result<Rate, Quarantined> {
    let (currency, kind) = (row.cell("from_currency").to_owned(), row.cell("kind").to_owned());
    Ok((currency, kind, required(row.date("valid_on"))?, required(row.decimal("rate"))?))
}

fn cost(row: &Row) -> Result<Cost, Quarantined> {
    Ok(Cost {
        id: row.cell("cost_id").to_owned(),
        source: row.text("source"),
        spent_on: required(row.date("spent_on"))?,
        amount: to_cents(required(row.decimal("amount"))?),
    })
}

fn licence(row: &Row) -> Result<Licence, Quarantined> {
    Ok(Licence {
        tool: row.cell("tool").to_owned(),
        starts_on: required(row.date("starts_on"))?,
        ends_on: required(row.date("ends_on"))?,
        seats: required(row.whole("seats"))?,
        cost: to_cents(required(row.decimal("cost"))?),
    })
}

fn tool_use(source: &Source, row: &Row) -> Result<ToolUse, Quarantined> {
    Ok(ToolUse {
        rep: source.id(row.cell("user_id")).ok_or(Quarantined)?,
        tool: row.cell("tool").to_owned(),
        used_on: required(row.date("used_on"))?,
    })
}

fn forecast(source: &Source, row: &Row) -> Result<Forecast, Quarantined> {
    Ok(Forecast {
        id: row.cell("forecast_id").to_owned(),
        method: row.cell("method").to_owned(),
        rep: source.id(row.cell("user_id")).ok_or(Quarantined)?,
        made_on: required(row.date("made_on"))?,
        starts_on: required(row.date("starts_on"))?,
        ends_on: required(row.date("ends_on"))?,
        amount: to_cents(required(row.decimal("amount"))?),
    })
}

fn mapping(source: &Source, row: &Row) -> Result<Mapping, Quarantined> {
    Ok(Mapping {
        table: row.cell("record_table").to_owned(),
        record: source.id(row.cell("record_id")).ok_or(Quarantined)?,
        same_as: source.id(row.cell("same_as")).ok_or(Quarantined)?,
        // Empty means that they are.
        is_same: row.cell("is_same").is_empty() || row.flag("is_same")?,
    })
}
