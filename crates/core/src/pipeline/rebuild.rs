//! Makes again what was lost: the layer index, heads or the lake, from events and archived bodies.

use futures::future::try_join;
use futures::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::{AppendError, ArchiveError, LayerIndexError, ReportObject, SinkError, StoreError};
use crate::scan::{
    Event, EventType, FeedState, Head, HeadState, IllegalTransition, ImageEvent, ImageState, ReconcileState,
    RecordedEvent, StreamId, evolve, evolve_feed, evolve_reconcile,
};
use crate::vocabulary::{ImageId, LayerKey, PageToken};

const PAGE: usize = 500;
/// Events that are passed at a time where little is done with each.
const LONG_PAGE: usize = 4_000;
/// Keys that are recorded at once, or a page's more. An index in a file writes them in its own order: the more of them, the
/// fewer pages it writes for each. Two such batches are in memory, and what the index makes of one: some 100 MB.
const KEYS_AT_ONCE: usize = 300_000;
/// Heads that are read at once.
const HEADS_AT_ONCE: usize = 1_000;
/// Deleted images whose keys are forgotten at once: what is written together shares a commit.
const FORGOTTEN_AT_ONCE: usize = 256;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Events that were read, of those that it takes.
    pub read: u64,
    /// Entries, heads or reports that were written.
    pub written: u64,
    /// Reports whose body is no longer archived: they cannot be made again.
    pub missing: u64,
}

/// Why a rebuild stopped. It may be begun again: everything that it does is idempotent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// The events could not be read, or a head not written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The layer index could not be written.
    #[error(transparent)]
    Index(#[from] LayerIndexError),
    /// The archive could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A sink did not take a report.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A stream holds something that these rules did not write.
    #[error("stream {stream}, version {version}: {problem}")]
    Broken {
        /// The stream.
        stream: StreamId,
        /// The version.
        version: u64,
        /// What is wrong.
        problem: String,
    },
}

/// Images with their keys, out of so many events, and where what follows them begins.
#[derive(Default)]
struct Batch {
    images: Vec<(ImageId, Vec<LayerKey>)>,
    read: u64,
    next: Option<PageToken>,
}

/// Records again every key that the events say, and forgets those of deleted images.
///
/// # Errors
/// Where a port failed: begin again.
pub async fn rebuild_layer_index(ports: &Ports) -> Result<Rebuilt, RebuildError> {
    let mut done = Rebuilt::default();
    let mut current = next_batch(ports, None).await?;
    loop {
        let Batch { images, read, next } = current;
        done.read += read;
        // The next ones are read while these are recorded.
        let ahead = async {
            match next {
                Some(_) => Ok(Some(next_batch(ports, next).await?)),
                None => Ok(None),
            }
        };
        let (ahead, written) = try_join(ahead, restore_all(ports, &images)).await?;
        done.written += written;
        match ahead {
            Some(batch) => current = batch,
            None => return Ok(done),
        }
    }
}

/// Reads on until there is enough to record at once.
async fn next_batch(ports: &Ports, mut after: Option<PageToken>) -> Result<Batch, StoreError> {
    let (mut batch, mut keys_of_batch) = (Batch::default(), 0);
    loop {
        let page = ports.store.read_all_of(EventType::LayersRecorded, after, LONG_PAGE).await?;
        batch.read += page.items.len() as u64;
        for (position, recorded) in page.items {
            let Event::Image(ImageEvent::LayersRecorded { keys, .. }) = recorded.event else { continue };
            let Some(image) = position.stream.as_image() else { continue };
            keys_of_batch += keys.len().max(1);
            batch.images.push((image, keys));
        }
        if keys_of_batch >= KEYS_AT_ONCE || page.next.is_none() {
            batch.next = page.next;
            return Ok(batch);
        }
        after = page.next;
    }
}

/// How many of them are there and have their keys.
async fn restore_all(ports: &Ports, images: &[(ImageId, Vec<LayerKey>)]) -> Result<u64, RebuildError> {
    // Recorded before anybody asks which images were deleted: a deletion that comes later forgets them itself.
    ports.index.record_all(images).await?;
    let mut written = 0;
    for some in images.chunks(HEADS_AT_ONCE) {
        let streams: Vec<StreamId> = some.iter().map(|(image, _)| StreamId::image(image)).collect();
        let heads = ports.store.heads_of(&streams).await?;
        let deleted = some.iter().zip(&heads).filter(|(_, head)| is_deleted(head.as_ref()));
        let gone: Vec<_> = deleted.map(|((image, keys), _)| forget(ports, image, keys)).collect();
        written += (some.len() - gone.len()) as u64;
        let mut forgotten = stream::iter(gone).buffer_unordered(FORGOTTEN_AT_ONCE);
        while let Some(is_back) = forgotten.next().await {
            written += u64::from(is_back?);
        }
    }
    Ok(written)
}

