//! Counting, copying, removing.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{
    Clock as _, Cursor, DeadLetter, DeadLetterReason, Depth, EventStore as _, LayerIndex as _, Queue as _,
    ReportArchive as _,
};
use cve_monitor_core::scan::{Due, FanOut, FeedState, Head, HeadState, StreamId};
use cve_monitor_core::vocabulary::{
    Cause, Digest, Generation, Lane, LayerKey, RequestId, ScanRequest, Timestamp,
};

use super::{MIN_BODY_RETENTION, Pruned, Retention, backup, prune, stats};
use crate::embedded::sqlite::fixture::{File, file, image, put_head, reported, rings, waiting};
use crate::embedded::{
    Database, DatabaseError, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MOMENT: Duration = Duration::from_millis(1);

fn archive(file: &File) -> SqliteArchive {
    SqliteArchive::new(file.database.clone(), Arc::clone(&file.clock) as _)
}

fn queue(file: &File) -> SqliteQueue {
    SqliteQueue::new(file.database.clone(), Arc::clone(&file.clock) as _)
}

async fn send(queue: &SqliteQueue, lane: Lane, ids: &[&str]) {
    let request = |id: &&str| {
        let image = image("a.test", id);
        ScanRequest { id: RequestId((*id).to_owned()), image, cause: Cause::Operator, at_least: None }
    };
    queue.send(lane, &ids.iter().map(request).collect::<Vec<_>>()).await.unwrap();
}

async fn bury(queue: &SqliteQueue, id: &str, at: Timestamp) {
    send(queue, Lane::Push, &[id]).await;
    let lease = queue.receive(Lane::Push, 1, DAY, Duration::ZERO).await.unwrap().remove(0).lease;
    let letter = DeadLetter {
        id: RequestId(id.to_owned()),
        lane: Lane::Push,
        reason: DeadLetterReason::Denied,
        detail: String::new(),
        body: String::new(),
        at,
    };
    queue.bury(&lease, &letter).await.unwrap();
}

fn stream_of(seed: &str) -> StreamId {
    StreamId::image(&image("a.test", seed))
}

#[tokio::test]
async fn stats_count_what_is_there() {
    let file = file();
    let empty = stats(&file.database, file.clock.now()).await.unwrap();
    assert_eq!((empty.events, empty.heads.streams, empty.dead_letters, empty.bodies.count), (0, 0, 0, 0));
    let store = SqliteEventStore::new(file.database.clone());
    let (feed, (events, head)) = (StreamId("feed/f".to_owned()), rings(&StreamId("feed/f".to_owned()), 0, 3));
    store.append(&feed, 0, &events, &head).await.unwrap();
    put_head(&store, &stream_of("1"), waiting(Due::At(file.clock.now()))).await;
    put_head(&store, &stream_of("2"), waiting(Due::ScannerReady)).await;
    let queue = queue(&file);
    bury(&queue, "dead", file.clock.now()).await;
    send(&queue, Lane::Backfill, &["1", "2", "3"]).await;
    queue.receive(Lane::Backfill, 1, DAY, Duration::ZERO).await.unwrap();
    archive(&file).put(&b"{}".repeat(1000)).await.unwrap();
    let keys = [LayerKey("one".to_owned()), LayerKey("two".to_owned())];
    SqliteLayerIndex::new(file.database.clone()).record(&image("a.test", "1"), &keys).await.unwrap();

    let full = stats(&file.database, file.clock.now()).await.unwrap();
    assert_eq!((full.events, full.dead_letters, full.schema_version), (5, 1, empty.schema_version));
    assert_eq!((full.heads.streams, full.heads.images, full.heads.feeds), (3, 2, 1));
    assert_eq!(
        (full.heads.reconciliations, full.heads.waiting_for_a_time, full.heads.waiting_for_the_scanner),
        (0, 1, 1)
    );
    let depths: Vec<_> = full.lanes.iter().map(|(_, depth)| *depth).collect();
    assert_eq!(depths, [Depth::default(), Depth::default(), Depth { ready: 2, leased: 1 }]);
    assert_eq!((full.bodies.count, full.bodies.bytes), (1, 2000));
    assert!(full.bodies.stored_bytes < 200 && full.file_bytes > 0 && full.log_bytes > 0);
    assert_eq!((full.layer_index.rows, full.layer_index.keys, full.layer_index.images), (2, 2, 1));
}

#[tokio::test]
async fn a_backup_opens_as_the_file_did_and_overwrites_nothing() {
    let file = file();
    let digest = archive(&file).put(b"{}").await.unwrap();
    let target = file.folder.path().join("copy.db");
    backup(&file.database, &target).await.unwrap();
    archive(&file).remove(&digest).await.unwrap();
    let again = backup(&file.database, &target).await;
    assert!(
        matches!(&again, Err(DatabaseError::Refused(why)) if why.contains("copy.db exists")),
        "{again:?}"
    );
    let copy = SqliteArchive::new(Database::open(&target).unwrap(), Arc::clone(&file.clock) as _);
    assert_eq!(copy.get(&digest).await, Ok(Some(b"{}".to_vec())));
}

#[tokio::test]
async fn a_backup_that_cannot_be_made_leaves_nothing_behind() {
    let file = file();
    let failed = backup(&file.database, file.folder.path().join("absent/copy.db")).await;
    assert!(matches!(&failed, Err(DatabaseError::Unavailable(why)) if why.contains("copy.db")), "{failed:?}");
    let target = file.folder.path().join("folder.db");
    std::fs::create_dir(&target).unwrap();
    assert!(matches!(backup(&file.database, &target).await, Err(DatabaseError::Refused(_))));
    let partial = std::fs::read_dir(file.folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".partial"));
    assert_eq!(partial.count(), 0);
}

