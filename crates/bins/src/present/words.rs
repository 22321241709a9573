//! Small words: ages, short digests, text that is safe on a terminal.

use std::time::Duration;

use cve_monitor_core::vocabulary::Timestamp;

/// How many characters of a digest are shown where it stands beside others.
const SHORT_DIGEST: usize = 12;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "3 days ago", "today" being too vague for a date that matters.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        return "later than that".to_owned();
    }
    let count =
        |number: u64, unit: &str| format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" });
    match now.since(at).as_secs() {
        seconds if seconds < MINUTE => "just now".to_owned(),
        seconds if seconds < HOUR => count(seconds / MINUTE, "minute"),
        seconds if seconds < 2 * DAY => count(seconds / HOUR, "hour"),
        seconds => count(seconds / DAY, "day"),
    }
}

/// The date of an instant.
pub(super) fn date(at: Timestamp) -> String {
    at.to_string().chars().take("2026-03-01".len()).collect()
}

/// An instant to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    let text: String = at.to_string().chars().take("2026-03-01T12:00".len()).collect();
    format!("{}Z", text.replace('T', " "))
}

/// How long ago, in its largest unit alone, for columns.
pub(super) fn brief(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < MINUTE => format!("{seconds}s"),
        seconds if seconds < HOUR => format!("{}m", seconds / MINUTE),
        seconds if seconds < DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

/// The beginning of a digest's hexadecimal digits.
pub(super) fn short_digest(digest: &str) -> String {
    digest.rsplit(':').next().unwrap_or(digest).chars().take(SHORT_DIGEST).collect()
}

/// A text without what could steer a terminal or turn its direction: such characters become `?`.
pub(super) fn safe(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if steers(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_their_unit_where_it_helps() {
        let now = Timestamp::from_millis(1_772_323_200_000);
        for (seconds, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (HOUR - 1, "59 minutes ago"),
            (HOUR, "1 hour ago"),
            (2 * DAY - 1, "47 hours ago"),
            (2 * DAY, "2 days ago"),
        ] {
            assert_eq!(age(now.minus(Duration::from_secs(seconds)), now), expected);
        }
        assert_eq!(age(now.plus(Duration::from_secs(1)), now), "later than that");
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\r\nc\u{202e}d\u{9b}é"), "a?[31mb??c?d?é");
    }
}