/// Forgets the keys of a deleted image; whether it has them nevertheless, since it came back meanwhile.
async fn forget(ports: &Ports, image: &ImageId, keys: &[LayerKey]) -> Result<bool, RebuildError> {
    let stream = StreamId::image(image);
    // Its head was read along with many others: whatever came back since keeps its keys.
    if !is_deleted(ports.store.head(&stream).await?.as_ref()) {
        return Ok(true);
    }
    ports.index.forget(image, keys).await?;
    // Asked again after forgetting: a push may have revived it.
    let is_back = !is_deleted(ports.store.head(&stream).await?.as_ref());
    if is_back {
        ports.index.record(image, keys).await?;
    }
    Ok(is_back)
}

fn is_deleted(head: Option<&Head>) -> bool {
    head.and_then(Head::image).is_some_and(|state| state.deleted)
}

/// Delivers again every report that the events name, from its archived body: the same objects.
///
/// # Errors
/// Where a port failed: begin again.
pub async fn rebuild_lake(ports: &Ports) -> Result<Rebuilt, RebuildError> {
    let (mut done, mut after) = (Rebuilt::default(), None);
    loop {
        let page = ports.store.read_all_of(EventType::Assessed, after, PAGE).await?;
        for (_, recorded) in page.items {
            done.read += 1;
            let Event::Image(ImageEvent::Assessed(assessed)) = recorded.event else { continue };
            let Some(body) = ports.archive.get(&assessed.body).await? else {
                done.missing += 1;
                continue;
            };
            let object = ReportObject { id: assessed.report.clone(), assessed: assessed.started, body };
            for sink in &ports.sinks {
                sink.deliver(&object).await?;
            }
            done.written += 1;
        }
        after = page.next;
        if after.is_none() {
            return Ok(done);
        }
    }
}

/// Folds every stream again and rewrites the heads that differ. A stream that moves meanwhile has a fresh head.
///
/// # Errors
/// Where a port failed, or a stream breaks the rules: that one is named.
pub async fn rebuild_heads(ports: &Ports) -> Result<Rebuilt, RebuildError> {
    let (mut done, mut after) = (Rebuilt::default(), None);
    loop {
        let page = ports.store.read_all(after, PAGE).await?;
        // Every stream has a first event, and only one: there its whole fold is made.
        for (position, _) in &page.items {
            done.read += 1;
            if position.version == 1 && refold(ports, &position.stream).await? {
                done.written += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(done);
        }
    }
}

async fn refold(ports: &Ports, stream: &StreamId) -> Result<bool, RebuildError> {
    let mut folded: Option<HeadState> = None;
    let mut version = 0;
    loop {
        let events = ports.store.read(stream, version + 1, PAGE).await?;
        for recorded in &events {
            version += 1;
            folded = Some(fold(folded, recorded).map_err(|problem| RebuildError::Broken {
                stream: stream.clone(),
                version,
                problem,
            })?);
        }
        if events.len() < PAGE {
            break;
        }
    }
    let Some(state) = folded else { return Ok(false) };
    let head = Head { version, state };
    // A head that cannot be read is what this is for.
    if ports.store.head(stream).await.ok().flatten().as_ref() == Some(&head) {
        return Ok(false);
    }
    match ports.store.rewrite_head(stream, &head).await {
        Ok(()) => Ok(true),
        Err(AppendError::Conflict { .. }) => Ok(false),
        Err(AppendError::Store(error)) => Err(error.into()),
    }
}

fn fold(state: Option<HeadState>, recorded: &RecordedEvent) -> Result<HeadState, String> {
    let illegal = |e: IllegalTransition| e.to_string();
    match (&recorded.event, state) {
        (Event::Image(event), None) => evolve(ImageState::default(), recorded.at, event)
            .map(|s| HeadState::Image(Box::new(s)))
            .map_err(illegal),
        (Event::Image(event), Some(HeadState::Image(state))) => {
            evolve(*state, recorded.at, event).map(|s| HeadState::Image(Box::new(s))).map_err(illegal)
        }
        (Event::Feed(event), None) => {
            evolve_feed(FeedState::default(), recorded.at, event).map(HeadState::Feed).map_err(illegal)
        }
        (Event::Feed(event), Some(HeadState::Feed(state))) => {
            evolve_feed(state, recorded.at, event).map(HeadState::Feed).map_err(illegal)
        }
        (Event::Reconcile(event), None) => evolve_reconcile(ReconcileState::default(), recorded.at, event)
            .map(HeadState::Reconcile)
            .map_err(illegal),
        (Event::Reconcile(event), Some(HeadState::Reconcile(state))) => {
            evolve_reconcile(state, recorded.at, event).map(HeadState::Reconcile).map_err(illegal)
        }
        _ => Err("an event of another kind of stream".to_owned()),
    }
}
