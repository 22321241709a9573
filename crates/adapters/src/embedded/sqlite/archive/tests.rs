//! What the conformance suite does not ask: age, compression and damage of other kinds.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{ArchiveError, Clock as _, MAX_BODY_BYTES, ReportArchive};
use cve_monitor_core::vocabulary::Digest;

use super::SqliteArchive;
use crate::embedded::sqlite::fixture::{File, file};

fn archive() -> (File, SqliteArchive) {
    let file = file();
    let archive = SqliteArchive::new(file.database.clone(), Arc::clone(&file.clock) as _);
    (file, archive)
}

async fn number(file: &File, sql: &'static str) -> i64 {
    file.database.read(move |state| Ok(state.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
}

#[tokio::test]
async fn a_body_that_is_put_again_is_young_again() {
    let (file, archive) = archive();
    archive.put(b"{}").await.unwrap();
    file.clock.advance(Duration::from_secs(3600));
    archive.put(b"{}").await.unwrap();
    assert_eq!(number(&file, "SELECT put_at FROM bodies").await, file.clock.now().as_millis());
}

#[tokio::test]
async fn a_body_that_repeats_itself_takes_little_room() {
    let (file, archive) = archive();
    let body = b"{\"Name\":\"CVE-2026-0001\"}".repeat(10_000);
    let digest = archive.put(&body).await.unwrap();
    assert!(number(&file, "SELECT length(body) FROM bodies").await < 2_000);
    assert_eq!(archive.get(&digest).await, Ok(Some(body)));
}

#[tokio::test]
async fn a_damaged_body_is_mended_by_putting_it_again() {
    let (file, archive) = archive();
    let digest = archive.put(b"{\"a\":1}").await.unwrap();
    for damage in
        ["UPDATE bodies SET body = x'7b7d'", "UPDATE bodies SET coding = 9", "UPDATE bodies SET size = 'x'"]
    {
        file.database.write(move |tx| Ok(tx.execute(damage, [])?)).await.unwrap();
        assert_eq!(archive.get(&digest).await, Err(ArchiveError::Corrupt(digest.clone())), "{damage}");
        archive.put(b"{\"a\":1}").await.unwrap();
        assert_eq!(archive.get(&digest).await, Ok(Some(b"{\"a\":1}".to_vec())));
    }
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused() {
    let (_file, archive) = archive();
    let body = vec![0; MAX_BODY_BYTES + 1];
    assert!(matches!(archive.put(&body).await, Err(ArchiveError::Permanent(_))));
    assert_eq!(archive.get(&Digest::of(b"")).await, Ok(None));
}