#[tokio::test]
async fn pruning_removes_bodies_past_their_retention_and_keeps_the_last_of_every_image() {
    let file = file();
    let (archive, store) = (archive(&file), SqliteEventStore::new(file.database.clone()));
    let [old, last, other] = [&b"{\"n\":1}"[..], b"{\"n\":2}", b"{\"n\":3}"].map(<[u8]>::to_vec);
    let old = archive.put(&old).await.unwrap();
    let last = archive.put(&last).await.unwrap();
    put_head(&store, &stream_of("1"), reported(&old)).await;
    put_head(&store, &stream_of("1"), reported(&last)).await;
    file.clock.advance(MOMENT);
    let young = archive.put(&other).await.unwrap();
    file.clock.advance(Retention::default().report_bodies);
    let pruned = prune(&file.database, Retention::default(), file.clock.now()).await.unwrap();
    assert_eq!(pruned, Pruned { bodies: 1, body_bytes: 7, dead_letters: 0 });
    assert_eq!(archive.get(&old).await, Ok(None));
    assert!(archive.get(&last).await.unwrap().is_some() && archive.get(&young).await.unwrap().is_some());
    // The one put a moment later is now past its time as well; the last report of the image never is.
    let later = file.clock.now().plus(1000 * DAY);
    let pruned = prune(&file.database, Retention::default(), later).await.unwrap();
    assert_eq!((pruned.bodies, archive.get(&young).await), (1, Ok(None)));
    assert!(archive.get(&last).await.unwrap().is_some());
    assert_eq!(store.read(&stream_of("1"), 1, 10).await.unwrap().len(), 2, "no event is removed");
}

#[tokio::test]
async fn pruning_keeps_what_the_cursors_of_feeds_stand_for() {
    let file = file();
    let (archive, store) = (archive(&file), SqliteEventStore::new(file.database.clone()));
    let mut kept = vec![];
    for part in ["at", "from", "to"] {
        kept.push(archive.put(part.as_bytes()).await.unwrap());
    }
    let before = archive.put(b"before").await.unwrap();
    let cursor = |at: usize| Cursor(kept[at].to_string());
    let fan_out =
        FanOut { from: cursor(1), to: cursor(2), generation: Generation(1), after: None, queued: 0 };
    let state = FeedState { cursor: Some(cursor(0)), fan_out: Some(fan_out), ..FeedState::default() };
    let stream = StreamId("feed/f".to_owned());
    let (events, _) = rings(&stream, 0, 1);
    store.append(&stream, 0, &events, &Head { version: 1, state: HeadState::Feed(state) }).await.unwrap();
    let later = file.clock.now().plus(1000 * DAY);
    assert_eq!(prune(&file.database, Retention::default(), later).await.unwrap().bodies, 1);
    assert_eq!(archive.get(&before).await, Ok(None));
    for digest in kept {
        assert!(archive.get(&digest).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn pruning_goes_through_more_than_one_batch() {
    let file = file();
    file.database
        .write(|tx| {
            let mut put = tx.prepare("INSERT INTO bodies VALUES (?1, ?2, 1, 0, x'00')")?;
            for n in 0..1201_i64 {
                put.execute(rusqlite::params![Digest::of(&n.to_le_bytes()).hex(), n % 3])?;
            }
            let mut bury =
                tx.prepare("INSERT INTO dead_letters VALUES (NULL, ?1, 'push', 'denied', '', '', 0)")?;
            for n in 0..1001_i64 {
                bury.execute([n.to_string()])?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let pruned = prune(&file.database, Retention::default(), file.clock.now()).await.unwrap();
    assert_eq!(pruned, Pruned { bodies: 1201, body_bytes: 1201, dead_letters: 1001 });
}

#[tokio::test]
async fn a_dead_letter_is_kept_until_it_is_older_than_its_retention() {
    let file = file();
    let (queue, now) = (queue(&file), file.clock.now());
    bury(&queue, "older", now.minus(MOMENT)).await;
    bury(&queue, "as old", now).await;
    let then = now.plus(Retention::default().dead_letters);
    let pruned = prune(&file.database, Retention::default(), then).await.unwrap();
    let left: Vec<_> =
        queue.dead_letters(None, 10).await.unwrap().items.into_iter().map(|letter| letter.id.0).collect();
    assert_eq!((pruned.dead_letters, left), (1, vec!["as old".to_owned()]));
}

#[tokio::test]
async fn where_a_head_cannot_be_read_no_body_is_removed() {
    let file = file();
    let (archive, store) = (archive(&file), SqliteEventStore::new(file.database.clone()));
    let body = archive.put(b"{}").await.unwrap();
    put_head(&store, &stream_of("1"), reported(&body)).await;
    file.database.write(|tx| Ok(tx.execute("UPDATE heads SET body = x'00'", [])?)).await.unwrap();
    let pruned = prune(&file.database, Retention::default(), file.clock.now().plus(1000 * DAY)).await;
    assert!(
        matches!(&pruned, Err(DatabaseError::Damaged(why)) if why.contains("nothing was removed")),
        "{pruned:?}"
    );
    assert!(archive.get(&body).await.unwrap().is_some());
}

#[tokio::test]
async fn a_retention_of_bodies_has_a_least() {
    let file = file();
    let of = |report_bodies| Retention { report_bodies, ..Retention::default() };
    assert!(prune(&file.database, of(MIN_BODY_RETENTION), file.clock.now()).await.is_ok());
    let short = prune(&file.database, of(MIN_BODY_RETENTION - MOMENT), file.clock.now()).await;
    assert!(matches!(short, Err(DatabaseError::Refused(_))));
}
