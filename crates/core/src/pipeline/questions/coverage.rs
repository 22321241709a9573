//! Coverage: each image that a registry has now, and where it stands.

use super::{QuestionError, index_children};
use crate::pipeline::Ports;
use crate::ports::{ListedImage, Registry, RegistryError, StoreError};
use crate::scan::{AbandonReason, Due, HeadState, ImageState, Resolved, StreamId};
use crate::vocabulary::{
    ArtifactKind, ImageId, Lane, Level, PageToken, RegistryName, RepositoryName, Tag, Timestamp, Verdict,
};

const PAGE: usize = 200;

/// Where an image stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its last report is true.
    Current {
        /// The verdict.
        verdict: Verdict,
        /// The completeness.
        level: Level,
        /// Every change up to then is in it.
        verified_up_to: Timestamp,
    },
    /// It has been requested, and the answer is not delivered yet.
    Open,
    /// It waits.
    Waiting(Due),
    /// Nobody ever asked: its push event was lost, or came before we watched.
    NeverRequested,
    /// Given up.
    Abandoned(AbandonReason),
    /// Not an image.
    NotAnImage(ArtifactKind),
    /// An index.
    Index {
        /// How many images it names.
        children: u32,
        /// How many of them are not current.
        incomplete: u32,
        /// The worst verdict among those that are.
        worst: Option<Verdict>,
    },
    /// We took it for deleted, and it is listed: the next reconcile revives it.
    Deleted,
}

/// An image and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// The image.
    pub image: ImageId,
    /// Its tags in the listing.
    pub tags: Vec<Tag>,
    /// Where it stands.
    pub standing: Standing,
}

/// The whole of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The registry.
    pub registry: RegistryName,
    /// When its listing began.
    pub listed_at: Timestamp,
    /// Why it could not be listed to its end: then what is not counted is unknown, never covered.
    pub unlisted: Option<RegistryError>,
    /// Images listed, in scope.
    pub listed: u64,
    /// Current ones, complete indexes and things that are no images.
    pub covered: u64,
    /// Requested, not answered.
    pub open: u64,
    /// Waiting.
    pub waiting: u64,
    /// Never requested.
    pub never_requested: u64,
    /// Given up.
    pub abandoned: u64,
    /// Requests in the queue, of all registries: what they ask is not in any count yet.
    pub queued: u64,
    /// Up to when the feed has been followed.
    pub feed_position: Option<Timestamp>,
}

/// Lists a registry and says of each image in scope where it stands.
///
/// # Errors
/// Where our own store cannot be read. A registry that cannot be listed is an answer, not an error.
pub async fn coverage(
    ports: &Ports,
    name: &RegistryName,
    tell: &mut (dyn FnMut(CoverageRow) + Send),
) -> Result<Coverage, QuestionError> {
    let registry =
        ports.registries.get(name).ok_or_else(|| QuestionError::UnknownRegistry(name.to_string()))?;
    let mut whole = Coverage {
        registry: name.clone(),
        listed_at: ports.clock.now(),
        unlisted: None,
        listed: 0,
        covered: 0,
        open: 0,
        waiting: 0,
        never_requested: 0,
        abandoned: 0,
        queued: queued(ports).await?,
        feed_position: feed_position(ports).await?,
    };
    let mut after = None;
    loop {
        let page = match registry.repositories(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                whole.unlisted = Some(error);
                return Ok(whole);
            }
        };
        for repository in
            page.items.iter().filter(|repository| ports.scope.admits_repository(name, repository))
        {
            if let Err(error) = cover(ports, registry.as_ref(), repository, &mut whole, tell).await? {
                whole.unlisted = Some(error);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(whole);
        }
    }
}

