//! Who works on which day, and how much of a goal a day asks for: the week, holidays by region, ramp and absence.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::Calendar;
use crate::domain::digest::Digest;
use crate::domain::json;
use crate::domain::number::Number;
use crate::domain::period::EPOCH;
use crate::domain::period::Period;
use crate::run_context::RunContext;
use crate::run_context::read_table;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The region of holidays that everyone has.
const EVERYWHERE: &str = "all";

/// The days that are worked, by everyone and by each rep.
#[derive(Clone, Debug, Default)]
pub struct Workdays {
    calendar: Calendar,
    /// By region.
    holidays: BTreeMap<String, BTreeSet<Date>>,
    reps: BTreeMap<String, Rep>,
    /// The part of a goal that a new rep has, by months since the hire.
    ramp: Vec<Number>,
}

/// A rep's working days in a period, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// The working days of the rep's region.
    pub all: u32,
    /// Those that have gone by.
    pub gone_by: u32,
    /// Those before the rep's first day.
    pub before: u32,
    /// Those after the rep's last day.
    pub after: u32,
    /// What of the others the rep is absent, in days.
    pub on_leave: Number,
}

impl Worked {
    /// The working days between the rep's first and last day.
    pub fn there(&self) -> Number {
        Number::whole((self.all - self.before - self.after).into())
    }
}

#[derive(Clone, Debug, Default)]
struct Rep {
    region: Option<String>,
    hired_on: Option<Date>,
    left_on: Option<Date>,
    /// First day, last day, and the part of the time that is missed.
    absences: Vec<(Date, Date, Number)>,
}

impl Workdays {
    /// Reads the model's `holidays`, `absences` and `reps`.
    pub async fn read(night: &RunContext<'_>, model: &Model) -> Result<Workdays> {
        let settings = night.settings;
        let ramp = settings.people.ramp.clone();
        let mut days = Workdays { calendar: settings.calendar.clone(), ramp, ..Workdays::default() };
        let table = async |name: &str| match model.tables.contains_key(name) {
            true => read_table(night, model, name).await,
            false => Ok(Vec::new()),
        };
        for batch in table("holidays").await? {
            let rows = Rows(&batch);
            for row in 0..batch.num_rows() {
                if let (Some(region), Some(day)) = (rows.text("region", row), rows.day("day", row)) {
                    days.holidays.entry(region).or_default().insert(day);
                }
            }
        }
        for batch in table("reps").await? {
            let rows = Rows(&batch);
            for row in 0..batch.num_rows() {
                let rep = Rep {
                    region: rows.text("holiday_region", row),
                    hired_on: rows.day("hired_on", row),
                    left_on: rows.day("left_on", row),
                    absences: Vec::new(),
                };
                days.reps.extend(rows.text("rep_id", row).map(|id| (id, rep)));
            }
        }
        for batch in table("absences").await? {
            let rows = Rows(&batch);
            for row in 0..batch.num_rows() {
                let (Some(rep), Some(from)) = (rows.text("rep_id", row), rows.day("starts_on", row)) else { continue };
                let to = rows.day("ends_on", row).unwrap_or(Date::MAX);
                let share = rows.share("share", row).unwrap_or(Number::whole(1));
                if to < from || share <= Number::ZERO || share > Number::whole(1) {
                    return Err(Diagnostic::data(format!("an absence of {rep} from {from} cannot be read"))
                        .note(format!("it ends on {to} and takes {share} of the time"))
                        .help("it ends on or after its first day, and its `share` is above 0 and at most 1"));
                }
                days.reps.entry(rep).or_default().absences.push((from, to, share));
            }
        }
        Ok(days)
    }

