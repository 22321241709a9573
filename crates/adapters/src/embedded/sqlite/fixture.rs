//! What the tests of this folder and its neighbours write.

use std::sync::Arc;

use cve_monitor_core::ports::EventStore;
use cve_monitor_core::scan::{
    ContentHash, Due, Event, FeedEvent, FeedState, Head, HeadState, ImageState, LastReport, RecordedEvent,
    ReportId, StreamId, seal,
};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::vocabulary::{Digest, ImageId, Level, Timestamp, Verdict};
use tempfile::TempDir;

use super::SqliteEventStore;
use crate::embedded::Database;

/// A new file, gone with its folder.
pub(in crate::embedded) struct File {
    pub(in crate::embedded) folder: TempDir,
    pub(in crate::embedded) database: Database,
    pub(in crate::embedded) clock: Arc<ManualClock>,
}

pub(in crate::embedded) fn file() -> File {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("monitor.db")).unwrap();
    File { folder, database, clock: Arc::default() }
}

pub(in crate::embedded) fn image(registry: &str, seed: &str) -> ImageId {
    format!("{registry}/team/app@{}", Digest::of(seed.as_bytes())).parse().unwrap()
}

/// So many rings of a feed's bell after version `expected`, with the head that follows.
pub(in crate::embedded) fn rings(stream: &StreamId, expected: u64, count: u64) -> (Vec<RecordedEvent>, Head) {
    let bell = |n: u64| Event::Feed(FeedEvent::BellRang { name: n.to_string() });
    let events = (expected..expected + count).map(bell).collect();
    let version = expected + count;
    let state = HeadState::Feed(FeedState { bells: version, ..FeedState::default() });
    (seal(stream, expected, Timestamp::from_millis(0), events), Head { version, state })
}

/// Appends one event to the stream of an image, whose head is then this state.
pub(in crate::embedded) async fn put_head(store: &SqliteEventStore, stream: &StreamId, state: ImageState) {
    let version = store.head(stream).await.unwrap().map_or(0, |head| head.version);
    let (events, _) = rings(stream, version, 1);
    let head = Head { version: version + 1, state: HeadState::Image(Box::new(state)) };
    store.append(stream, version, &events, &head).await.unwrap();
}

/// The state of an image whose last report has this body.
pub(in crate::embedded) fn reported(body: &Digest) -> ImageState {
    let last_report = LastReport {
        id: ReportId("report".to_owned()),
        content: ContentHash("content".to_owned()),
        body: body.clone(),
        started: Timestamp::from_millis(0),
        verdict: Verdict::Clean,
        level: Level::Complete,
        delivered: vec![],
    };
    ImageState { last_report: Some(last_report), ..ImageState::default() }
}

/// The state of an image that waits.
pub(in crate::embedded) fn waiting(due: Due) -> ImageState {
    ImageState { due: Some(due), ..ImageState::default() }
}

/// The indexes that SQLite would use for a statement, as it describes them.
pub(in crate::embedded) fn plan(database: &Database, sql: &str) -> String {
    let connection = database.connect().unwrap();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let steps =
        statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}