async fn cover(
    ports: &Ports,
    registry: &dyn Registry,
    repository: &RepositoryName,
    whole: &mut Coverage,
    tell: &mut (dyn FnMut(CoverageRow) + Send),
) -> Result<Result<(), RegistryError>, QuestionError> {
    let mut after: Option<PageToken> = None;
    loop {
        let page = match registry.images(repository, after, PAGE).await {
            Ok(page) => page,
            Err(RegistryError::NotFound(_)) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        for ListedImage { digest, tags, pushed } in page.items {
            let image = ImageId { registry: whole.registry.clone(), repository: repository.clone(), digest };
            if !ports.scope.admits(&image, &tags) || !ports.scope.admits_age(pushed, whole.listed_at) {
                continue;
            }
            let standing = standing_of(ports, &image, whole.feed_position).await?;
            whole.listed += 1;
            *match &standing {
                Standing::Current { .. }
                | Standing::NotAnImage(_)
                | Standing::Index { incomplete: 0, .. } => &mut whole.covered,
                Standing::Open | Standing::Index { .. } => &mut whole.open,
                Standing::Waiting(_) => &mut whole.waiting,
                Standing::NeverRequested | Standing::Deleted => &mut whole.never_requested,
                Standing::Abandoned(_) => &mut whole.abandoned,
            } += 1;
            tell(CoverageRow { image, tags, standing });
        }
        after = page.next;
        if after.is_none() {
            return Ok(Ok(()));
        }
    }
}

async fn queued(ports: &Ports) -> Result<u64, QuestionError> {
    let mut queued = 0;
    for lane in Lane::ALL {
        let depth = ports.queue.depth(lane).await?;
        queued += depth.ready + depth.leased;
    }
    Ok(queued)
}

async fn feed_position(ports: &Ports) -> Result<Option<Timestamp>, StoreError> {
    let Some(feed) = &ports.feed else { return Ok(None) };
    Ok(ports.store.head(&StreamId::feed(feed)).await?.and_then(|head| match head.state {
        HeadState::Feed(state) => state.moved,
        _ => None,
    }))
}

async fn head_of(ports: &Ports, image: &ImageId) -> Result<Option<ImageState>, StoreError> {
    Ok(ports.store.head(&StreamId::image(image)).await?.and_then(|head| head.image().cloned()))
}

/// Where an image stands; an index by its children.
///
/// # Errors
/// Where our own store cannot be read.
pub async fn standing_of(
    ports: &Ports,
    image: &ImageId,
    feed_position: Option<Timestamp>,
) -> Result<Standing, QuestionError> {
    let sinks = ports.policy().sinks;
    let Some(state) = head_of(ports, image).await? else { return Ok(Standing::NeverRequested) };
    if !matches!(state.resolved, Some(Resolved::Index(_))) || state.open.is_some() || state.deleted {
        return Ok(standing(&state, &sinks, feed_position));
    }
    let (mut children, mut incomplete, mut worst) = (0, 0, None);
    for digest in index_children(ports, image).await?.unwrap_or_default() {
        let child = head_of(ports, &image.sibling(digest)).await?;
        children += 1;
        match child.map(|child| standing(&child, &sinks, feed_position)) {
            Some(Standing::Current { verdict, .. }) => worst = worst.max(Some(verdict)),
            Some(Standing::NotAnImage(_) | Standing::Abandoned(AbandonReason::OutOfScope)) => {}
            _ => incomplete += 1,
        }
    }
    Ok(Standing::Index { children, incomplete, worst })
}

fn standing(state: &ImageState, sinks: &[String], feed_position: Option<Timestamp>) -> Standing {
    if state.deleted {
        return Standing::Deleted;
    }
    if let Some(reason) = state.abandoned {
        return Standing::Abandoned(reason);
    }
    if let Some(due) = &state.due {
        return Standing::Waiting(due.clone());
    }
    match (&state.resolved, &state.last_report) {
        (Some(Resolved::Artifact(kind)), _) if state.open.is_none() => Standing::NotAnImage(*kind),
        (Some(Resolved::Image(_)), Some(last)) if state.is_current(sinks) => {
            let assessed = state.assessed.unwrap_or(last.started);
            // A change that the feed has followed may still lie in the queue: no later than either is vouched for.
            let verified_up_to = feed_position.map_or(assessed, |position| position.min(assessed));
            Standing::Current { verdict: last.verdict, level: last.level, verified_up_to }
        }
        (Some(Resolved::Index(children)), _) => {
            Standing::Index { children: *children, incomplete: *children, worst: None }
        }
        _ => Standing::Open,
    }
}
