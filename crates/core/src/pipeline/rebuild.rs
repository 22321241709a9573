//! Makes again what was lost: the layer index, heads or the lake, from events and archived bodies.

use futures::future::join;
use futures::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::{
    AppendError, ArchiveError, LayerIndexError, Position, ReportObject, SinkError, StoreError,
};
use crate::scan::{
    Event, FeedState, Head, HeadState, IllegalTransition, ImageEvent, ImageState, ReconcileState,
    RecordedEvent, StreamId, evolve, evolve_feed, evolve_reconcile,
};
use crate::vocabulary::{ImageId, LayerKey, PageToken};

const PAGE: usize = 500;
/// Events that are read at a time where little is done with each.
const LONG_PAGE: usize = 4_000;
/// Images whose keys are recorded at once: what is written together shares a commit.
const IMAGES_AT_ONCE: usize = 256;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Events that were read.
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

type Events = Vec<(Position, RecordedEvent)>;

async fn page(
    ports: &Ports,
    after: Option<PageToken>,
    limit: usize,
) -> Result<(Events, Option<PageToken>), StoreError> {
    let page = ports.store.read_all(after, limit).await?;
    Ok((page.items, page.next))
}

/// Records again every key that the events say, and forgets those of deleted images.
///
/// # Errors
/// Where a port failed: begin again.
pub async fn rebuild_layer_index(ports: &Ports) -> Result<Rebuilt, RebuildError> {
    let mut done = Rebuilt::default();
    let mut current = page(ports, None, LONG_PAGE).await?;
    loop {
        let (events, next) = current;
        done.read += events.len() as u64;
        // The next page is read while this one's keys are recorded.
        let ahead = async {
            match next {
                Some(_) => page(ports, next, LONG_PAGE).await.map(Some),
                None => Ok(None),
            }
        };
        let (ahead, written) = join(ahead, restore_all(ports, events)).await;
        done.written += written?;
        match ahead? {
            Some(page) => current = page,
            None => return Ok(done),
        }
    }
}

async fn restore_all(ports: &Ports, events: Events) -> Result<u64, RebuildError> {
    let recorded = events.into_iter().filter_map(|(position, recorded)| match recorded.event {
        Event::Image(ImageEvent::LayersRecorded { keys, .. }) => Some((position.stream.as_image()?, keys)),
        _ => None,
    });
    let mut restored = stream::iter(recorded)
        .map(|(image, keys)| async move { restore(ports, &image, &keys).await })
        .buffer_unordered(IMAGES_AT_ONCE);
    let mut written = 0;
    while let Some(is_there) = restored.next().await {
        written += u64::from(is_there?);
    }
    Ok(written)
}

/// Whether the image is there and has the keys. Recorded before anybody asks whether it was deleted: a deletion that comes
/// later forgets them itself.
async fn restore(ports: &Ports, image: &ImageId, keys: &[LayerKey]) -> Result<bool, RebuildError> {
    ports.index.record(image, keys).await?;
    if !is_deleted(ports, image).await? {
        return Ok(true);
    }
    ports.index.forget(image, keys).await?;
    // Asked again after forgetting: a push may have revived it meanwhile.
    let is_back = !is_deleted(ports, image).await?;
    if is_back {
        ports.index.record(image, keys).await?;
    }
    Ok(is_back)
}

async fn is_deleted(ports: &Ports, image: &ImageId) -> Result<bool, StoreError> {
    let head = ports.store.head(&StreamId::image(image)).await?;
    Ok(head.as_ref().and_then(Head::image).is_some_and(|state| state.deleted))
}

/// Delivers again every report that the events name, from its archived body: the same objects.
///
/// # Errors
/// Where a port failed: begin again.
pub async fn rebuild_lake(ports: &Ports) -> Result<Rebuilt, RebuildError> {
    let (mut done, mut after) = (Rebuilt::default(), None);
    loop {
        let (events, next) = page(ports, after, PAGE).await?;
        for (_, recorded) in events {
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
        after = next;
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
        let (events, next) = page(ports, after, PAGE).await?;
        // Every stream has a first event, and only one: there its whole fold is made.
        for (position, _) in &events {
            done.read += 1;
            if position.version == 1 && refold(ports, &position.stream).await? {
                done.written += 1;
            }
        }
        after = next;
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
