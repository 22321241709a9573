//! Lets Clair read the layers of an image: parents first, each from an address that was asked for right before.
//!
//! A layer that Clair cannot read is left out, and the next one stands on the one below; what is left out is noted beside
//! the image (see [`crate::clair::v2::chain`]). So an image always ends with an answer, and the answer always tells what
//! is missing; nothing of it has to be remembered here. Such an image stays as it is until its layer
//! `<image>.image` is deleted at Clair, or the edition changes: a layer that Clair could not read yesterday is the same
//! bytes today.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{BlobLocation, IndexRequest, Registry, RegistryError, ScannerError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, RepositoryName};

use super::ClairV2Scanner;
use super::refusal::{Refusal, failed, refusal, transient};
use crate::clair::v2::chain::{ImageName, Unread, chain, layer_name, notes};
use crate::clair::v2::client::Source;

/// How often a layer is posted that Clair could not fetch or not read to its end, each time with a fresh address.
pub const POSTS_MAX: u32 = 2;
/// How often a chain is begun anew because a layer of it was deleted meanwhile.
pub const CHAINS_MAX: u32 = 3;
/// How often Clair is asked for a layer that it works on.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// Why a chain was not posted to its end.
enum Stop {
    ParentUnknown,
    Failed(ScannerError),
}

impl From<ScannerError> for Stop {
    fn from(error: ScannerError) -> Self {
        Self::Failed(error)
    }
}

