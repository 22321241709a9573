//! The calls of SQS, with what their failures mean.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use cve_monitor_core::ports::{Depth, QueueError};

use super::letters::Written;
use super::names::{Address, Queues};
use super::refused;
use crate::aws::quiet::Quiet;
use crate::aws::trouble::{Kind, Trouble, trouble};

/// The most entries of one call.
pub(super) const BATCH: usize = 10;
/// The longest that one receive waits.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(20);

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    client: Quiet<Client>,
    /// For receives that wait: the limits of time count from when the wait is over.
    patient: Quiet<Client>,
}

/// What a receive asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// At most [`BATCH`].
    pub(super) max: usize,
    pub(super) lease: Duration,
    /// At most [`MAX_WAIT`]; whole seconds of it are waited.
    pub(super) wait: Duration,
}

/// SQS counts whole seconds; a part of one is one more.
fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

/// The limits of time, each longer by what a receive waits.
fn patient(limits: &TimeoutConfig) -> TimeoutConfig {
    let longer = |limit: Option<Duration>| limit.map(|limit| limit + MAX_WAIT);
    let mut patient = limits.to_builder();
    patient.set_read_timeout(longer(limits.read_timeout()));
    patient.set_operation_attempt_timeout(longer(limits.operation_attempt_timeout()));
    patient.set_operation_timeout(longer(limits.operation_timeout()));
    patient.build()
}

impl Calls {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let limits = config.timeout_config().map_or_else(TimeoutConfig::disabled, patient);
        let waiting = aws_sdk_sqs::config::Builder::from(config).timeout_config(limits).build();
        Self { client: Quiet(Client::new(config)), patient: Quiet(Client::from_conf(waiting)) }
    }

    pub(super) async fn find(&self, prefix: &str) -> Result<Queues, QueueError> {
        Queues::find(&self.client, prefix).await
    }

    pub(super) async fn receive(&self, from: &Address, asked: Asked) -> Result<Vec<Message>, QueueError> {
        let client = if asked.wait.is_zero() { &self.client } else { &self.patient };
        let call = client
            .receive_message()
            .queue_url(&from.url)
            .max_number_of_messages(i32::try_from(asked.max).unwrap_or(1))
            .visibility_timeout(seconds(asked.lease))
            .wait_time_seconds(i32::try_from(asked.wait.as_secs()).unwrap_or(0))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All");
        let answer = call.send().await;
        let answer = answer.map_err(|error| refused(&from.name, &trouble("ReceiveMessage", &error)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Sends at most [`BATCH`] bodies. Which of them failed, by their places.
    pub(super) async fn send(
        &self,
        to: &Address,
        bodies: &[&str],
    ) -> Result<Vec<BatchResultErrorEntry>, QueueError> {
        let mut call = self.client.send_message_batch().queue_url(&to.url);
        for (at, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(*body);
            call = call.entries(entry.build().map_err(|error| unbuilt(&error))?);
        }
        let answer = call.send().await;
        let answer = answer.map_err(|error| refused(&to.name, &trouble("SendMessageBatch", &error)))?;
        Ok(answer.failed)
    }

    /// Sends one message with its attributes.
    pub(super) async fn put(&self, to: &Address, letter: &Written) -> Result<(), QueueError> {
        let call = self.client.send_message().queue_url(&to.url).message_body(&letter.body);
        let call = call.set_message_attributes(Some(letter.attributes.clone()));
        let answer = call.send().await;
        answer.map(drop).map_err(|error| refused(&to.name, &trouble("SendMessage", &error)))
    }

    /// Hides a message from now on for so long.
    pub(super) async fn hide(&self, of: &Address, handle: &str, by: Duration) -> Result<(), QueueError> {
        let call = self.client.change_message_visibility().queue_url(&of.url).receipt_handle(handle);
        let answer = call.visibility_timeout(seconds(by)).send().await;
        answer.map(drop).map_err(|error| lost_or(of, &trouble("ChangeMessageVisibility", &error)))
    }

    pub(super) async fn delete(&self, of: &Address, handle: &str) -> Result<(), QueueError> {
        let call = self.client.delete_message().queue_url(&of.url).receipt_handle(handle);
        let answer = call.send().await;
        answer.map(drop).map_err(|error| lost_or(of, &trouble("DeleteMessage", &error)))
    }

    /// Deletes messages. How many could not be; they come again.
    pub(super) async fn delete_all(&self, of: &Address, handles: &[&str]) -> Result<usize, QueueError> {
        let mut failed = 0;
        for handles in handles.chunks(BATCH) {
            let mut call = self.client.delete_message_batch().queue_url(&of.url);
            for (at, handle) in handles.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
                call = call.entries(entry.receipt_handle(*handle).build().map_err(|error| unbuilt(&error))?);
            }
            let answer = call.send().await;
            let answer = answer.map_err(|error| refused(&of.name, &trouble("DeleteMessageBatch", &error)))?;
            failed += answer.failed.len();
        }
        Ok(failed)
    }

    /// Gives messages back at once.
    pub(super) async fn release(&self, of: &Address, handles: &[&str]) -> Result<(), QueueError> {
        for handles in handles.chunks(BATCH) {
            let mut call = self.client.change_message_visibility_batch().queue_url(&of.url);
            for (at, handle) in handles.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
                let entry = entry.receipt_handle(*handle).visibility_timeout(0);
                call = call.entries(entry.build().map_err(|error| unbuilt(&error))?);
            }
            let answer = call.send().await;
            answer.map_err(|error| refused(&of.name, &trouble("ChangeMessageVisibilityBatch", &error)))?;
        }
        Ok(())
    }

    pub(super) async fn depth(&self, of: &Address) -> Result<Depth, QueueError> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = self.client.get_queue_attributes().queue_url(&of.url);
        let answer = call.set_attribute_names(Some(names.to_vec())).send().await;
        let answer = answer.map_err(|error| refused(&of.name, &trouble("GetQueueAttributes", &error)))?;
        let [ready, delayed, leased] = names.map(|name| {
            let count = answer.attributes.as_ref().and_then(|all| all.get(&name));
            count.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
        });
        Ok(Depth { ready: ready + delayed, leased })
    }
}

/// What SQS says of a handle that holds nothing any more.
fn lost_or(queue: &Address, trouble: &Trouble) -> QueueError {
    let code = trouble.code.rsplit('.').next().unwrap_or_default();
    let of_the_lease = ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"];
    if trouble.kind == Kind::Refused && of_the_lease.contains(&code) {
        return QueueError::LeaseLost;
    }
    refused(&queue.name, trouble)
}

fn unbuilt(error: &aws_sdk_sqs::error::BuildError) -> QueueError {
    QueueError::Permanent(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_one_more() {
        let millis = [0, 1, 1000, 1001].map(|millis| seconds(Duration::from_millis(millis)));
        assert_eq!(millis, [0, 1, 1, 2]);
    }

    #[test]
    fn limits_of_time_begin_when_the_wait_is_over() {
        let second = Duration::from_secs(1);
        let limits = TimeoutConfig::builder()
            .connect_timeout(second)
            .read_timeout(second)
            .operation_attempt_timeout(second * 2)
            .build();
        let patient = patient(&limits);
        assert_eq!(patient.connect_timeout(), Some(second));
        assert_eq!(patient.read_timeout(), Some(second + MAX_WAIT));
        assert_eq!(patient.operation_attempt_timeout(), Some(second * 2 + MAX_WAIT));
        assert_eq!(patient.operation_timeout(), None);
    }
}
