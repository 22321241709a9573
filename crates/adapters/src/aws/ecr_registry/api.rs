//! The calls of the ECR API that a registry needs, each within its budget.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageFailure, ImageIdentifier, ImageStatus, ImageStatusFilter,
    LayerAvailability,
};
use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::{
    Digest, ImageId, MAX_MANIFEST_BYTES, MediaType, RawManifest, RepositoryName,
};
use url::Url;

use super::budget::Budget;
use super::error::{failed, translate};
use super::settings::EcrBudget;
use crate::aws::quiet::Quiet;

/// The most entries that a page is asked for (ECR API reference, `maxResults`).
const MAX_PAGE: usize = 1000;
/// The most images that a call names (ECR API reference, `imageIds` of `DescribeImages`).
pub const MAX_IDS: usize = 100;

/// The API for one account in one region.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) client: Quiet<Client>,
    account: String,
    lists: Budget,
    manifests: Budget,
    layers: Budget,
}

/// A page: the entries, and the token of the next.
pub(super) type Entries<T> = (Vec<T>, Option<String>);

impl Api {
    pub(super) fn new(client: Client, account: String, budget: EcrBudget) -> Self {
        Self {
            client: Quiet(client),
            account,
            lists: Budget::new(budget.lists_per_second),
            manifests: Budget::new(budget.manifests_per_second),
            layers: Budget::new(budget.layers_per_second),
        }
    }

    fn noted<T>(budget: &Budget, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        if matches!(answer, Err(RegistryError::Throttled { .. })) {
            budget.slow_down();
        }
        answer
    }

    pub(super) async fn repositories(&self, after: Option<String>) -> Result<Entries<String>, RegistryError> {
        self.lists.spend().await;
        let call = self.client.describe_repositories().registry_id(&self.account);
        let answer = call.max_results(page_size(MAX_PAGE)).set_next_token(after).send().await;
        let answer = answer.map_err(|e| translate("DescribeRepositories", &e, "the repositories"));
        let answer = Self::noted(&self.lists, answer)?;
        let names = answer.repositories().iter().filter_map(|r| r.repository_name().map(str::to_owned));
        Ok((names.collect(), answer.next_token().map(str::to_owned)))
    }

