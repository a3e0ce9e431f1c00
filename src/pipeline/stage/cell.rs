//! From a cell's text to its value. Strict: what cannot be read exactly is refused with a reason.

use crate::domain::number::Number;
use crate::domain::period::in_range;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// What a moment looks like when the staging header says more than ISO 8601.
pub type Format = Option<String>;

/// A moment as an export gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// A day without a time: that day, wherever the company is.
    Day(Date),
    /// With a zone, or known to be UTC.
    Instant(Timestamp),
    /// As somebody's clock showed it.
    Clock(DateTime),
}

/// A plain day. A time of day is left away; a moment with a zone is the day in `zone`.
pub fn date(text: &str, format: &Format, zone: &TimeZone) -> Result<Date, String> {
    match moment(text, format) {
        Some(Moment::Day(day)) => Ok(day),
        Some(Moment::Clock(clock)) => Ok(clock.date()),
        Some(Moment::Instant(instant)) => Ok(instant.to_zoned(zone.clone()).date()),
        None => Err(format!("`{text}` is no date{}", like(format, "2026-09-30"))),
    }
}

/// The day in `zone` of a moment that is in UTC unless it says otherwise. A day without a time is no moment of UTC, whose
/// day west of it would be the one before: it is that day.
pub fn day_of_instant(text: &str, format: &Format, zone: &TimeZone) -> Result<Date, String> {
    match read_moment(text, format)? {
        Moment::Day(day) => Ok(day),
        Moment::Instant(instant) => Ok(instant.to_zoned(zone.clone()).date()),
        // The last moments of the year 9999 are none of any zone, and their day is out of range whatever it is.
        Moment::Clock(clock) => Ok(utc(clock).map_or(clock.date(), |instant| instant.to_zoned(zone.clone()).date())),
    }
}

/// A moment on a day that can be meant, in UTC unless it says otherwise; of a day without a time the first moment of it in
/// `zone`.
pub fn timestamp(text: &str, format: &Format, zone: &TimeZone) -> Result<Timestamp, String> {
    let read = read_moment(text, format)?;
    in_range(match read {
        Moment::Day(day) => day,
        Moment::Instant(instant) => instant.to_zoned(TimeZone::UTC).date(),
        Moment::Clock(clock) => clock.date(),
    })?;
    let instant = match read {
        // Where clocks go forward at midnight, the day begins at one.
        Moment::Day(day) => day.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp()),
        Moment::Instant(instant) => Some(instant),
        Moment::Clock(clock) => utc(clock),
    };
    instant.ok_or_else(|| no_moment(text, format))
}

fn read_moment(text: &str, format: &Format) -> Result<Moment, String> {
    moment(text, format).ok_or_else(|| no_moment(text, format))
}

fn no_moment(text: &str, format: &Format) -> String {
    format!("`{text}` is no moment{}", like(format, "2026-09-30 14:05:00"))
}

fn utc(clock: DateTime) -> Option<Timestamp> {
    clock.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A number with at most `digits` after the point and `precision` in all; more are refused.
pub fn decimal(text: &str, precision: u8, digits: u32) -> Result<i128, String> {
    let number: Number = text.trim().parse()?;
    if number.round(digits) != number {
        return Err(format!("`{text}` has more than {digits} digits after the point"));
    }
    fitting(text, number, precision, digits)
}

/// An amount, rounded half away from zero to `digits` after the point, with at most `precision` in all.
pub fn money(text: &str, precision: u8, digits: u32) -> Result<i128, String> {
    let number: Number = text.trim().parse()?;
    fitting(text, number.round(digits), precision, digits)
}

/// An amount that is still to be converted, in trillionths: it is rounded once, when it has been. It must be one that
/// [`money`] can hold, too.
pub fn unconverted(text: &str) -> Result<i128, String> {
    money(text, 18, 2)?;
    decimal(text, 28, 12)
}

/// In units of the last digit, if the column can hold it: Arrow would store another number without a word.
fn fitting(text: &str, number: Number, precision: u8, digits: u32) -> Result<i128, String> {
    let units = number.units() / 10_i128.pow(crate::domain::number::SCALE - digits);
    match units.unsigned_abs() < 10_u128.pow(u32::from(precision)) {
        true => Ok(units),
        false => Err(format!("`{text}` is too large: {precision} digits are the most")),
    }
}

/// A whole number; `12.0` is one.
pub fn integer(text: &str) -> Result<i64, String> {
    i64::try_from(decimal(text, 18, 0)?).map_err(|_| format!("`{text}` is too large"))
}

/// `1` and `0`, `true` and `false`, `yes` and `no`, in any case.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "t" | "y" => Ok(true),
        "0" | "false" | "no" | "f" | "n" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

fn like(format: &Format, iso: &str) -> String {
    match format {
        Some(format) => format!(" in the format {format}"),
        None => format!(" such as {iso}; another form needs `formats` in the staging header"),
    }
}

fn moment(text: &str, format: &Format) -> Option<Moment> {
    let text = text.trim();
    match format.as_deref() {
        None => iso(text),
        Some("epoch_s") => Timestamp::from_second(text.parse().ok()?).ok().map(Moment::Instant),
        Some("epoch_ms") => Timestamp::from_millisecond(text.parse().ok()?).ok().map(Moment::Instant),
        Some(format) => {
            let read = BrokenDownTime::parse(format, text).ok()?;
            match read.to_timestamp() {
                Ok(instant) if read.hour().is_some() || read.timestamp().is_some() => Some(Moment::Instant(instant)),
                _ if read.hour().is_some() => read.to_datetime().ok().map(Moment::Clock),
                _ => read.to_date().ok().map(Moment::Day),
            }
        }
    }
}

fn iso(text: &str) -> Option<Moment> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(instant));
    }
    // Salesforce writes `+0000`, which ISO 8601 would write `+00:00`.
    if let Ok(instant) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return Some(Moment::Instant(instant));
    }
    // Only what is a date and no more: `Date` would read a moment's date and forget its zone, `DateTime` would add a midnight.
    match text.contains(['T', 't', ' ', ':']) {
        true => text.parse::<DateTime>().ok().map(Moment::Clock).or_else(|| end_of_time(text).map(Moment::Day)),
        false => text.parse::<Date>().ok().map(Moment::Day),
    }
}

