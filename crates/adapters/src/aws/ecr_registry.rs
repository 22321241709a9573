//! A registry on ECR: one account in one region.

mod api;
mod budget;
mod error;
mod layers;
mod listed;
mod settings;
mod tags;
mod token;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::types::{ImageDetail, ImageIdentifier};
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
    Timestamp,
};
use time::PrimitiveDateTime;
use url::Url;

use crate::http::outbound::Outbound;
use crate::http::{Kept, page_after};
use crate::verifier::verify_manifest;
use api::Api;
use layers::Layers;
use listed::Listed;
use tags::Tags;
use token::Tokens;

pub use api::MAX_IDS;
pub use settings::{EcrBudget, EcrName, EcrSettings, InvalidSettings, LayerSource};

/// For how long the pages of the repositories come from one reading; the first page always reads anew.
const LISTING_AGE: Duration = Duration::from_secs(600);
/// How long a pre-signed address works if it does not say (CLI reference, get-download-url-for-layer).
const PRESIGNED_LIFE: Duration = Duration::from_secs(3600);
const NO_NAME: &str =
    "its name is not `ACCOUNT.dkr.ecr.REGION.amazonaws.com`: write that of the account and region";

/// A registry on ECR. Clones share everything: connections, budgets, the token.
///
/// * Repositories are read whole and sorted: ECR promises no order. Their pages outlive a restart.
/// * Images are listed page by page, untagged and archived ones too; nothing of a repository is kept. Their pages live as
///   long as ECR's own tokens.
/// * Tags are those of the moment.
/// * A manifest or layer of an archived image is `Archived`; ECR says "not found", so its status is asked for besides. One
///   that is being restored is `Transient`.
/// * Calls are made within [`EcrBudget`]; who comes when it is spent waits. Retries of throttled calls are the SDK's, as
///   its configuration says.
#[derive(Debug, Clone)]
pub struct EcrRegistry {
    identity: RegistryIdentity,
    api: Arc<Api>,
    layers: Arc<Layers>,
    repositories: Arc<Kept<(), Vec<RepositoryName>>>,
    tags: Arc<Tags>,
}

impl EcrRegistry {
    /// A registry; account and region are those of its name, credentials and endpoint those of `config`. Nothing is sent
    /// yet. Layers over plain HTTP are followed only where the API or the registry's endpoint is plain HTTP itself, as
    /// those of emulators are.
    ///
    /// # Errors
    /// Where the settings cannot be used.
    pub fn new(config: &SdkConfig, settings: EcrSettings) -> Result<Self, InvalidSettings> {
        let endpoint = endpoint(&settings);
        let EcrSettings { name, layers, budget, proxy, ca_file, allow_private, .. } = settings;
        let fail = |reason: String| InvalidSettings { registry: name.to_string(), reason };
        let EcrName { account, region } = EcrName::read(&name).ok_or_else(|| fail(NO_NAME.to_owned()))?;
        let ecr = aws_sdk_ecr::config::Builder::from(config).region(Region::new(region.clone())).build();
        let ecr = aws_sdk_ecr::Client::from_conf(ecr);
        let endpoint = endpoint.map_err(fail)?;
        let emulator = config.endpoint_url().and_then(|url| Url::parse(url).ok());
        let insecure = emulator.iter().chain([&endpoint]).any(|url| url.scheme() == "http");
        // Whoever says where the API is speaks for where it leads: an emulator's store is on the same machine.
        let allow_private = allow_private || emulator.is_some();
        let api = Arc::new(Api::new(ecr.clone(), account.clone(), budget));
        let layers = Layers {
            api: Arc::clone(&api),
            outbound: Outbound::new(&proxy, ca_file.as_deref(), insecure, allow_private).map_err(fail)?,
            source: layers,
            endpoint,
            tokens: Tokens::new(ecr),
        };
        let identity = RegistryIdentity { name, registry_id: account, region: Some(region) };
        let (repositories, tags) = (Arc::new(Kept::new()), Arc::new(Tags::default()));
        Ok(Self { identity, api, layers: Arc::new(layers), repositories, tags })
    }

    async fn read_repositories(&self) -> Result<Vec<RepositoryName>, RegistryError> {
        let (mut listed, mut after) = (Listed::default(), None);
        loop {
            let (page, next) = self.api.repositories(after).await?;
            listed.take(&page)?;
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(listed.sorted())
    }
}

#[async_trait]
impl Registry for EcrRegistry {
    fn identity(&self) -> RegistryIdentity {
        self.identity.clone()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        let age = if after.is_some() { LISTING_AGE } else { Duration::ZERO };
        let names = self.repositories.younger_than(&(), age, self.read_repositories()).await?;
        Ok(page_after(&names, RepositoryName::as_str, after.as_ref(), limit))
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        let (details, next) = self.api.images(repository, after.map(|token| token.0), limit).await?;
        Ok(Page { items: details.iter().filter_map(listed).collect(), next: next.map(PageToken) })
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        let id = ImageIdentifier::builder().image_tag(tag.as_str()).build();
        let what = format!("tag {tag} of {repository}");
        let found = self.api.describe(repository, vec![id], &what).await?;
        let digest = found.first().and_then(ImageDetail::image_digest).and_then(|text| text.parse().ok());
        digest.ok_or_else(|| RegistryError::Transient(format!("{what}: ECR shows no digest for it")))
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        let manifest = self.api.manifest(image).await?;
        verify_manifest(&image.digest, &manifest.bytes)?;
        Ok(manifest)
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        layers::open(Arc::clone(&self.layers), repository, blob).await
    }

