//! Durations as people write them: `500ms`, `90s`, `5m`, `1h`, `7d`.

use std::time::Duration;

/// The units with their length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration: a whole number and one unit.
///
/// # Errors
/// Says what is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let invalid = || {
        format!("`{text}` is no duration: expected a whole number and a unit, as in 500ms, 90s, 5m, 1h or 7d")
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
    number.checked_mul(*millis).map(Duration::from_millis).ok_or_else(invalid)
}

/// Writes a duration in the longest unit that loses nothing.
#[must_use]
pub fn write_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let unit = UNITS.iter().find(|(_, length)| millis >= *length && millis % length == 0);
    unit.map_or_else(|| "0s".to_owned(), |(name, length)| format!("{}{name}", millis / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        for text in ["0s", "1ms", "1500ms", "90s", "5m", "1h", "36h", "7d"] {
            assert_eq!(parse_duration(text).map(write_duration).as_deref(), Ok(text));
        }
        assert_eq!(parse_duration("60s").map(write_duration).as_deref(), Ok("1m"));
    }

    #[test]
    fn what_is_no_duration_says_what_is_expected() {
        for bad in
            ["", "5", "m", "1.5h", "-1s", "1w", "1 h", "99999999999999999999s", "18446744073709551615d"]
        {
            let error = parse_duration(bad).unwrap_err();
            assert!(
                error.starts_with(&format!("`{bad}` is no duration")) && error.contains("90s"),
                "{error}"
            );
        }
    }
}
