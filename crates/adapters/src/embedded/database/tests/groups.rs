//! Operations that share a commit.

use std::sync::mpsc;

use futures::future::join_all;
use futures::poll;
use tempfile::TempDir;

use super::{NOTES, committed};
use crate::embedded::database::{Database, DatabaseError};

const COUNT: &str = "SELECT count(*) FROM notes";

fn notes() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_with(&folder.path().join("notes.db"), &[NOTES]).unwrap();
    (folder, database)
}

async fn note(database: &Database, text: &'static str) -> Result<(), DatabaseError> {
    database
        .write(move |tx| tx.execute("INSERT INTO notes VALUES (?1)", [text]).map(drop).map_err(Into::into))
        .await
}

/// Keeps the writer in the first operation of a group, which others join until the sender is dropped.
async fn occupy(
    database: &Database,
) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), DatabaseError>>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let busy = database.clone();
    let occupied = tokio::spawn(async move {
        let wait = busy.write(move |_| {
            let _ = begun.send(());
            let _ = released.recv();
            Ok(())
        });
        wait.await
    });
    has_begun.await.unwrap();
    (release, occupied)
}

#[tokio::test]
async fn operations_that_wait_together_are_committed_together() {
    let (_folder, database) = notes();
    let (release, occupied) = occupy(&database).await;
    let watched = database.clone();
    let mut first = Box::pin(note(&database, "first"));
    let mut second = Box::pin(database.write(move |tx| {
        let seen: i64 = tx.query_row(COUNT, [], |row| row.get(0))?;
        Ok((seen, committed(&watched, COUNT)))
    }));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    drop(release);
    let (first, second) = (first.await, second.await);
    // The second operation saw what the first had written, and nobody else did yet.
    assert_eq!((first, second), (Ok(()), Ok((1, 0))));
    occupied.await.unwrap().unwrap();
    assert_eq!(committed(&database, COUNT), 1);
}

#[tokio::test]
async fn an_operation_that_fails_or_panics_is_undone_and_hurts_no_other() {
    let (_folder, database) = notes();
    let (release, occupied) = occupy(&database).await;
    let failing = database.write(|tx| {
        tx.execute("INSERT INTO notes VALUES ('half')", [])?;
        Err::<(), _>(DatabaseError::Refused("no".to_owned()))
    });
    let panicking = database.write::<(), _>(|tx| {
        tx.execute("INSERT INTO notes VALUES ('half')", [])?;
        panic!("an operation of this test panics")
    });
    let wrong = database.write(|tx| Ok(tx.execute("INSERT INTO nowhere VALUES (1)", [])?));
    let all = async {
        tokio::join!(note(&database, "before"), failing, panicking, wrong, note(&database, "after"))
    };
    let (before, failed, panicked, wrong, after) = {
        let mut all = Box::pin(all);
        assert!(poll!(&mut all).is_pending());
        drop(release);
        all.await
    };
    assert_eq!((before, after), (Ok(()), Ok(())));
    assert_eq!(failed, Err(DatabaseError::Refused("no".to_owned())));
    assert!(matches!(panicked, Err(DatabaseError::Refused(why)) if why.contains("panicked")));
    assert!(matches!(wrong, Err(DatabaseError::Refused(why)) if why.contains("nowhere")));
    occupied.await.unwrap().unwrap();
    assert_eq!(committed(&database, "SELECT count(*) FROM notes WHERE text IN ('before', 'after')"), 2);
    assert_eq!(committed(&database, COUNT), 2);
}

#[tokio::test]
async fn on_a_full_disk_only_what_is_kept_is_answered_as_kept() {
    let (_folder, database) = notes();
    let (release, occupied) = occupy(&database).await;
    let filling = database.write(|tx| {
        // Stands for the disk: no page more than there are.
        tx.query_row("PRAGMA max_page_count = 1", [], |_| Ok(()))?;
        Ok(tx.execute("INSERT INTO notes VALUES (hex(randomblob(1000000)))", [])?)
    });
    let all = async { tokio::join!(note(&database, "before"), filling, note(&database, "after")) };
    let (before, filled, after) = {
        let mut all = Box::pin(all);
        assert!(poll!(&mut all).is_pending());
        drop(release);
        all.await
    };
    // SQLite gives the whole transaction up: who shared it is told to try again.
    assert!(matches!(filled, Err(DatabaseError::Unavailable(_))), "{filled:?}");
    assert!(matches!(occupied.await.unwrap(), Err(DatabaseError::Unavailable(_))));
    let kept = [before, after].iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(committed(&database, COUNT), i64::try_from(kept).unwrap());
    let freed = database.write(|tx| Ok(tx.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))?));
    freed.await.unwrap();
    note(&database, "later").await.unwrap();
    assert_eq!(committed(&database, "SELECT count(*) FROM notes WHERE text = 'later'"), 1);
}

#[tokio::test]
async fn an_operation_whose_future_is_dropped_before_its_turn_does_not_happen() {
    let (_folder, database) = notes();
    let (release, occupied) = occupy(&database).await;
    {
        let mut dropped = Box::pin(note(&database, "dropped"));
        assert!(poll!(&mut dropped).is_pending());
    }
    drop(release);
    occupied.await.unwrap().unwrap();
    note(&database, "kept").await.unwrap();
    assert_eq!(committed(&database, COUNT), 1);
}

#[tokio::test]
async fn what_a_write_has_answered_every_read_sees() {
    let (_folder, database) = notes();
    for written in 1..=20_i64 {
        note(&database, "text").await.unwrap();
        let read = database.read(|state| Ok(state.query_row(COUNT, [], |row| row.get::<_, i64>(0))?));
        assert_eq!(read.await, Ok(written));
    }
}

#[tokio::test]
async fn a_read_cannot_write_and_a_panicking_one_leaves_the_others_working() {
    let (_folder, database) = notes();
    let written = database.read(|state| Ok(state.execute("INSERT INTO notes VALUES ('x')", [])?)).await;
    assert!(matches!(written, Err(DatabaseError::Refused(_))), "{written:?}");
    for _ in 0..10 {
        let panicked = database.read::<(), _>(|_| panic!("a read of this test panics")).await;
        assert!(matches!(panicked, Err(DatabaseError::Refused(_))), "{panicked:?}");
    }
    assert_eq!(
        database.read(|state| Ok(state.query_row(COUNT, [], |row| row.get::<_, i64>(0))?)).await,
        Ok(0)
    );
}

#[tokio::test]
async fn two_handles_on_one_file_write_at_once_and_lose_nothing() {
    let (_folder, one) = notes();
    let other = Database::open_with(one.path(), &[NOTES]).unwrap();
    let notes = (0..200).map(|n| note(if n % 2 == 0 { &one } else { &other }, "text"));
    assert!(join_all(notes).await.iter().all(Result::is_ok));
    assert_eq!(committed(&one, COUNT), 200);
}

#[tokio::test]
async fn dropping_the_last_handle_writes_what_waits_and_folds_the_log_in() {
    let (folder, database) = notes();
    let (release, occupied) = occupy(&database).await;
    let late = tokio::spawn({
        let database = database.clone();
        async move { note(&database, "late").await }
    });
    tokio::task::yield_now().await;
    drop(release);
    occupied.await.unwrap().unwrap();
    late.await.unwrap().unwrap();
    drop(database);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["notes.db"]);
    let database = Database::open_with(&folder.path().join("notes.db"), &[NOTES]).unwrap();
    assert_eq!(committed(&database, COUNT), 1);
}