    /// The digest of all that decides over the days of targets. A rep's last day does not: what is left of a quota is
    /// nobody's, but is not less for that.
    pub fn digest(&self) -> Digest {
        #[derive(Serialize)]
        struct Known<'a> {
            week: &'a [crate::domain::calendar::Day],
            holidays: BTreeMap<&'a str, Vec<String>>,
            ramp: &'a [Number],
            reps: BTreeMap<&'a str, Person<'a>>,
        }
        /// Region, hire, and absences.
        type Person<'a> = (Option<&'a str>, Option<String>, Vec<(String, String, Number)>);
        let rep = |rep: &'_ Rep| {
            let absences = rep.absences.iter().map(|(from, to, share)| (from.to_string(), to.to_string(), *share));
            (rep.hired_on.map(|day| day.to_string()), absences.collect::<Vec<_>>())
        };
        let reps = self.reps.iter().map(|(id, known)| {
            let (hired, absences) = rep(known);
            (id.as_str(), (known.region.as_deref(), hired, absences))
        });
        let holidays = self.holidays.iter();
        let known = Known {
            week: &self.calendar.working_days,
            holidays: holidays.map(|(id, days)| (id.as_str(), days.iter().map(Date::to_string).collect())).collect(),
            ramp: &self.ramp,
            reps: reps.collect(),
        };
        Digest::of(json::canonical(&known).as_bytes())
    }

    /// Whether the company works on a day.
    pub fn is_worked(&self, day: Date) -> bool {
        self.calendar.is_working_day(day) && !self.is_holiday(EVERYWHERE, day)
    }

    /// Whether a rep's region works on a day, absences aside.
    pub fn is_worked_by(&self, rep: &str, day: Date) -> bool {
        let region = self.reps.get(rep).and_then(|rep| rep.region.as_deref());
        region.map_or_else(|| self.is_worked(day), |region| self.is_worked_in(region, day))
    }

    /// Whether a region works on a day.
    pub fn is_worked_in(&self, region: &str, day: Date) -> bool {
        self.is_worked(day) && !self.is_holiday(region, day)
    }

    /// The reps of a region; of the region `all`, everyone.
    pub fn reps_of(&self, region: &str) -> impl Iterator<Item = &String> {
        let belongs = move |rep: &Rep| region == EVERYWHERE || rep.region.as_deref() == Some(region);
        self.reps.iter().filter(move |(_, rep)| belongs(rep)).map(|(id, _)| id)
    }

    /// Everyone's region, and those with holidays of their own.
    pub fn regions(&self) -> BTreeSet<&str> {
        self.holidays.keys().map(String::as_str).chain([EVERYWHERE]).collect()
    }

    fn is_holiday(&self, region: &str, day: Date) -> bool {
        self.holidays.get(region).is_some_and(|days| days.contains(&day))
    }

    /// The parts of a goal that a rep has for being new, each with the day from which it is no more. Afterwards it is 1.
    pub fn ramp(&self, rep: &str) -> Vec<(Date, Number)> {
        let Some(hired) = self.reps.get(rep).and_then(|rep| rep.hired_on) else { return Vec::new() };
        let ends = (1..).map(|months: i64| hired.checked_add(months.months()));
        ends.zip(&self.ramp).map_while(|(ends, part)| Some((ends.ok()?, *part))).collect()
    }

    /// The part of a day that a rep is absent, at most all of it.
    pub fn absent(&self, rep: &str, day: Date) -> Number {
        let absences = self.reps.get(rep).map_or(&[][..], |rep| &rep.absences);
        let parts = absences.iter().filter(|(from, to, _)| *from <= day && day <= *to).map(|(_, _, part)| *part);
        parts.fold(Number::ZERO, |sum, part| sum.checked_add(part).unwrap_or(sum)).min(Number::whole(1))
    }

    /// A rep's working days of a period, as they have gone by up to `as_of`.
    pub fn of_rep(&self, rep: &str, period: Period, as_of: Date) -> Worked {
        let (hired_on, left_on) = self.reps.get(rep).map_or((None, None), |rep| (rep.hired_on, rep.left_on));
        let mut worked = Worked::default();
        let days = period.start.series(1.day()).take_while(|day| *day <= period.end);
        for day in days.filter(|day| self.is_worked_by(rep, *day)) {
            worked.all += 1;
            worked.gone_by += u32::from(day <= as_of);
            if hired_on.is_some_and(|first| day < first) {
                worked.before += 1;
            } else if left_on.is_some_and(|last| last < day) {
                worked.after += 1;
            } else {
                let on_leave = worked.on_leave.checked_add(self.absent(rep, day));
                worked.on_leave = on_leave.unwrap_or(worked.on_leave);
            }
        }
        worked
    }

    /// The company's working days from one day to another, both included.
    pub fn worked(&self, from: Date, to: Date) -> usize {
        from.series(1.day()).take_while(|day| *day <= to).filter(|day| self.is_worked(*day)).count()
    }

    /// The last day of a stretch that has its first so many working days: the day before the next one, or its end.
    pub fn cut(&self, from: Date, to: Date, worked: usize) -> Option<Date> {
        let mut seen = 0;
        for day in from.series(1.day()).take_while(|day| *day <= to) {
            seen += usize::from(self.is_worked(day));
            if seen > worked {
                return (day > from).then(|| day - 1.day());
            }
        }
        Some(to)
    }
}

/// A batch's cells by column name.
pub struct Rows<'a>(pub &'a RecordBatch);

impl Rows<'_> {
    /// Text that is there and not empty.
    pub fn text(&self, column: &str, row: usize) -> Option<String> {
        let column = self.0.column_by_name(column)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned()).filter(|text| !text.is_empty())
    }

    /// A date.
    pub fn day(&self, column: &str, row: usize) -> Option<Date> {
        let column = self.0.column_by_name(column)?.as_primitive_opt::<Date32Type>()?;
        column.is_valid(row).then(|| EPOCH + column.value(row).days())
    }

    /// A number of the contract's `decimal`.
    pub fn share(&self, column: &str, row: usize) -> Option<Number> {
        let column = self.0.column_by_name(column)?.as_primitive_opt::<Decimal128Type>()?;
        let scale = u32::from(column.scale().unsigned_abs());
        column.is_valid(row).then(|| Number::from_units(column.value(row) * 10_i128.pow(12 - scale)))
    }

    /// A truth value; false if it is not there.
    pub fn flag(&self, column: &str, row: usize) -> bool {
        let column = self.0.column_by_name(column).and_then(|column| column.as_boolean_opt());
        column.is_some_and(|column| column.is_valid(row) && column.value(row))
    }
}