/// The last two days that there are: with a zone they are no moment, and exports write them for "never".
fn end_of_time(text: &str) -> Option<Date> {
    let day: Date = text.get(..10)?.parse().ok()?;
    (day.year() == Date::MAX.year() && day.month() == 12 && day.day() >= 30).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    #[test]
    fn moments_become_the_companys_days() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(day_of_instant("2026-06-30 22:30:00", &None, &berlin), Ok(day(2026, 7, 1)));
        assert_eq!(day_of_instant("2024-01-22T16:14:25.000+0000", &None, &berlin), Ok(day(2024, 1, 22)));
        assert_eq!(date("2026-06-30 00:00:00", &None, &berlin), Ok(day(2026, 6, 30)));
        let american = Some("%m/%d/%y %I:%M %p".to_owned());
        assert_eq!(date("02/23/26 08:55 PM", &american, &berlin), Ok(day(2026, 2, 23)));
        assert_eq!(date("3/1/2017", &Some("%m/%d/%Y".into()), &berlin), Ok(day(2017, 3, 1)));
        assert_eq!(date("2026-06-30T23:30:00Z", &None, &berlin), date("2026-06-30T23:30:00+00:00", &None, &berlin));
        assert_eq!(date("2026-06-30T23:30:00Z", &None, &berlin), Ok(day(2026, 7, 1)));
        assert!(date("2026-02-30", &None, &berlin).unwrap_err().contains("no date"));
        assert_eq!(day_of_instant("1790000000000", &Some("epoch_ms".into()), &berlin), Ok(day(2026, 9, 21)));
    }

    /// Apia left out 30 December 2011, Santiago and Beirut go forward at midnight.
    #[test]
    fn a_day_without_a_time_is_that_day_in_every_zone() {
        let zones = [
            "America/Los_Angeles",
            "Asia/Tokyo",
            "Pacific/Auckland",
            "Pacific/Apia",
            "America/Santiago",
            "Asia/Beirut",
        ];
        let forms = [(None, "%Y-%m-%d"), (Some("%m/%d/%Y"), "%m/%d/%Y"), (Some("%d.%m.%y"), "%d.%m.%y")];
        for zone in zones.map(|zone| TimeZone::get(zone).unwrap()) {
            for (form, written) in &forms {
                let form = form.map(String::from);
                // Every day of two years, and so every day on which clocks change.
                for expected in day(2026, 1, 1).series(jiff::ToSpan::days(1)).take(730) {
                    let text = expected.strftime(written).to_string();
                    assert_eq!(date(&text, &form, &zone), Ok(expected));
                    assert_eq!(day_of_instant(&text, &form, &zone), Ok(expected));
                    let moment = timestamp(&text, &form, &zone).unwrap().to_zoned(zone.clone());
                    assert_eq!(moment.date(), expected);
                    assert_eq!(moment, moment.start_of_day().unwrap());
                }
            }
        }
        // A midnight that is written is a moment of UTC, which was the day before in the west.
        let west = TimeZone::get("America/Los_Angeles").unwrap();
        assert_eq!(day_of_instant("2026-06-30 00:00:00", &None, &west), Ok(day(2026, 6, 29)));
        assert_eq!(day_of_instant("2026-06-30T00:00Z", &None, &west), Ok(day(2026, 6, 29)));
        let with_time = Some("%Y-%m-%d %H:%M".to_owned());
        assert_eq!(day_of_instant("2026-06-30 00:00", &with_time, &west), Ok(day(2026, 6, 29)));
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        assert_eq!(money("12.345", 18, 2), Ok(1235));
        assert_eq!(money("-12.345", 18, 2), Ok(-1235));
        assert!(money("12.500,00", 18, 2).is_err());
        assert!(money("99999999999999999999", 18, 2).unwrap_err().contains("too large"));
        assert_eq!(money("9999999999999999.99", 18, 2), Ok(999_999_999_999_999_999));
        assert_eq!(integer("12.0"), Ok(12));
        assert!(integer("12.5").is_err());
        assert!(decimal("0.1234567", 20, 6).is_err());
        assert_eq!(unconverted("-12.345"), Ok(-12_345_000_000_000));
        assert!(unconverted("12.500,00").is_err());
        assert!(unconverted("9999999999999999.995").unwrap_err().contains("18 digits are the most"));
    }
}
