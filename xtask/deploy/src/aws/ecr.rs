//! ECR: the repository that our image is pushed to, and what there is to scan.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use serde_json::{Value, json};

use super::{Aws, Refusal};
use crate::image::push::Repository;

/// Repositories and images on a page; the most that ECR gives.
const PAGE: u32 = 1000;
/// Pages of images that are counted for one repository, at most: beyond that "more than" is precise enough.
const MAX_PAGES: usize = 10;

/// A repository with the number of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) name: String,
    pub(crate) images: usize,
    /// Whether there are more than were counted.
    pub(crate) more: bool,
}

impl Aws {
    /// Makes a repository whose tags cannot be moved; one that is there stays as it is. True where it was made.
    pub(crate) async fn make_repository(&self, name: &str) -> Result<bool, Refusal> {
        let input = json!({"repositoryName": name, "imageTagMutability": "IMMUTABLE"});
        match self.ecr("CreateRepository", &input).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.code == "RepositoryAlreadyExistsException" => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Opens a repository to push to, for twelve hours.
    pub(crate) async fn open_repository(&self, name: &str) -> Result<Repository, String> {
        let answer = self.ecr("GetAuthorizationToken", &json!({})).await?;
        let data = &answer["authorizationData"][0];
        let token = data["authorizationToken"].as_str().unwrap_or_default();
        let token = BASE64_STANDARD.decode(token).map_err(|_| "ECR gives a token that is no base64")?;
        let token = String::from_utf8(token).map_err(|_| "ECR gives a token that is no text")?;
        let (user, password) = token.split_once(':').ok_or("ECR gives a token without a password")?;
        let endpoint = data["proxyEndpoint"].as_str().unwrap_or_default();
        let endpoint: Url = endpoint.parse().map_err(|error| format!("ECR is at `{endpoint}`: {error}"))?;
        Ok(Repository {
            endpoint,
            name: name.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The repositories of this account in this region, sorted, with the number of their images.
    pub(crate) async fn count_images(&self) -> Result<Vec<Counted>, Refusal> {
        let mut counted = Vec::new();
        let (names, _) = self.pages("DescribeRepositories", json!({}), "repositories", usize::MAX).await?;
        for name in names.iter().filter_map(|repository| repository["repositoryName"].as_str()) {
            let input = json!({"repositoryName": name});
            let (images, more) = match self.pages("ListImages", input, "imageIds", MAX_PAGES).await {
                // Somebody has just deleted it.
                Err(refusal) if refusal.code == "RepositoryNotFoundException" => continue,
                other => other?,
            };
            // An image is listed once for each of its tags.
            let digests: std::collections::BTreeSet<&str> =
                images.iter().filter_map(|image| image["imageDigest"].as_str()).collect();
            counted.push(Counted { name: name.to_owned(), images: digests.len(), more });
        }
        counted.sort_by(|a, b| b.images.cmp(&a.images).then_with(|| a.name.cmp(&b.name)));
        Ok(counted)
    }

    /// The entries of at most so many pages, and whether there are more.
    async fn pages(
        &self,
        operation: &str,
        mut input: Value,
        key: &str,
        most: usize,
    ) -> Result<(Vec<Value>, bool), Refusal> {
        input["maxResults"] = json!(PAGE);
        let (mut entries, mut pages) = (Vec::new(), 0);
        loop {
            let mut answer = self.ecr(operation, &input).await?;
            if let Value::Array(more) = answer[key].take() {
                entries.extend(more);
            }
            pages += 1;
            match answer["nextToken"].take() {
                Value::String(token) if pages < most => input["nextToken"] = json!(token),
                next => return Ok((entries, next.is_string())),
            }
        }
    }

    async fn ecr(&self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        self.json("ecr", "api.ecr", &target, input).await
    }
}
