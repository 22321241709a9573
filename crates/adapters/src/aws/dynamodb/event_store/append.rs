//! Appending: the events and the head in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, TransactWriteItem};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use cve_monitor_core::ports::AppendError;
use cve_monitor_core::scan::{Head, MAX_APPEND, RecordedEvent, StreamId};

use super::DynamoEventStore;
use super::events::Appended;
use super::heads;
use super::place::Place;
use crate::aws::dynamodb::batch::patience;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, number};

/// How long a transaction may be half to be seen.
const HALF_COMMITTED: Duration = Duration::from_millis(500);

/// What a cancelled transaction says.
#[derive(Debug, PartialEq, Eq)]
enum Cancelled {
    /// The head is not at the version that was expected, or events stand there.
    Condition,
    /// Another transaction, or the load, was in the way: the same again.
    Busy(String),
    /// It will never be taken.
    Refused(String),
}

/// One reason for each item, `None` for those that were not in the way (API reference, TransactWriteItems).
fn read(reasons: &[CancellationReason]) -> Cancelled {
    let codes = || reasons.iter().filter_map(CancellationReason::code);
    if codes().any(|code| code == "ConditionalCheckFailed") {
        return Cancelled::Condition;
    }
    let Some(reason) = reasons.iter().find(|reason| !matches!(reason.code(), None | Some("None"))) else {
        return Cancelled::Busy("cancelled without a reason".to_owned());
    };
    let said = format!("{}: {}", reason.code().unwrap_or_default(), reason.message().unwrap_or_default());
    let passes = |code| {
        matches!(code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    };
    if codes().all(passes) { Cancelled::Busy(said) } else { Cancelled::Refused(said) }
}

fn within_bounds(expected: u64, events: &[RecordedEvent], head: &Head) -> Result<(), Failure> {
    let count = events.len();
    if count == 0 || count > MAX_APPEND {
        let problem = format!("an append of {count} events: from 1 to {MAX_APPEND} are taken");
        return Err(Failure::Refused(problem));
    }
    if head.version != expected.saturating_add(count as u64) {
        let version = head.version;
        let problem = format!("a head of version {version} after {count} events on version {expected}");
        return Err(Failure::Refused(problem));
    }
    Ok(())
}

impl DynamoEventStore {
    pub(super) async fn append_events(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        within_bounds(expected, events, head).map_err(into)?;
        let place = Place::of(stream).map_err(into)?;
        let writes = self.writes(stream, &place, expected, events, head).map_err(into)?;
        if expected == 0 {
            self.announce(&place.partition).await.map_err(into)?;
        }
        if self.transact(&writes).await.map_err(into)? {
            return Ok(());
        }
        // Others may have won, or this very append has been made before.
        if self.stand(stream, expected, events).await.map_err(into)? {
            return Ok(());
        }
        self.agree(stream, expected).await.map_err(into)?;
        Err(AppendError::Conflict { stream: stream.clone(), expected })
    }

    /// Events after the version that the head is at were written by nobody: one of the tables was restored.
    async fn agree(&self, stream: &StreamId, expected: u64) -> Result<(), Failure> {
        if self.last_beyond(stream, expected).await?.is_none() {
            return Ok(());
        }
        // A read may see half of a transaction that is being committed (developer guide, "Isolation levels").
        tokio::time::sleep(HALF_COMMITTED).await;
        let Some(last) = self.last_beyond(stream, expected).await? else { return Ok(()) };
        let problem = format!("the events of {stream} go to version {last}, its head to {expected}");
        Err(Failure::Damaged(format!("{problem}: make the heads again with `cve-monitor rebuild heads`")))
    }

    /// The version of the last event, where it is beyond the version that the head is at.
    async fn last_beyond(&self, stream: &StreamId, expected: u64) -> Result<Option<u64>, Failure> {
        let last = self.last_version(stream).await?;
        // Read after the events: an append in between moves the head as well.
        let behind =
            last > expected && self.head_of(stream).await?.map_or(0, |head| head.version) == expected;
        Ok(behind.then_some(last))
    }

    fn writes(
        &self,
        stream: &StreamId,
        place: &Place,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<[TransactWriteItem; 2], Failure> {
        let appended = Appended::encoded(stream, expected.saturating_add(1), events)?;
        let events = put(&self.tables.events, appended)
            .condition_expression("attribute_not_exists(#stream)")
            .expression_attribute_names("#stream", "stream");
        let head = put(&self.tables.heads, heads::encoded(place, head)?);
        let head = if expected == 0 {
            head.condition_expression("attribute_not_exists(#partition)")
                .expression_attribute_names("#partition", "partition")
        } else {
            head.condition_expression("#version = :expected")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(expected))
        };
        let written = |put: aws_sdk_dynamodb::types::builders::PutBuilder| {
            let put = put.build().map_err(|error| Failure::Refused(error.to_string()))?;
            Ok(TransactWriteItem::builder().put(put).build())
        };
        Ok([written(events)?, written(head)?])
    }

    /// Whether it was done; if not, a condition failed.
    async fn transact(&self, writes: &[TransactWriteItem; 2]) -> Result<bool, Failure> {
        let tables = format!("{} or {}", self.tables.events, self.tables.heads);
        let mut patience = patience();
        loop {
            let call = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
            let Err(error) = call.send().await else { return Ok(true) };
            match cancelled(&error) {
                None => return Err(failed("TransactWriteItems", &tables, &error)),
                Some(Cancelled::Busy(why)) => {
                    let Some(wait) = patience.next() else {
                        return Err(Failure::Unavailable(format!("tables {tables}: {why}")));
                    };
                    tracing::debug!(why, "an append was cancelled, tried again");
                    tokio::time::sleep(wait).await;
                }
                Some(Cancelled::Refused(why)) => {
                    return Err(Failure::Refused(format!("tables {tables}: {why}")));
                }
                Some(Cancelled::Condition) => return Ok(false),
            }
        }
    }
}

fn cancelled(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Option<Cancelled> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(why) => Some(read(why.cancellation_reasons())),
        _ => None,
    }
}

fn put(table: &str, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    Put::builder().table_name(table).set_item(Some(item))
}

/// A failure as an append's.
pub(super) fn into(failure: Failure) -> AppendError {
    AppendError::Store(failure.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: [&str; 2]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).message("said").build()).collect()
    }

    #[test]
    fn each_reason_of_a_cancelled_transaction_means_its_own() {
        let busy = |code: &str| Cancelled::Busy(format!("{code}: said"));
        let refused = || Cancelled::Refused("ValidationError: said".to_owned());
        for (codes, expected) in [
            (["None", "ConditionalCheckFailed"], Cancelled::Condition),
            (["ConditionalCheckFailed", "None"], Cancelled::Condition),
            (["TransactionConflict", "ConditionalCheckFailed"], Cancelled::Condition),
            (["TransactionConflict", "None"], busy("TransactionConflict")),
            (["None", "TransactionConflict"], busy("TransactionConflict")),
            (["ThrottlingError", "None"], busy("ThrottlingError")),
            (["None", "ProvisionedThroughputExceeded"], busy("ProvisionedThroughputExceeded")),
            (["ValidationError", "None"], refused()),
            (["ValidationError", "TransactionConflict"], refused()),
        ] {
            assert_eq!(read(&reasons(codes)), expected, "{codes:?}");
        }
        assert!(matches!(read(&[]), Cancelled::Busy(_)));
    }
}