pub(super) async fn index(scanner: &ClairV2Scanner, request: &IndexRequest) -> Result<(), ScannerError> {
    let IndexRequest { image, manifest, .. } = request;
    let registry = scanner.registries.get(&image.registry).ok_or_else(|| {
        ScannerError::Permanent(format!("no registry named `{}` is configured", image.registry))
    })?;
    let (edition, repository) = (scanner.edition(), &image.repository);
    let name = ImageName::of(edition, &image.digest);
    if scanner.client.layer(&name.to_string()).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    let ids = chain(edition, manifest.layers.iter().map(|layer| &layer.digest));
    for _ in 0..CHAINS_MAX {
        let mut posting =
            Posting { scanner, registry, repository, parent: None, unread: vec![], places: vec![] };
        let mut posted = Ok(());
        for (place, (layer, id)) in manifest.layers.iter().zip(&ids).enumerate() {
            let name = layer_name(*id, &layer.digest, &posting.places);
            posted = posting.step(place, layer, name).await;
            if posted.is_err() {
                break;
            }
        }
        if posted.is_ok() {
            posted = posting.conclude(&name).await;
        }
        match posted {
            Ok(()) => return Ok(()),
            Err(Stop::ParentUnknown) => {}
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    Err(transient(format!("layers of {image} vanished at Clair as often as they were posted")))
}

/// A chain that is being posted.
struct Posting<'a> {
    scanner: &'a ClairV2Scanner,
    registry: &'a Arc<dyn Registry>,
    repository: &'a RepositoryName,
    /// The layer that the next one stands on.
    parent: Option<String>,
    /// The layers that were left out, and their places in the image.
    unread: Vec<(Digest, Unread)>,
    places: Vec<usize>,
}

impl Posting<'_> {
    async fn step(&mut self, place: usize, layer: &Descriptor, name: String) -> Result<(), Stop> {
        match self.post(layer, &name).await? {
            None => self.parent = Some(name),
            Some(why) => {
                self.unread.push((layer.digest.clone(), why));
                self.places.push(place);
            }
        }
        Ok(())
    }

    /// Notes what was left out, and says that the image is complete.
    async fn conclude(mut self, image: &ImageName) -> Result<(), Stop> {
        let notes = notes(&self.unread);
        let names = notes.iter().map(|note| image.note(note)).chain([image.to_string()]);
        for name in names {
            let posted =
                self.scanner.client.post_layer(&name, self.parent.as_deref(), &Source::nothing()).await;
            match posted.map_err(refusal) {
                Ok(engine) => self.scanner.saw(engine),
                Err(Refusal::ParentUnknown) => return Err(Stop::ParentUnknown),
                Err(Refusal::StillWorking) => self.wait_for(&name).await?,
                Err(Refusal::Failed(error)) => return Err(error.into()),
                Err(Refusal::NotFetched | Refusal::Unread(_)) => {
                    let why = "Clair cannot open /dev/null as an empty layer, which it does on every Linux";
                    return Err(ScannerError::Permanent(why.to_owned()).into());
                }
            }
            self.parent = Some(name);
        }
        Ok(())
    }

    /// Posts one layer. None: it is stored.
    async fn post(&self, layer: &Descriptor, name: &str) -> Result<Option<Unread>, Stop> {
        if layer.media_type.0.contains("zstd") {
            return Ok(Some(Unread::Zstd));
        }
        let mut post = 1;
        loop {
            let location = match self.registry.location(self.repository, layer).await {
                Ok(location) => location,
                Err(error) => return self.missing(layer, &error),
            };
            let posted =
                self.scanner.client.post_layer(name, self.parent.as_deref(), &source(&location)?).await;
            match posted.map_err(refusal) {
                Ok(engine) => {
                    self.scanner.saw(engine);
                    return Ok(None);
                }
                Err(Refusal::NotFetched | Refusal::Unread(Unread::Archive)) if post < POSTS_MAX => post += 1,
                Err(Refusal::NotFetched) => return self.unfetched(layer).await,
                Err(Refusal::Unread(why)) => return Ok(Some(why)),
                Err(Refusal::ParentUnknown) => return Err(Stop::ParentUnknown),
                Err(Refusal::StillWorking) => {
                    self.wait_for(name).await?;
                    return Ok(None);
                }
                Err(Refusal::Failed(error)) => return Err(error.into()),
            }
        }
    }

    /// Clair says alike of everything that it could not fetch it; the registry tells why.
    async fn unfetched(&self, layer: &Descriptor) -> Result<Option<Unread>, Stop> {
        match self.registry.blob(self.repository, layer).await {
            Err(error) => self.missing(layer, &error),
            Ok(_) => Err(Stop::Failed(transient(format!(
                "Clair could not fetch layer {}, which the registry serves to others: it must reach the registry at the \
                 same address, and trust its certificate",
                layer.digest
            )))),
        }
    }

    fn missing(&self, layer: &Descriptor, error: &RegistryError) -> Result<Option<Unread>, Stop> {
        let detail = error.to_string();
        Err(Stop::Failed(match error {
            // Registries do not hold such layers, by their licence: the look at the image is not complete without.
            RegistryError::NotFound(_) if is_foreign(layer) => return Ok(Some(Unread::Absent)),
            RegistryError::NotFound(_) | RegistryError::Archived(_) => ScannerError::Gone(detail),
            RegistryError::Denied(_) => ScannerError::Denied(detail),
            RegistryError::Throttled { retry_after, .. } => {
                ScannerError::Transient { retry_after: *retry_after, detail }
            }
            RegistryError::Transient(_) => transient(detail),
            RegistryError::Corrupt(_) => ScannerError::Corrupt(detail),
            RegistryError::Unsupported(_) => ScannerError::Permanent(detail),
        }))
    }

    /// Waits for a layer on which Clair goes on working after it has given up answering.
    async fn wait_for(&self, name: &str) -> Result<(), ScannerError> {
        let ClairV2Scanner { client, clock, .. } = self.scanner;
        let until = clock.now().plus(client.index_timeout());
        loop {
            if client.layer(name).await.map_err(failed)?.is_some() {
                return Ok(());
            }
            if clock.now() >= until {
                let seconds = client.index_timeout().as_secs();
                return Err(transient(format!(
                    "Clair has been reading layer {name} for more than {seconds} s"
                )));
            }
            clock.sleep_until(clock.now().plus(POLL_EVERY)).await;
        }
    }
}

fn is_foreign(layer: &Descriptor) -> bool {
    layer.media_type.0.contains(".nondistributable.") || layer.media_type.0.contains(".foreign.")
}

/// A path that is no address would be opened as a file on Clair's own machine.
fn source(location: &BlobLocation) -> Result<Source<'_>, ScannerError> {
    if !location.uri.starts_with("http://") && !location.uri.starts_with("https://") {
        let why = "Clair v2 fetches layers over HTTP, and this registry has no address for them";
        return Err(ScannerError::Permanent(why.to_owned()));
    }
    let headers = location.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(Source { address: &location.uri, headers })
}
