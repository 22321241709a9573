//! What the programs say of themselves.

use std::sync::LazyLock;

use cve_monitor_core::scan::REPORT_SCHEMA_VERSION;

/// The version of the store's tables; a test compares it with a new store.
const DATABASE_SCHEMA_VERSION: u32 = 4;
/// The version that events are written in; a test compares it with an event.
const EVENT_VERSION: u32 = 1;

static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {})\nreport schema {REPORT_SCHEMA_VERSION}\ndatabase schema {DATABASE_SCHEMA_VERSION}\nevent version {EVENT_VERSION}",
        env!("CARGO_PKG_VERSION"),
        env!("CVE_MONITOR_COMMIT"),
    )
});

/// The version, the commit, and the versions of what is stored and delivered.
#[must_use]
pub fn version() -> &'static str {
    &VERSION
}

#[cfg(test)]
mod tests {
    use super::*;
    use cve_monitor_adapters::embedded::Database;
    use cve_monitor_core::scan::{Event, FeedEvent, RecordedEvent, encode_event};
    use cve_monitor_core::vocabulary::Timestamp;

    #[tokio::test]
    async fn the_version_of_the_store_is_that_of_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("state.db")).unwrap();
        let read = database
            .read(|state| Ok(state.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))?));
        assert_eq!(read.await.unwrap(), DATABASE_SCHEMA_VERSION, "correct cli/version.rs");
    }

    #[test]
    fn the_version_of_events_is_that_of_an_event() {
        let event = Event::Feed(FeedEvent::BellRang { name: "n".to_owned() });
        let id = serde_json::from_str("\"a\"").unwrap();
        let stored = encode_event(&RecordedEvent { id, at: Timestamp::from_millis(0), event }).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&stored).unwrap();
        assert_eq!(value["v"], EVENT_VERSION, "correct cli/version.rs");
    }

    #[test]
    fn everything_that_has_a_version_is_named() {
        for part in ["commit ", "report schema 1.0", "database schema ", "event version "] {
            assert!(version().contains(part), "{}", version());
        }
    }
}
