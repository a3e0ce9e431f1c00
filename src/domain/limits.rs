//! Whole numbers of settings and definitions that have a least and a most: another one is refused where it stands, with both.
//!
//! Its one constraint: whatever passes can be reckoned with. No age leads before the first year, no size is beyond a machine.

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};
use std::fmt;
use std::ops::RangeInclusive;

/// The days of an age: ten years of them, for a table that hardly ever changes.
pub const AGE_DAYS: RangeInclusive<u32> = 0..=3_660;
/// The days in which facts convert: a hundred years of them.
pub const COHORT_DAYS: RangeInclusive<u32> = 0..=36_525;
/// Threads; 0 is for as many as the machine has cores.
pub const THREADS: RangeInclusive<usize> = 0..=512;
/// Memory of the engine in MiB. With less it cannot sort; and 16 TiB is more than machines have.
pub const MEMORY_MIB: RangeInclusive<usize> = 64..=16_777_216;
/// The days of a market rate. One that is older than a year says nothing of a day; 0 asks for the very day's.
pub const RATE_AGE_DAYS: RangeInclusive<u32> = 0..=366;
/// Peers of a quartile.
pub const GROUP: RangeInclusive<usize> = 1..=10_000;
/// A part of what there was before.
pub const PART_PERCENT: RangeInclusive<u32> = 0..=100;
/// A change, which may be to many times as much.
pub const CHANGE_PERCENT: RangeInclusive<u32> = 0..=10_000;

/// How far a packed export is unpacked: the limits of `[land]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpacking {
    /// The most bytes that one export may unpack to.
    pub most_bytes: u64,
    /// The most bytes that each of its packed bytes may unpack to.
    pub most_ratio: u64,
}

impl Default for Unpacking {
    fn default() -> Unpacking {
        Unpacking { most_bytes: 16 << 30, most_ratio: 500 }
    }
}

/// A number within these two, or why not.
struct Within<T> {
    range: RangeInclusive<T>,
}

impl<T: Copy + PartialOrd + fmt::Display + TryFrom<i64>> Visitor<'_> for Within<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.range.start(), self.range.end())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let found = T::try_from(number).ok().filter(|number| self.range.contains(number));
        found.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
}

/// What `#[serde(deserialize_with = "...")]` names: a function for each range, and one for a setting that may be absent.
macro_rules! read {
    ($($(#[$doc:meta])* $name:ident: $range:ident as $type:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// No whole number, or one out of range.
            pub fn $name<'de, D: Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                from.deserialize_i64(Within { range: $range })
            }
        )*
        /// For settings that may be absent.
        pub mod maybe {
            use super::{Within, $($range),*};
            use serde::Deserializer;
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// No whole number, or one out of range.
                pub fn $name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<$type>, D::Error> {
                    from.deserialize_i64(Within { range: $range }).map(Some)
                }
            )*
        }
    };
}

read! {
    /// An age in days.
    age_days: AGE_DAYS as u32;
    /// The days in which facts convert.
    cohort_days: COHORT_DAYS as u32;
    /// Threads.
    threads: THREADS as usize;
    /// Memory.
    memory_mib: MEMORY_MIB as usize;
    /// The age of a market rate.
    rate_age_days: RATE_AGE_DAYS as u32;
    /// A group's size.
    group: GROUP as usize;
    /// A part.
    part_percent: PART_PERCENT as u32;
    /// A change.
    change_percent: CHANGE_PERCENT as u32;
}
