//! Streams, what they are called, and what stands in them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Event, FeedState, ImageState, ReconcileState};
use crate::vocabulary::{Digest, FeedName, ImageId, RegistryName, RepositoryName, Timestamp};

/// The most events in one append.
pub const MAX_APPEND: usize = 16;
/// The largest encoded head, in bytes.
pub const MAX_HEAD_BYTES: usize = 1024;

/// The name of a stream: `image/REGISTRY/REPOSITORY@DIGEST`, `feed/NAME`, `reconcile/REGISTRY`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub String);

impl StreamId {
    /// The stream of an image.
    #[must_use]
    pub fn image(image: &ImageId) -> Self {
        Self(format!("image/{image}"))
    }

    /// The stream of a feed.
    #[must_use]
    pub fn feed(name: &FeedName) -> Self {
        Self(format!("feed/{name}"))
    }

    /// The stream of a registry's reconciliation.
    #[must_use]
    pub fn reconcile(registry: &RegistryName) -> Self {
        Self(format!("reconcile/{registry}"))
    }

    /// What the streams of all images begin with.
    pub const IMAGES: &'static str = "image/";

    /// What the streams of a registry's images begin with.
    #[must_use]
    pub fn registry_prefix(registry: &RegistryName) -> String {
        format!("image/{registry}/")
    }

    /// What the streams of a repository's images begin with.
    #[must_use]
    pub fn repository_prefix(registry: &RegistryName, repository: &RepositoryName) -> String {
        format!("image/{registry}/{repository}@")
    }

    /// The image that this stream is about, where it is one's.
    #[must_use]
    pub fn as_image(&self) -> Option<ImageId> {
        self.0.strip_prefix(Self::IMAGES)?.parse().ok()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies an event by what it says and where: a repeated append is recognised by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub String);

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event with its id and date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Identifies it.
    pub id: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// Dates and names events for an append after version `expected`. The id follows from stream, version, date and
/// content: the same append attempted again carries the same ids.
#[must_use]
pub fn seal(stream: &StreamId, expected: u64, at: Timestamp, events: Vec<Event>) -> Vec<RecordedEvent> {
    (expected + 1..)
        .zip(events)
        .map(|(version, event)| {
            // A value of our own types always has a JSON form.
            let json = serde_json::to_string(&event).unwrap_or_default();
            let spelt = format!("{stream}\n{version}\n{at}\n{json}");
            RecordedEvent { id: EventId(Digest::of(spelt.as_bytes()).hex()[..32].to_owned()), at, event }
        })
        .collect()
}

/// What a stream waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// A time.
    At(Timestamp),
    /// The scanner's data.
    ScannerReady,
}

/// The folded state of a stream, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum HeadState {
    /// An image's.
    Image(Box<ImageState>),
    /// A feed's.
    Feed(FeedState),
    /// A registry's reconciliation's.
    Reconcile(ReconcileState),
}

/// The head of a stream: how far it goes, and what it folds into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The version of the last event.
    pub version: u64,
    /// The fold over all events.
    pub state: HeadState,
}

impl Head {
    /// What the stream waits for.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        match &self.state {
            HeadState::Image(state) => state.due.clone(),
            HeadState::Feed(_) | HeadState::Reconcile(_) => None,
        }
    }

    /// The state of an image, where it is one's.
    #[must_use]
    pub fn image(&self) -> Option<&ImageState> {
        match &self.state {
            HeadState::Image(state) => Some(state),
            _ => None,
        }
    }
}
