//! Several processes on one folder of advisories.

use std::fs;
use std::path::{Path, PathBuf};

use cve_monitor_core::ports::Cursor;
use cve_monitor_core::vocabulary::Generation;
use cve_monitor_scanner::advisory::{CompileError, ShrinkPolicy};
use tempfile::TempDir;

use super::{AdvisoryError, AdvisoryStore, pointer};
use crate::embedded::scanner::fixture::{record, source};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("advisories")
    }

    /// As another process opens it.
    fn open(&self) -> AdvisoryStore {
        AdvisoryStore::open(self.path()).unwrap()
    }

    /// A source in which the first `count` packages are known to have a flaw.
    fn source(&self, name: &str, count: usize) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        for n in 0..count {
            let text = record(&format!("CVE-2026-{n}"), "Debian:12", &format!("p{n}"), "1");
            fs::write(folder.join(format!("{n}.json")), text).unwrap();
        }
        folder
    }

    fn databases(&self) -> usize {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("advisories-")).count()
    }
}

async fn refresh(store: &AdvisoryStore, folder: &Path) -> super::Refreshed {
    store.refresh(vec![source(folder)], ShrinkPolicy::default()).await.unwrap()
}

async fn cursor(store: &AdvisoryStore) -> Cursor {
    store.status().await.unwrap().unwrap().cursor
}

#[tokio::test]
async fn an_empty_folder_has_no_state() {
    let folder = Folder::new();
    assert_eq!(folder.open().status().await.unwrap(), None);
    assert_eq!(folder.open().prune(&[]).await.unwrap(), 0);
}

#[tokio::test]
async fn processes_that_refresh_at_once_make_one_line_of_generations() {
    let folder = Folder::new();
    let stores: Vec<_> = (0..4).map(|_| folder.open()).collect();
    let same = folder.source("same", 1);
    let all = futures::future::join_all(stores.iter().map(|store| refresh(store, &same))).await;
    assert_eq!(all.iter().filter(|refreshed| refreshed.changed).count(), 1);
    assert!(all.iter().all(|refreshed| refreshed.generation == Generation(1)), "{all:?}");

    let sources: Vec<_> = (2..6).map(|count| folder.source(&format!("s{count}"), count)).collect();
    let policy = || ShrinkPolicy { max_shrink_percent: 100, ..ShrinkPolicy::default() };
    let refreshing = stores.iter().zip(&sources).map(|(store, at)| store.refresh(vec![source(at)], policy()));
    for refreshed in futures::future::join_all(refreshing).await {
        assert!(refreshed.unwrap().changed);
    }
    let reader = folder.open();
    let mut state = reader.current().await.unwrap().unwrap();
    assert_eq!(state.generation(), Generation(5));
    for generation in (1..5).rev() {
        let parent = super::FileName::of_parent(state.database.parent().unwrap());
        state = reader.state(&parent, 0).unwrap();
        assert_eq!(state.generation(), Generation(generation));
    }
    assert_eq!(state.database.parent(), None);
}

#[tokio::test]
async fn a_source_that_shrank_is_refused_and_the_state_before_stays() {
    let folder = Folder::new();
    let store = folder.open();
    refresh(&store, &folder.source("whole", 10)).await;
    let before = store.status().await.unwrap();
    let shrunken = vec![source(&folder.source("cut", 1))];
    let refused = store.refresh(shrunken, ShrinkPolicy::default()).await;
    assert!(matches!(refused, Err(AdvisoryError::Compile(CompileError::Shrunken { .. }))), "{refused:?}");
    assert_eq!(store.status().await.unwrap(), before);
    assert_eq!(folder.databases(), 1);
}

#[tokio::test]
async fn what_a_dead_process_left_is_removed_or_harmless() {
    let folder = Folder::new();
    let store = folder.open();
    refresh(&store, &folder.source("a", 2)).await;
    for n in 0..64 {
        fs::write(folder.path().join(format!(".unfinished-{n}.sqlite")), "half").unwrap();
    }
    fs::write(folder.path().join(".CURRENT.unfinished"), "half").unwrap();
    let refreshed = refresh(&store, &folder.source("b", 3)).await;
    assert_eq!(refreshed.generation, Generation(2));
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("unfinished")));
}

#[tokio::test]
async fn generations_go_on_where_the_current_database_or_the_pointer_is_lost() {
    let folder = Folder::new();
    let store = folder.open();
    refresh(&store, &folder.source("a", 1)).await;
    refresh(&store, &folder.source("b", 2)).await;
    fs::remove_file(store.status().await.unwrap().unwrap().path).unwrap();
    let restarted = refresh(&folder.open(), &folder.source("b", 2)).await;
    assert!(restarted.restarted && restarted.generation == Generation(3), "{restarted:?}");
    let next = refresh(&folder.open(), &folder.source("c", 3)).await;
    assert!(!next.restarted && next.generation == Generation(4), "{next:?}");

    // Lost with its line: the highest number of any file that is there counts.
    let old = folder.path().join(format!("advisories-0000000009-{}.sqlite", "0a".repeat(32)));
    fs::write(old, "").unwrap();
    fs::remove_file(folder.path().join("CURRENT")).unwrap();
    let again = refresh(&folder.open(), &folder.source("c", 3)).await;
    assert!(again.restarted && again.generation == Generation(10), "{again:?}");
}

#[tokio::test]
async fn pruning_keeps_the_current_the_cursors_and_what_lies_between() {
    let folder = Folder::new();
    let store = folder.open();
    let mut cursors = vec![];
    for count in 1..=5 {
        refresh(&store, &folder.source("s", count)).await;
        cursors.push(cursor(&store).await);
    }
    assert_eq!(store.prune(&[cursors[3].clone(), cursors[1].clone()]).await.unwrap(), 1);
    let current = store.current().await.unwrap().unwrap();
    assert!(store.at(&cursors[0], &current).unwrap().is_none());
    for kept in &cursors[1..] {
        assert!(store.at(kept, &current).unwrap().is_some(), "{kept:?}");
    }
    assert_eq!(store.prune(&[Cursor("of another feed".to_owned())]).await.unwrap(), 3);
    assert_eq!((folder.databases(), cursor(&store).await), (1, cursors[4].clone()));
}

#[tokio::test]
async fn pruning_leaves_a_folder_alone_that_is_being_refreshed() {
    let folder = Folder::new();
    let store = folder.open();
    for count in 1..=2 {
        refresh(&store, &folder.source("s", count)).await;
    }
    let lock = super::lock::acquire(&folder.path().join(".lock")).await.unwrap();
    assert_eq!(store.prune(&[]).await.unwrap(), 0);
    drop(lock);
    assert_eq!(store.prune(&[]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_pointer_that_names_no_database_of_the_folder_is_refused_with_the_remedy() {
    let folder = Folder::new();
    let store = folder.open();
    let name = format!("advisories-0000000001-{}.sqlite", "0a".repeat(32));
    for bad in ["", "\n0", "../other.sqlite\n0\n", &name, &format!("{name}\n-1\n")] {
        fs::write(folder.path().join("CURRENT"), bad).unwrap();
        let refused = pointer::read(&folder.path()).unwrap_err().to_string();
        assert!(refused.contains("CURRENT") && refused.contains("import the advisories again"), "{refused}");
    }
    assert!(store.refresh(vec![source(&folder.source("a", 1))], ShrinkPolicy::default()).await.is_err());
}
