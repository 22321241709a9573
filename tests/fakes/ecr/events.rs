//! The events that ECR sends to EventBridge, in their whole envelope (ECR user guide, "Sample events from Amazon ECR";
//! media types and the empty tag as they are seen in queues).

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::world::{Place, Status, digest_of};

/// What happened to an image.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event<'a> {
    Push { tag: Option<&'a str> },
    Delete,
    StorageClass(Status),
}

impl Event<'_> {
    /// The envelope. `types` are the media types of the manifest and of what it is about, where they are known.
    pub(super) fn envelope(
        &self,
        place: &Place,
        digest: &str,
        types: Option<(&str, Option<&str>)>,
        now: i64,
        serial: u64,
    ) -> Value {
        let mut detail = json!({
            "result": "SUCCESS", "repository-name": place.repository, "image-digest": digest,
        });
        if let Some((manifest, artifact)) = types {
            detail["manifest-media-type"] = json!(manifest);
            detail["artifact-media-type"] = json!(artifact.unwrap_or(manifest));
        }
        match self {
            Self::Push { tag } => {
                detail["action-type"] = json!("PUSH");
                detail["image-tag"] = json!(tag.unwrap_or_default());
            }
            Self::Delete => detail["action-type"] = json!("DELETE"),
            Self::StorageClass(status) => {
                detail["action-type"] = json!("UPDATE_STORAGE_CLASS");
                let class = if *status == Status::Archived { "ARCHIVE" } else { "STANDARD" };
                detail["target-storage-class"] = json!(class);
                if *status != Status::Archived {
                    detail["last-activated-at"] = json!(date(now));
                }
            }
        }
        json!({
            "version": "0", "id": id(place, digest, serial), "detail-type": "ECR Image Action",
            "source": "aws.ecr", "account": place.account, "time": date(now), "region": place.region,
            "resources": [], "detail": detail,
        })
    }
}

/// A UUID that no other event here has.
fn id(place: &Place, digest: &str, serial: u64) -> String {
    let hash = digest_of(format!("{}/{}/{digest}/{serial}", place.account, place.region).as_bytes());
    let hex = &hash["sha256:".len()..];
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

fn date(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(&Rfc3339).unwrap_or_default()
}

/// Sends events to a queue, each as one message, as a rule of EventBridge does. Signatures are not made: this is for
/// emulators.
///
/// # Errors
/// Where the queue does not take one.
pub async fn send(endpoint: &str, queue_url: &str, region: &str, events: &[Value]) -> Result<(), String> {
    let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
    let scope = format!("Credential=testing/20260101/{region}/sqs/aws4_request");
    for event in events {
        let body = json!({ "QueueUrl": queue_url, "MessageBody": event.to_string() });
        let request = client
            .post(endpoint)
            .header("x-amz-target", "AmazonSQS.SendMessage")
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"))
            .body(body.to_string());
        let answer = request.send().await.map_err(|e| e.to_string())?;
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(format!("{endpoint}: {status} {}", answer.text().await.unwrap_or_default()));
        }
    }
    Ok(())
}
