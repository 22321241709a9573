//! Any registry that speaks the Distribution protocol (OCI distribution-spec 1.1; distribution's HTTP API V2).

mod authorization;
mod blob;
mod challenge;
mod limit;
mod listing;
mod referrers;
mod selection;
mod settings;
#[cfg(feature = "testkit")]
pub mod testkit;
mod transport;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, MAX_MANIFEST_BYTES, MediaType, Page, PageToken, RawManifest, Referrer,
    RegistryIdentity, RepositoryName, Tag, Timestamp,
};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response};
use serde::Deserialize;

use crate::http::{Kept, expect_success, page_after, read_bounded};
use crate::verifier::verify_manifest;
use authorization::Scope;
use listing::read_all;
use transport::{Ask, Transport};

pub use authorization::MAX_TOKEN_BYTES;
pub use listing::{MAX_ENTRIES, MAX_PAGE_BYTES, MAX_PAGES};
pub use referrers::MAX_REFERRER_PAGES;
pub use selection::RepositorySelection;
pub use settings::{
    CredentialSource, Credentials, DistributionSettings, InvalidSettings, ProxySettings, Secret,
};
pub use transport::MAX_REDIRECTS;

/// How late `tags` may be: for so long a repository's tags are kept.
pub const TAG_AGE: Duration = Duration::from_secs(60);
/// For how long the pages of one listing come from one reading; its first page always reads anew.
const LISTING_AGE: Duration = Duration::from_secs(600);
/// How many tags of a repository are resolved at once, at most.
const RESOLVES_IN_FLIGHT: usize = 8;
const CONTENT_DIGEST: &str = "docker-content-digest";

/// A registry over HTTP.
///
/// Repositories are those that the settings select. Images are those that a tag leads to: the protocol has no
/// list of untagged ones. `tags` is at most [`TAG_AGE`] late; [`DistributionRegistry::forget_tags`] ends that.
#[derive(Debug)]
pub struct DistributionRegistry {
    settings: DistributionSettings,
    transport: Arc<Transport>,
    catalogue: Kept<(), Vec<RepositoryName>>,
    images: Kept<RepositoryName, Vec<ListedImage>>,
}

#[derive(Deserialize)]
struct CataloguePage {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TagsPage {
    tags: Option<Vec<String>>,
}

impl DistributionRegistry {
    /// A registry. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the settings cannot be used.
    pub fn new(settings: DistributionSettings) -> Result<Self, InvalidSettings> {
        let transport = Arc::new(Transport::new(&settings)?);
        Ok(Self { settings, transport, catalogue: Kept::new(), images: Kept::new() })
    }

    /// Drops what is known of a repository's tags, as when a push into it has been announced.
    pub fn forget_tags(&self, repository: &RepositoryName) {
        self.images.forget(repository);
    }

