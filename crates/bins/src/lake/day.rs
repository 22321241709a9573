//! Days, and the folders that reports of a day lie in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cve_monitor_core::vocabulary::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Timestamp);

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day: expected YYYY-MM-DD, as in 2026-03-01")]
pub struct InvalidDay(String);

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let millis = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
        Self(Timestamp::from_millis(at.as_millis().div_euclid(millis) * millis))
    }

    /// So many days earlier.
    #[must_use]
    pub fn minus(self, days: u32) -> Self {
        Self(self.0.minus(DAY * days))
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.plus(DAY))
    }

    /// `year=YYYY/month=MM/day=DD`, the folder of its reports.
    #[must_use]
    pub fn folder(self) -> String {
        let (year, month, day) = self.0.day();
        format!("year={year:04}/month={month:02}/day={day:02}")
    }

    /// The day whose folder this is.
    pub(super) fn of_folder(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let text = format!("{}-{}-{}", part("year")?, part("month")?, part("day")?);
        let day: Self = text.parse().ok()?;
        (day.folder() == key).then_some(day)
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let day = text.parse::<Timestamp>().map(Self::of).ok();
        day.filter(|day| day.to_string() == text).ok_or_else(|| InvalidDay(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.day();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
