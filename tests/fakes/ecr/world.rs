//! What a fake ECR holds: registries by account and region, blobs, roles, and what was planned to go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::events::Event;
use super::layout::{Pushed, described};

/// What the passwords begin with that authorization tokens hold.
pub const PASSWORDS: &str = "ecr-password-";
/// The life of an authorization token, in seconds, as ECR's is.
const TOKEN_SECONDS: i64 = 12 * 3600;

/// A repository of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The repository.
    pub repository: String,
}

impl Place {
    /// A repository of an account in a region.
    #[must_use]
    pub fn new(account: &str, region: &str, repository: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), repository: repository.to_owned() }
    }
}

/// The storage class of an image, as `imageStatus` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be pulled.
    Active,
    /// It is kept, and cannot be pulled.
    Archived,
    /// It is on its way back.
    Activating,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
            Self::Activating => "ACTIVATING",
        }
    }
}

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with this code.
    Error(u16, String),
    /// BatchGetImage alone: success, with this code among the failures.
    Failure(String),
    /// A layer alone: the connection ends after so many bytes.
    CutAfter(usize),
}

impl Fault {
    /// As ECR asks to slow down.
    #[must_use]
    pub fn throttled() -> Self {
        Self::Error(400, "ThrottlingException".to_owned())
    }
}

#[derive(Debug)]
pub(super) struct Image {
    pub(super) manifest: Bytes,
    pub(super) media_type: String,
    pub(super) artifact_type: Option<String>,
    pub(super) pushed: i64,
    pub(super) status: Status,
    /// Config and layers.
    pub(super) blobs: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) images: BTreeMap<String, Image>,
    pub(super) tags: BTreeMap<String, String>,
}

impl Repository {
    pub(super) fn tags_of(&self, digest: &str) -> Vec<&str> {
        self.tags.iter().filter(|(_, to)| *to == digest).map(|(tag, _)| tag.as_str()).collect()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) account: String,
    pub(super) expires: i64,
}

/// Everything. Its methods are what a test, or the control addresses, may do to it.
#[derive(Debug, Default)]
pub struct World {
    pub(super) repositories: BTreeMap<Place, Repository>,
    pub(super) blobs: BTreeMap<String, Bytes>,
    pub(super) roles: BTreeMap<String, Option<String>>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) denied: BTreeSet<String>,
    pub(super) altered: BTreeSet<String>,
    pub(super) tokens: BTreeMap<String, Session>,
    pub(super) url_generation: u64,
    pub(super) token_seconds: Option<i64>,
    pub(super) archived_code: Option<String>,
    faults: Vec<(String, usize, Fault)>,
    calls: BTreeMap<String, u64>,
    layer_bytes: u64,
    advanced: i64,
    serial: u64,
}

impl World {
    /// Creates a repository, where there is none.
    pub fn create_repository(&mut self, place: &Place) {
        self.repositories.entry(place.clone()).or_default();
    }

    /// A role that may be assumed, with the external id that it demands.
    pub fn add_role(&mut self, arn: &str, external_id: Option<&str>) {
        self.roles.insert(arn.to_owned(), external_id.map(str::to_owned));
    }

    /// Pushes what was read out of a layout, children first. The digest of the last, and the events in order.
    pub fn push(&mut self, place: &Place, tag: Option<&str>, pushed: &Pushed) -> (String, Vec<Value>) {
        self.blobs.extend(pushed.blobs.iter().map(|bytes| (digest_of(bytes), bytes.clone())));
        let mut events = vec![];
        let mut last = String::new();
        for (at, manifest) in pushed.manifests.iter().enumerate() {
            let tag = tag.filter(|_| at + 1 == pushed.manifests.len());
            let (media_type, artifact_type, blobs) = described(manifest);
            last = digest_of(manifest);
            let pushed = self.now();
            let image = Image {
                manifest: manifest.clone(),
                media_type,
                artifact_type,
                pushed,
                status: Status::Active,
                blobs,
            };
            let repository = self.repositories.entry(place.clone()).or_default();
            repository.images.insert(last.clone(), image);
            if let Some(tag) = tag {
                repository.tags.insert(tag.to_owned(), last.clone());
            }
            events.push(self.event(place, &last, &Event::Push { tag }));
        }
        (last, events)
    }

    /// Lets an image be listed that has no manifest: for listings alone, of any number of images.
    pub fn list(&mut self, place: &Place, digest: &str) {
        let image = Image {
            manifest: Bytes::new(),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            artifact_type: None,
            pushed: self.now(),
            status: Status::Active,
            blobs: BTreeSet::new(),
        };
        self.repositories.entry(place.clone()).or_default().images.insert(digest.to_owned(), image);
    }

