//! Where we are in Clair's knowledge: which operation of each updater was followed last. A cursor has room for one
//! digest, so it names a document in the archive.

use std::collections::BTreeMap;
use std::sync::Arc;

use cve_monitor_core::ports::{ArchiveError, Cursor, FeedError, ReportArchive};
use cve_monitor_core::vocabulary::{Digest, Generation, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::operations::{Operation, OperationRef, generation};

/// How many documents are removed behind the cursor at a time: more than one only after a crash between two of them.
const MAX_REMOVED: usize = 16;

/// The operation of an updater that was followed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Its name.
    #[serde(rename = "ref")]
    pub(super) name: OperationRef,
    /// Its date; of an updater that has vanished since, no later than what Clair still has.
    pub(super) date: Timestamp,
}

impl From<&Operation> for Place {
    fn from(operation: &Operation) -> Self {
        Self { name: operation.name.clone(), date: operation.date }
    }
}

/// The updaters that were ever followed, each at its place. One that has vanished from Clair stays.
pub(super) type Places = BTreeMap<String, Place>;

/// What a cursor names. Its bytes are the same wherever the same step is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    /// The version of this form: 1.
    version: u32,
    /// The document before this one; none in the first. Removed once this one has been followed.
    previous: Option<Digest>,
    /// The places.
    pub(super) places: Places,
}

const VERSION: u32 = 1;

impl Document {
    /// The generation of the knowledge at these places: the latest date among them.
    pub(super) fn generation(&self) -> Generation {
        let latest = self.places.values().map(|place| place.date).max();
        generation(latest.unwrap_or(Timestamp::from_millis(0)))
    }
}

/// The documents in the archive.
#[derive(Debug)]
pub(super) struct Documents {
    archive: Arc<dyn ReportArchive>,
}

impl Documents {
    pub(super) fn new(archive: Arc<dyn ReportArchive>) -> Self {
        Self { archive }
    }

    /// What a cursor names. None where it is not kept any more, or damaged: then nobody knows where we were.
    pub(super) async fn get(&self, cursor: &Cursor) -> Result<Option<Document>, FeedError> {
        match cursor.0.parse::<Digest>() {
            Ok(digest) => self.read(&digest).await,
            Err(_) => Ok(None),
        }
    }

    async fn read(&self, digest: &Digest) -> Result<Option<Document>, FeedError> {
        let bytes = match self.archive.get(digest).await {
            Ok(bytes) => bytes,
            Err(ArchiveError::Corrupt(_)) => None,
            Err(error) => return Err(archive_error(&error)),
        };
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Document>(&bytes).ok());
        Ok(read.filter(|document| document.version == VERSION))
    }

    /// Keeps the places after a step from `previous`, before any event names them.
    pub(super) async fn put(
        &self,
        previous: Option<&Cursor>,
        places: Places,
    ) -> Result<(Cursor, Document), FeedError> {
        let previous = previous.and_then(|cursor| cursor.0.parse().ok());
        let document = Document { version: VERSION, previous, places };
        let bytes = serde_json::to_vec(&document)
            .map_err(|error| FeedError::Permanent(format!("the cursor cannot be written: {error}")))?;
        let digest = self.archive.put(&bytes).await.map_err(|error| archive_error(&error))?;
        Ok((Cursor(digest.to_string()), document))
    }

    /// Removes the oldest of the documents before this one, the oldest first: a crash in between, and where there are more
    /// than are removed at a time, leaves a chain that still leads to the rest.
    pub(super) async fn remove_before(&self, cursor: &Cursor) -> Result<(), FeedError> {
        let mut behind = vec![];
        let mut document = self.get(cursor).await?;
        while let Some(previous) = document.and_then(|document| document.previous) {
            document = self.read(&previous).await?;
            if document.is_some() {
                behind.push(previous);
            }
        }
        for digest in behind.iter().rev().take(MAX_REMOVED) {
            self.archive.remove(digest).await.map_err(|error| archive_error(&error))?;
        }
        Ok(())
    }
}

fn archive_error(error: &ArchiveError) -> FeedError {
    match error {
        ArchiveError::Permanent(_) => FeedError::Permanent(error.to_string()),
        _ => FeedError::Transient(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::testkit::model::MemoryArchive;

    use super::*;

    fn places(number: u32) -> Places {
        let name = format!("00000000-0000-4000-8000-{number:012}").try_into().unwrap();
        Places::from([("debian/updater".to_owned(), Place { name, date: Timestamp::from_millis(1500) })])
    }

    fn documents() -> Documents {
        Documents::new(Arc::new(MemoryArchive::default()))
    }

    #[test]
    fn the_stored_form_stays_readable() {
        let stored = r#"{"version":1,"previous":null,"places":{"debian/updater":{"ref":"00000000-0000-4000-8000-000000000001","date":"1970-01-01T00:00:01.500Z"}}}"#;
        let document: Document = serde_json::from_str(stored).unwrap();
        assert_eq!((document.places.clone(), document.generation()), (places(1), Generation(1500)));
        assert_eq!(serde_json::to_string(&document).unwrap(), stored);
    }

    #[tokio::test]
    async fn the_same_step_is_the_same_cursor_and_it_fits() {
        let documents = documents();
        let (first, _) = documents.put(None, places(1)).await.unwrap();
        let (again, _) = documents.put(None, places(1)).await.unwrap();
        let (second, document) = documents.put(Some(&first), places(1)).await.unwrap();
        assert_eq!(first, again);
        assert_ne!(first, second);
        assert!(first.0.len() <= cve_monitor_core::ports::MAX_CURSOR_BYTES);
        assert_eq!(documents.get(&second).await, Ok(Some(document)));
    }

    #[tokio::test]
    async fn what_was_left_behind_is_removed_also_after_a_crash() {
        let documents = documents();
        let mut cursors = vec![documents.put(None, places(0)).await.unwrap().0];
        for number in 1..4 {
            let (next, _) = documents.put(cursors.last(), places(number)).await.unwrap();
            cursors.push(next);
        }
        let end = cursors.pop().unwrap();
        documents.remove_before(&end).await.unwrap();
        documents.remove_before(&end).await.unwrap();
        for cursor in &cursors {
            assert_eq!(documents.get(cursor).await, Ok(None));
        }
        assert!(documents.get(&end).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn so_many_are_removed_at_a_time_and_the_rest_the_next() {
        let documents = documents();
        let mut cursors = vec![documents.put(None, places(0)).await.unwrap().0];
        for number in 1..=u32::try_from(MAX_REMOVED).unwrap() + 1 {
            let (next, _) = documents.put(cursors.last(), places(number)).await.unwrap();
            cursors.push(next);
        }
        let end = cursors.pop().unwrap();
        for left in [cursors.len() - MAX_REMOVED, 0] {
            documents.remove_before(&end).await.unwrap();
            let mut kept = vec![];
            for cursor in &cursors {
                kept.extend(documents.get(cursor).await.unwrap());
            }
            assert_eq!(kept.len(), left);
        }
    }

    #[tokio::test]
    async fn what_is_no_document_is_none() {
        let documents = documents();
        let other = documents.archive.put(b"a report").await.unwrap();
        for cursor in ["ready:7".to_owned(), other.to_string(), Digest::of(b"missing").to_string()] {
            assert_eq!(documents.get(&Cursor(cursor)).await, Ok(None));
        }
    }
}