    /// Always pre-signed, whatever the layers' source: whoever fetches it needs no credentials.
    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        let asked = SystemTime::now();
        let what = format!("blob {} of {repository}", blob.digest);
        let url = self.api.layer_url(repository, &blob.digest, &what).await?;
        // A scanner elsewhere is not sent where we would not go ourselves.
        self.layers.client_for(&url, &what)?;
        let expires = signed_until(&url).unwrap_or(asked + PRESIGNED_LIFE);
        Ok(BlobLocation { uri: url.into(), headers: vec![], expires: Some(Timestamp::from(expires)) })
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.tags.of(&self.api, &image.repository, &image.digest).await
    }
}

/// Where the registry's own protocol is spoken, with a slash at the end.
fn endpoint(settings: &EcrSettings) -> Result<Url, String> {
    let mut url = match &settings.registry_endpoint {
        Some(url) => url.clone(),
        None => Url::parse(&format!("https://{}/", settings.name)).map_err(|e| e.to_string())?,
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("its registry endpoint is no address of the web: write https://HOST".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "its registry endpoint carries credentials, which ECR does not take: leave them out".to_owned()
        );
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn listed(detail: &ImageDetail) -> Option<ListedImage> {
    let digest: Digest = read_name(detail.image_digest()?, "image")?;
    let pushed = detail.image_pushed_at().and_then(|at| SystemTime::try_from(*at).ok()).map(Timestamp::from);
    Some(ListedImage { digest, tags: read_tags(detail), pushed })
}

fn read_tags(detail: &ImageDetail) -> Vec<Tag> {
    let mut tags: Vec<Tag> = detail.image_tags().iter().filter_map(|tag| read_name(tag, "tag")).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// A name that keeps to the grammar; the others cannot be asked for, and are told.
fn read_name<T: std::str::FromStr>(text: &str, what: &'static str) -> Option<T> {
    let read = text.parse().ok();
    if read.is_none() {
        tracing::warn!(name = %text, "ECR lists a {what} whose name cannot be asked for");
    }
    read
}

/// When a pre-signed address ends (Signature Version 4, query parameters).
fn signed_until(url: &Url) -> Option<SystemTime> {
    let field =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let form = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = PrimitiveDateTime::parse(&field("X-Amz-Date")?, form).ok()?.assume_utc();
    let life = Duration::from_secs(field("X-Amz-Expires")?.parse().ok()?);
    SystemTime::from(signed).checked_add(life)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pre_signed_address_tells_its_end() {
        let url = |text: &str| Url::parse(text).unwrap();
        let signed =
            url("https://s.example/l?X-Amz-Date=20130524T000000Z&X-Amz-Expires=3600&X-Amz-Signature=s");
        let end = signed_until(&signed).map(|end| Timestamp::from(end).to_string());
        assert_eq!(end.as_deref(), Some("2013-05-24T01:00:00.000Z"));
        for bad in ["https://s.example/l", "https://s.example/l?X-Amz-Date=now&X-Amz-Expires=1"] {
            assert_eq!(signed_until(&url(bad)), None, "{bad}");
        }
    }

    fn made(name: &str, at: Option<&str>) -> Result<String, String> {
        let mut settings = EcrSettings::new(name.parse().unwrap());
        settings.registry_endpoint = at.map(|text| text.parse().unwrap());
        let config = SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let made = EcrRegistry::new(&config, settings).map_err(|e| e.to_string())?;
        Ok(made.layers.endpoint.to_string())
    }

    #[tokio::test]
    async fn layers_come_from_private_addresses_only_where_allowed_or_the_api_s_own_address_is_given() {
        for (allow_private, api, expected) in
            [(false, None, false), (true, None, true), (false, Some("https://ecr.corp"), true)]
        {
            let mut settings =
                EcrSettings::new("123456789012.dkr.ecr.eu-west-1.amazonaws.com".parse().unwrap());
            settings.allow_private = allow_private;
            let mut config = SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest());
            config.set_endpoint_url(api.map(str::to_owned));
            let registry = EcrRegistry::new(&config.build(), settings).unwrap();
            let reached = |url: &str| registry.layers.client_for(&url.parse().unwrap(), "a layer").map(drop);
            assert_eq!(reached("https://10.1.2.3/layer?X-Amz-Signature=s").is_ok(), expected);
            assert_eq!(reached("https://store.s3.eu-west-1.amazonaws.com/layer"), Ok(()));
            let refused = reached("https://169.254.169.254/?X-Amz-Signature=s").unwrap_err();
            assert!(matches!(&refused, RegistryError::Denied(why) if !why.contains("X-Amz")), "{refused}");
        }
    }

    #[tokio::test]
    async fn settings_that_cannot_be_used_are_named() {
        let name = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(made(name, None).as_deref(), Ok("https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/"));
        assert_eq!(made(name, Some("http://h:1/a")).as_deref(), Ok("http://h:1/a/"));
        for (name, at, expected) in [
            ("ghcr.io", None, "ACCOUNT.dkr.ecr.REGION"),
            (name, Some("ftp://h"), "no address of the web"),
            (name, Some("https://u:p@h"), "carries credentials"),
        ] {
            let error = made(name, at).unwrap_err();
            assert!(error.contains(expected) && !error.contains("u:p"), "{error}");
        }
    }
}