    async fn read_repositories(&self) -> Result<Vec<RepositoryName>, RegistryError> {
        let selection = &self.settings.repositories;
        let mut names: Vec<RepositoryName> = selection.names().cloned().collect();
        if selection.needs_catalogue() {
            let take = |page: CataloguePage| page.repositories.unwrap_or_default();
            let what = "the catalogue (where there is none, list the repositories by name)";
            let found = read_all(&self.transport, &Scope::Catalogue, "/v2/_catalog", what, take);
            names.extend(valid(&found.await?, "repository").filter(|name| selection.matches(name)));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn read_images(&self, repository: &RepositoryName) -> Result<Vec<ListedImage>, RegistryError> {
        let take = |page: TagsPage| page.tags.unwrap_or_default();
        let what = format!("the tags of {repository}");
        let path = format!("/v2/{repository}/tags/list");
        let scope = Scope::Pull(repository.clone());
        let tags = read_all(&self.transport, &scope, &path, &what, take).await?;
        let tags: Vec<Tag> = valid(&tags, "tag").collect();
        let resolved: Vec<(Digest, Tag)> = futures::stream::iter(tags)
            .map(|tag| async move {
                match self.resolve(repository, &tag).await {
                    Ok(digest) => Ok(Some((digest, tag))),
                    // It went between the two questions.
                    Err(RegistryError::NotFound(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(RESOLVES_IN_FLIGHT)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await?;
        let mut images: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
        for (digest, tag) in resolved {
            images.entry(digest).or_default().push(tag);
        }
        let listed = images.into_iter().map(|(digest, mut tags)| {
            tags.sort();
            ListedImage { digest, tags, pushed: None }
        });
        Ok(listed.collect())
    }

    async fn listed(
        &self,
        repository: &RepositoryName,
        age: Duration,
    ) -> Result<Arc<Vec<ListedImage>>, RegistryError> {
        self.images.younger_than(repository, age, self.read_images(repository)).await
    }

    /// A manifest by tag or digest, whatever it hashes to.
    async fn fetch_manifest(
        &self,
        repository: &RepositoryName,
        reference: &str,
    ) -> Result<RawManifest, RegistryError> {
        let ask = manifest_ask(Method::GET, repository, reference);
        let answer = self.transport.send(&ask).await?;
        let response = expect_success(answer.response, &ask.what).await?;
        let media_type = media_type(&response);
        let bytes = read_bounded(response, MAX_MANIFEST_BYTES).await?;
        drop(answer.permit);
        Ok(RawManifest { media_type, bytes })
    }
}

#[async_trait]
impl Registry for DistributionRegistry {
    fn identity(&self) -> RegistryIdentity {
        let name = self.settings.name.clone();
        RegistryIdentity { registry_id: name.to_string(), name, region: None }
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        let age = if after.is_some() { LISTING_AGE } else { Duration::ZERO };
        let names = self.catalogue.younger_than(&(), age, self.read_repositories()).await?;
        Ok(page_after(&names, RepositoryName::as_str, after.as_ref(), limit))
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        let age = if after.is_some() { LISTING_AGE } else { Duration::ZERO };
        let images = self.listed(repository, age).await?;
        Ok(page_after(&images, |image| image.digest.as_str(), after.as_ref(), limit))
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        let ask = manifest_ask(Method::HEAD, repository, tag.as_str());
        let answer = self.transport.send(&ask).await?;
        let status = answer.response.status();
        if status.is_success() {
            let header = answer.response.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
            if let Some(digest) = header.and_then(|text| text.parse().ok()) {
                return Ok(digest);
            }
        } else if matches!(status.as_u16(), 401 | 403 | 429 | 500..) {
            return Err(expect_success(answer.response, &ask.what)
                .await
                .map_or_else(|e| e, |_| unexpected(&ask)));
        }
        // A registry without HEAD, without the header, or with a "not found" that has to be heard in full.
        drop(answer);
        let manifest = self.fetch_manifest(repository, tag.as_str()).await?;
        Ok(Digest::of(&manifest.bytes))
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        let manifest = self.fetch_manifest(&image.repository, image.digest.as_str()).await?;
        verify_manifest(&image.digest, &manifest.bytes)?;
        Ok(manifest)
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        blob::open(Arc::clone(&self.transport), repository, blob).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        let ask = blob::ask(Method::HEAD, repository, blob);
        let answer = self.transport.send_direct(&ask).await?;
        // A redirect means that it is there, at a store whose signature is made for the one who asks.
        if !answer.response.status().is_redirection() {
            expect_success(answer.response, &ask.what).await?;
        }
        let uri = self.transport.address(&ask.path)?.to_string();
        let left = |expires: tokio::time::Instant| {
            Timestamp::from(SystemTime::now())
                .plus(expires.saturating_duration_since(tokio::time::Instant::now()))
        };
        let expires = answer.proof.as_ref().and_then(|proof| proof.expires).map(left);
        let header = |proof: authorization::Proof| {
            proof.header.to_str().map(|text| (AUTHORIZATION.to_string(), text.to_owned())).ok()
        };
        Ok(BlobLocation { uri, headers: answer.proof.and_then(header).into_iter().collect(), expires })
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        let images = self.listed(&image.repository, TAG_AGE).await?;
        let found = images.binary_search_by(|listed| listed.digest.cmp(&image.digest)).ok();
        Ok(found.and_then(|at| images.get(at)).map(|listed| listed.tags.clone()).unwrap_or_default())
    }

    /// What the registry lists; what a tag derived from the digest lists where it keeps no list.
    async fn referrers(&self, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
        match referrers::listed(&self.transport, image).await? {
            Some(listed) => Ok(listed),
            None => referrers::tagged(self, image).await,
        }
    }
}

fn manifest_ask(method: Method, repository: &RepositoryName, reference: &str) -> Ask {
    let accept = HeaderValue::try_from(MediaType::ACCEPTED.join(", "));
    Ask {
        method,
        path: format!("/v2/{repository}/manifests/{reference}"),
        scope: Scope::Pull(repository.clone()),
        headers: accept.into_iter().map(|value| (ACCEPT, value)).collect(),
        what: format!("manifest {reference} of {repository}"),
    }
}

fn media_type(response: &Response) -> Option<MediaType> {
    let text = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(MediaType(text.split(';').next().unwrap_or(text).trim().to_owned()))
}

fn unexpected(ask: &Ask) -> RegistryError {
    RegistryError::Transient(format!("{}: an answer that makes no sense", ask.what))
}

/// The names that keep to the grammar; the others cannot be asked for, and are told.
fn valid<'a, T: std::str::FromStr>(
    texts: impl IntoIterator<Item = &'a String> + 'a,
    what: &'static str,
) -> impl Iterator<Item = T> + 'a {
    texts.into_iter().filter_map(move |text| match text.parse() {
        Ok(name) => Some(name),
        Err(_) => {
            tracing::warn!(name = %text, "the registry lists a {what} whose name cannot be asked for");
            None
        }
    })
}