    /// Lets a tag lead to an image that is there.
    pub fn tag(&mut self, place: &Place, tag: &str, digest: &str) {
        if let Some(repository) = self.repositories.get_mut(place) {
            repository.tags.insert(tag.to_owned(), digest.to_owned());
        }
    }

    /// Deletes an image with its tags. One event, as for a deletion by digest.
    pub fn delete(&mut self, place: &Place, digest: &str) -> Value {
        let event = self.event(place, digest, &Event::Delete);
        if let Some(repository) = self.repositories.get_mut(place) {
            repository.images.remove(digest);
            repository.tags.retain(|_, to| to != digest);
        }
        event
    }

    /// Moves an image between storage classes.
    pub fn set_status(&mut self, place: &Place, digest: &str, status: Status) -> Value {
        let image = self.repositories.get_mut(place).and_then(|found| found.images.get_mut(digest));
        if let Some(image) = image {
            image.status = status;
        }
        self.event(place, digest, &Event::StorageClass(status))
    }

    /// Denies everything to everyone in an account, or no longer.
    pub fn deny(&mut self, account: &str, denied: bool) {
        if denied {
            self.denied.insert(account.to_owned());
        } else {
            self.denied.remove(account);
        }
    }

    /// The next calls of an operation (`GetLayer` for a pre-signed address, `GetBlob` for the registry's) fail.
    pub fn fail(&mut self, operation: &str, times: usize, fault: Fault) {
        self.faults.push((operation.to_owned(), times, fault));
    }

    /// Pre-signed addresses that were given so far do not work any more.
    pub fn expire_urls(&mut self) {
        self.url_generation += 1;
    }

    /// Lets time pass, in seconds.
    pub fn advance(&mut self, seconds: i64) {
        self.advanced += seconds;
    }

    /// The bytes of this manifest or layer are served damaged, of the same length.
    pub fn damage(&mut self, digest: &str) {
        self.altered.insert(digest.to_owned());
    }

    /// A layer or config is lost; its image is still there.
    pub fn lose(&mut self, digest: &str) {
        self.blobs.remove(digest);
    }

    /// How long tokens live, in seconds: not at all where it is negative.
    pub fn set_token_seconds(&mut self, seconds: i64) {
        self.token_seconds = Some(seconds);
    }

    /// With which failure code BatchGetImage answers for an archived image; `ImageNotFound` if nobody says.
    pub fn set_archived_code(&mut self, code: &str) {
        self.archived_code = Some(code.to_owned());
    }

    /// The calls so far by operation.
    #[must_use]
    pub fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    /// How often an operation was called so far.
    #[must_use]
    pub fn called(&self, operation: &str) -> u64 {
        self.calls.get(operation).copied().unwrap_or_default()
    }

    /// How many bytes of layers and configs were served so far.
    #[must_use]
    pub fn layer_bytes(&self) -> u64 {
        self.layer_bytes
    }

    pub(super) fn served(&mut self, bytes: usize) {
        self.layer_bytes += bytes as u64;
    }

    /// Notes a call, and what goes wrong with it.
    pub(super) fn note(&mut self, operation: &str) -> Option<Fault> {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let planned = self.faults.iter_mut().find(|(of, times, _)| of == operation && *times > 0)?;
        planned.1 -= 1;
        Some(planned.2.clone())
    }

    /// The time here, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_secs()).unwrap_or_default() + self.advanced
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A token for an account, and when it expires.
    pub(super) fn issue_token(&mut self, account: &str) -> (String, i64) {
        let token = format!("{PASSWORDS}{}", self.next_serial());
        let expires = self.now() + self.token_seconds.unwrap_or(TOKEN_SECONDS);
        self.tokens.insert(token.clone(), Session { account: account.to_owned(), expires });
        (token, expires)
    }

    fn event(&mut self, place: &Place, digest: &str, event: &Event<'_>) -> Value {
        let serial = self.next_serial();
        let image = self.repositories.get(place).and_then(|repository| repository.images.get(digest));
        let types = image.map(|image| (image.media_type.as_str(), image.artifact_type.as_deref()));
        event.envelope(place, digest, types, self.now(), serial)
    }

    /// The bytes of a blob or manifest, as they are served.
    pub(super) fn bytes_as_served(&self, digest: &str, bytes: &Bytes) -> Bytes {
        if !self.altered.contains(digest) {
            return bytes.clone();
        }
        let mut altered = bytes.to_vec();
        match altered.last_mut() {
            Some(last @ b'}') => *last = b' ',
            Some(last) => *last ^= 1,
            None => {}
        }
        altered.into()
    }
}

/// The digest of bytes, as registries write it.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error in the words of AWS JSON 1.1.
pub(super) fn refusal(code: &str, message: &str) -> Value {
    json!({ "__type": code, "message": message })
}
