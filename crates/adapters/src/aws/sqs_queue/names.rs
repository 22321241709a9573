//! The names of the queues, and where each is.

use aws_sdk_sqs::Client;
use cve_monitor_core::ports::QueueError;
use cve_monitor_core::vocabulary::Lane;
use futures::future::try_join3;

use super::refused;
use crate::aws::trouble::trouble;

/// The longest prefix, in characters: the longest name has 14 more, and SQS takes 80.
pub const MAX_PREFIX: usize = 66;

/// The queue of a lane.
pub(super) fn of_lane(prefix: &str, lane: Lane) -> String {
    format!("{prefix}-{lane}")
}

/// The queue of a lane's dead letters.
pub(super) fn of_dead(prefix: &str, lane: Lane) -> String {
    format!("{prefix}-{lane}-dead")
}

/// Whether names with this prefix are names of queues.
pub(super) fn check(prefix: &str) -> Result<(), String> {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=MAX_PREFIX).contains(&prefix.len()) && prefix.bytes().all(is_taken) {
        return Ok(());
    }
    let shown: String = prefix.chars().take(MAX_PREFIX).collect();
    Err(format!(
        "`{shown}` is no prefix of queues: expected 1 to {MAX_PREFIX} letters, digits, hyphens and underscores"
    ))
}

/// A queue that is there.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) name: String,
    pub(super) url: String,
}

/// The two queues of a lane.
#[derive(Debug, Clone)]
pub(super) struct LaneQueues {
    pub(super) live: Address,
    pub(super) dead: Address,
}

/// Every queue.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    push: LaneQueues,
    change: LaneQueues,
    backfill: LaneQueues,
}

impl Queues {
    /// Finds them all: one that is missing is named before any work begins.
    pub(super) async fn find(client: &Client, prefix: &str) -> Result<Self, QueueError> {
        check(prefix).map_err(QueueError::Permanent)?;
        let of = |lane| async move {
            let live = address(client, of_lane(prefix, lane)).await?;
            let dead = address(client, of_dead(prefix, lane)).await?;
            Ok::<_, QueueError>(LaneQueues { live, dead })
        };
        let found = try_join3(of(Lane::Push), of(Lane::Change), of(Lane::Backfill)).await?;
        let (push, change, backfill) = found;
        Ok(Self { push, change, backfill })
    }

    pub(super) fn of(&self, lane: Lane) -> &LaneQueues {
        match lane {
            Lane::Push => &self.push,
            Lane::Change => &self.change,
            Lane::Backfill => &self.backfill,
        }
    }
}

async fn address(client: &Client, name: String) -> Result<Address, QueueError> {
    let found = client.get_queue_url().queue_name(&name).send().await;
    let found = found.map_err(|error| refused(&name, &trouble("GetQueueUrl", &error)))?;
    Ok(Address { url: found.queue_url.unwrap_or_default(), name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_of_the_longest_prefix_is_one_that_sqs_takes() {
        let longest = "p".repeat(MAX_PREFIX);
        assert_eq!(check(&longest), Ok(()));
        let names = Lane::ALL.into_iter().flat_map(|lane| [of_lane(&longest, lane), of_dead(&longest, lane)]);
        assert_eq!(names.map(|name| name.len()).max(), Some(80));
        for wrong in [format!("{longest}p").as_str(), "", "a.b", "a b", "ä"] {
            assert!(check(wrong).unwrap_err().contains("is no prefix of queues"), "{wrong}");
        }
    }
}