    /// Archived images are listed too: they are there.
    pub(super) async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<String>,
        limit: usize,
    ) -> Result<Entries<ImageDetail>, RegistryError> {
        self.lists.spend().await;
        let what = format!("the images of {repository}");
        let call =
            self.client.describe_images().registry_id(&self.account).repository_name(repository.as_str());
        let call = call.filter(any_status()).max_results(page_size(limit)).set_next_token(after);
        let answer = call.send().await.map_err(|e| translate("DescribeImages", &e, &what));
        let answer = Self::noted(&self.lists, answer)?;
        let next = answer.next_token().map(str::to_owned);
        Ok((answer.image_details.unwrap_or_default(), next))
    }

    /// What ECR knows of these images, at most [`MAX_IDS`]. `NotFound` where one of them is not there.
    pub(super) async fn describe(
        &self,
        repository: &RepositoryName,
        ids: Vec<ImageIdentifier>,
        what: &str,
    ) -> Result<Vec<ImageDetail>, RegistryError> {
        self.lists.spend().await;
        let call =
            self.client.describe_images().registry_id(&self.account).repository_name(repository.as_str());
        let answer = call.filter(any_status()).set_image_ids(Some(ids)).send().await;
        let answer = answer.map_err(|e| translate("DescribeImages", &e, what));
        Ok(Self::noted(&self.lists, answer)?.image_details.unwrap_or_default())
    }

    /// A manifest by digest: then ECR converts nothing.
    pub(super) async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.manifests.spend().await;
        let what = format!("manifest {} of {}", image.digest, image.repository);
        let call = self.client.batch_get_image().registry_id(&self.account);
        let call = call.repository_name(image.repository.as_str()).image_ids(by_digest(&image.digest));
        let call = call.set_accepted_media_types(Some(MediaType::ACCEPTED.map(str::to_owned).to_vec()));
        let answer = call.send().await.map_err(|e| translate("BatchGetImage", &e, &what));
        let answer = Self::noted(&self.manifests, answer)?;
        let found = answer.images().iter().find_map(|found| {
            Some((found.image_manifest()?, found.image_manifest_media_type().map(str::to_owned)))
        });
        match found {
            Some((text, _)) if text.len() > MAX_MANIFEST_BYTES => {
                Err(RegistryError::Unsupported(format!("{what} is longer than {MAX_MANIFEST_BYTES} bytes")))
            }
            Some((text, media_type)) => {
                Ok(RawManifest { media_type: media_type.map(MediaType), bytes: text.as_bytes().to_vec() })
            }
            None => Err(self.without_manifest(image, answer.failures().first(), &what).await),
        }
    }

    /// An archived image fails like one that is not there: only its status tells them apart.
    async fn without_manifest(
        &self,
        image: &ImageId,
        failure: Option<&ImageFailure>,
        what: &str,
    ) -> RegistryError {
        let reason = failure.and_then(ImageFailure::failure_reason).unwrap_or("no reason is given");
        if let Some(error) = failed(failure.and_then(ImageFailure::failure_code), reason, what) {
            return Self::noted::<()>(&self.manifests, Err(error)).err().unwrap_or_else(|| unreadable(what));
        }
        let described = self.describe(&image.repository, vec![by_digest(&image.digest)], what).await;
        match described.map(|mut details| details.pop().and_then(|detail| detail.image_status)) {
            Err(error) => error,
            Ok(Some(ImageStatus::Archived)) => RegistryError::Archived(what.to_owned()),
            Ok(Some(ImageStatus::Activating)) => {
                RegistryError::Transient(format!("{what} is being restored from the archive"))
            }
            Ok(_) => unreadable(what),
        }
    }

    /// A pre-signed address. It carries a signature: never stored, never logged.
    pub(super) async fn layer_url(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        what: &str,
    ) -> Result<Url, RegistryError> {
        self.layers.spend().await;
        let call = self.client.get_download_url_for_layer().registry_id(&self.account);
        let answer = call.repository_name(repository.as_str()).layer_digest(digest.as_str()).send().await;
        let answer = answer.map_err(|e| translate("GetDownloadUrlForLayer", &e, what));
        match Self::noted(&self.layers, answer) {
            Ok(answer) => {
                let url = answer.download_url().and_then(|text| Url::parse(text).ok());
                url.ok_or_else(|| RegistryError::Transient(format!("{what}: ECR gave no address for it")))
            }
            Err(missing @ RegistryError::NotFound(_)) => {
                Err(self.archived_or(repository, digest, missing).await)
            }
            Err(error) => Err(error),
        }
    }

    /// Why a layer is missing: archived, where that can be learnt; else as it was answered.
    pub(super) async fn archived_or(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        missing: RegistryError,
    ) -> RegistryError {
        self.lists.spend().await;
        let call = self.client.batch_check_layer_availability().registry_id(&self.account);
        let answer = call.repository_name(repository.as_str()).layer_digests(digest.as_str()).send().await;
        let archived = answer.is_ok_and(|answer| {
            answer.layers().iter().any(|l| l.layer_availability() == Some(&LayerAvailability::Archived))
        });
        if archived { RegistryError::Archived(format!("layer {digest} of {repository}")) } else { missing }
    }
}

fn unreadable(what: &str) -> RegistryError {
    RegistryError::Transient(format!("{what}: ECR shows the image and does not serve it"))
}

pub(super) fn by_digest(digest: &Digest) -> ImageIdentifier {
    ImageIdentifier::builder().image_digest(digest.as_str()).build()
}

/// Without a filter ECR shows active images alone.
fn any_status() -> DescribeImagesFilter {
    DescribeImagesFilter::builder().image_status(ImageStatusFilter::Any).build()
}

fn page_size(limit: usize) -> i32 {
    i32::try_from(limit.clamp(1, MAX_PAGE)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_as_many_entries_as_ecr_allows() {
        for (limit, expected) in [(0, 1), (1, 1), (MAX_PAGE, 1000), (MAX_PAGE + 1, 1000), (usize::MAX, 1000)]
        {
            assert_eq!(page_size(limit), expected, "{limit}");
        }
    }
}
