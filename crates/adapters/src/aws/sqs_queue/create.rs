//! The queues, created for a trial. For real they come from the Terraform modules, with the same settings.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use cve_monitor_core::vocabulary::Lane;
use serde_json::json;

use super::{is_missing, names};
use crate::aws::Created;
use crate::aws::trouble::{Kind, Trouble, trouble};

/// How long a message waits for a worker, in seconds: 4 days. What is lost then is found by reconciling.
const RETENTION_S: u64 = 4 * 86_400;
/// How long a dead letter is kept, in seconds: 14 days, the longest. SQS counts from when the message was first sent.
const DEAD_RETENTION_S: u64 = 14 * 86_400;
/// How often a message is received before SQS itself takes it for dead. As often as ingest takes it.
pub const MAX_RECEIVE_COUNT: u32 = 50;
/// How long a receive waits that does not say, in seconds: the longest.
const WAIT_S: u64 = 20;

/// How long SQS takes until a new queue may be used ("CreateQueue" in its API reference).
const SETTLES: Duration = Duration::from_secs(1);

/// Creates what is missing of the queues of a prefix; those that are there stay as they are.
///
/// # Errors
/// What SQS said; what was created until then stays.
pub async fn create_queues(config: &SdkConfig, prefix: &str) -> Result<Vec<Created>, Trouble> {
    names::check(prefix).map_err(|detail| Trouble {
        kind: Kind::Refused,
        code: String::new(),
        operation: "CreateQueue",
        detail,
    })?;
    let client = Client::new(config);
    let mut dead = vec![];
    for lane in Lane::ALL {
        dead.push(create(&client, names::of_dead(prefix, lane), dead_settings()).await?);
    }
    settle(dead.iter().map(|(created, _)| created)).await;
    let mut all = vec![];
    for (lane, (dead, url)) in Lane::ALL.into_iter().zip(dead) {
        let policy =
            json!({ "deadLetterTargetArn": arn(&client, &url).await?, "maxReceiveCount": MAX_RECEIVE_COUNT });
        let settings = live_settings(&policy.to_string());
        let (live, _) = create(&client, names::of_lane(prefix, lane), settings).await?;
        all.extend([live, dead]);
    }
    settle(all.iter()).await;
    Ok(all)
}

/// A new queue may be used after a second.
async fn settle(mut created: impl Iterator<Item = &Created>) {
    if created.any(|created| !created.existed) {
        tokio::time::sleep(SETTLES).await;
    }
}

type Settings = HashMap<QueueAttributeName, String>;

fn dead_settings() -> Settings {
    HashMap::from([
        (QueueAttributeName::MessageRetentionPeriod, DEAD_RETENTION_S.to_string()),
        (QueueAttributeName::SqsManagedSseEnabled, "true".to_owned()),
    ])
}

fn live_settings(redrive: &str) -> Settings {
    HashMap::from([
        (QueueAttributeName::MessageRetentionPeriod, RETENTION_S.to_string()),
        (QueueAttributeName::SqsManagedSseEnabled, "true".to_owned()),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, WAIT_S.to_string()),
        (QueueAttributeName::RedrivePolicy, redrive.to_owned()),
    ])
}

async fn create(client: &Client, name: String, settings: Settings) -> Result<(Created, String), Trouble> {
    match client.get_queue_url().queue_name(&name).send().await {
        Ok(found) => return Ok((Created { name, existed: true }, found.queue_url.unwrap_or_default())),
        Err(error) => {
            let trouble = trouble("GetQueueUrl", &error);
            if !is_missing(&trouble) {
                return Err(trouble);
            }
        }
    }
    let created = client.create_queue().queue_name(&name).set_attributes(Some(settings)).send().await;
    let created = created.map_err(|error| trouble("CreateQueue", &error))?;
    Ok((Created { name, existed: false }, created.queue_url.unwrap_or_default()))
}

async fn arn(client: &Client, url: &str) -> Result<String, Trouble> {
    let call = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    let answer = call.send().await.map_err(|error| trouble("GetQueueAttributes", &error))?;
    let arn = answer.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn));
    arn.ok_or_else(|| Trouble {
        kind: Kind::Refused,
        code: String::new(),
        operation: "GetQueueAttributes",
        detail: format!("the queue at {url} has no ARN"),
    })
}
