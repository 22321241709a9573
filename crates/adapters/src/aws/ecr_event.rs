//! What EventBridge puts into a queue when something happens to an image in ECR, read as a request.
//!
//! Source: ECR user guide, "Amazon ECR events and EventBridge". Events are emitted on a best effort basis, may come
//! twice and in any order: they are hints, as every request is.

#[cfg(test)]
mod tests;

use cve_monitor_core::vocabulary::{Cause, Digest, ImageId, RegistryName, RequestId, ScanRequest, Tag};
use serde::Deserialize;

/// The longest event that is read, in bytes: what SQS carries at most.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// What tells an event from a request of ours.
const MARK: &str = "\"detail-type\"";
/// Who emits the events that ask for something.
const SOURCE: &str = "aws.ecr";
/// The digits of an account's id.
const ACCOUNT_DIGITS: usize = 12;
/// How much of a foreign text an error repeats, in characters.
const MAX_QUOTED: usize = 96;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(default)]
    time: String,
    detail_type: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    detail: Detail,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Detail {
    action_type: Option<String>,
    result: Option<String>,
    sync_status: Option<String>,
    target_storage_class: Option<String>,
    repository_name: Option<String>,
    image_digest: Option<String>,
    image_tag: Option<String>,
}

/// What an event says has happened.
#[derive(Clone, Copy)]
enum Happened {
    /// The image is there.
    Came,
    /// The image may be gone, or out of reach: the registry knows.
    Went,
}

/// Whether a message means to be an event of EventBridge.
#[must_use]
pub fn is_event(body: &str) -> bool {
    body.contains(MARK)
}

/// Reads an event: the request that it asks for, none where it asks for nothing. The same event again is the same
/// request.
///
/// # Errors
/// What is wrong with an event that cannot be read, for people.
pub fn read(body: &str) -> Result<Option<ScanRequest>, String> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(format!("the event is {} bytes long; at most {MAX_EVENT_BYTES} are read", body.len()));
    }
    let event: Event =
        serde_json::from_str(body).map_err(|error| format!("not an event of EventBridge: {error}"))?;
    event.happened().map(|happened| event.request(happened)).transpose()
}

impl Event {
    /// None where there is nothing to look at: another kind of event, or an action that failed.
    fn happened(&self) -> Option<Happened> {
        if self.source != SOURCE {
            return None;
        }
        let detail = &self.detail;
        let said = |field: &'_ Option<String>| field.clone().unwrap_or_default();
        let failed = ["FAILED", "FAILURE"].contains(&said(&detail.result).as_str());
        match self.detail_type.as_str() {
            "ECR Image Action" if !failed => match said(&detail.action_type).as_str() {
                "PUSH" => Some(Happened::Came),
                "DELETE" => Some(Happened::Went),
                // What is archived cannot be pulled, but the registry still lists it: it is asked.
                "UPDATE_STORAGE_CLASS" if said(&detail.target_storage_class) == "STANDARD" => {
                    Some(Happened::Came)
                }
                "UPDATE_STORAGE_CLASS" => Some(Happened::Went),
                _ => None,
            },
            "ECR Replication Action" if !failed => Some(Happened::Came),
            "ECR Pull Through Cache Action" if said(&detail.sync_status) == "SUCCESS" => Some(Happened::Came),
            _ => None,
        }
    }

    fn request(&self, happened: Happened) -> Result<ScanRequest, String> {
        let registry = self.registry()?;
        let repository = needed(&self.detail.repository_name, "repository-name")?;
        let repository = repository.parse().map_err(|error| format!("`detail.repository-name`: {error}"))?;
        let digest = needed(&self.detail.image_digest, "image-digest")?;
        let digest: Digest = digest.parse().map_err(|error| format!("`detail.image-digest`: {error}"))?;
        let (word, cause) = match happened {
            Happened::Came => ("came", Cause::Push { tag: self.tag()? }),
            Happened::Went => ("went", Cause::Absence),
        };
        // An event without an id is told from others by when it happened.
        let told = if self.id.is_empty() { &self.time } else { &self.id };
        let image = ImageId { registry, repository, digest };
        let id = RequestId::derived(&["ecr", told, word, &image.to_string()]);
        Ok(ScanRequest { id, image, cause, at_least: None })
    }

    /// The name under which the registry of the account in the region serves its images.
    fn registry(&self) -> Result<RegistryName, String> {
        let Self { account, region, .. } = self;
        if account.len() != ACCOUNT_DIGITS || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let account = quoted(account);
            return Err(format!("`account` is `{account}`; expected {ACCOUNT_DIGITS} digits"));
        }
        let in_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || !region.bytes().all(in_region) {
            return Err(format!("`region` is `{}`; expected one as in us-east-1", quoted(region)));
        }
        let top = if region.starts_with("cn-") { "com.cn" } else { "com" };
        let name = format!("{account}.dkr.ecr.{region}.amazonaws.{top}");
        name.parse().map_err(|error| format!("`account` and `region` make no registry: {error}"))
    }

    /// A push by digest has an empty tag, or none.
    fn tag(&self) -> Result<Option<Tag>, String> {
        let tag = self.detail.image_tag.as_deref().filter(|tag| !tag.is_empty());
        tag.map(|tag| tag.parse().map_err(|error| format!("`detail.image-tag`: {error}"))).transpose()
    }
}

fn needed<'a>(field: &'a Option<String>, name: &str) -> Result<&'a str, String> {
    field.as_deref().filter(|text| !text.is_empty()).ok_or_else(|| format!("`detail.{name}` is missing"))
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}
