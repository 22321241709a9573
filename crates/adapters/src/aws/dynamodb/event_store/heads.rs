//! Heads, in the table `PREFIX-heads`, and the list of its partitions.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use cve_monitor_core::ports::AppendError;
use cve_monitor_core::scan::{CodecError, Head, StreamId, decode_head, encode_head};

use super::DynamoEventStore;
use super::append::into;
use super::due;
use super::place::Place;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, item, number, number_of, text, text_of};

/// The partition that lists the partitions. No id of a stream begins with it.
pub(super) const CATALOGUE: &str = "#partitions";
/// How many partitions are remembered as listed; a forgotten one is listed again, which changes nothing.
const REMEMBERED_MAX: usize = 10_000;

/// The partitions that this process has listed, or seen listed.
#[derive(Debug, Default)]
pub(super) struct Catalogue(Mutex<HashSet<String>>);

impl Catalogue {
    fn holds(&self, partition: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(partition)
    }

    fn remember(&self, partition: &str) {
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if listed.len() >= REMEMBERED_MAX {
            listed.clear();
        }
        listed.insert(partition.to_owned());
    }
}

pub(super) fn encoded(place: &Place, head: &Head) -> Result<Item, Failure> {
    let written = encode_head(head).map_err(|e| Failure::Refused(e.to_string()))?;
    let written = String::from_utf8(written).map_err(|e| Failure::Refused(e.to_string()))?;
    let mut item = place.key();
    item.insert("version".to_owned(), number(head.version));
    item.insert("head".to_owned(), text(written));
    if let Some(waits) = head.due() {
        item.extend(due::keys(place, &waits));
    }
    Ok(item)
}

pub(super) fn decoded(item: &Item) -> Result<(StreamId, Head), Failure> {
    let stream = Place::stream(text_of(item, "partition")?, text_of(item, "rest")?);
    let head = decode_head(text_of(item, "head")?.as_bytes()).map_err(|error| {
        let problem = format!("the head of {stream}: {error}");
        match error {
            CodecError::Newer { .. } => Failure::Refused(problem),
            _ => Failure::Damaged(problem),
        }
    })?;
    let version: u64 = number_of(item, "version")?;
    if head.version != version {
        let says = head.version;
        let problem = format!("the head of {stream} says version {says}, its item {version}");
        return Err(Failure::Damaged(problem));
    }
    Ok((stream, head))
}

impl DynamoEventStore {
    pub(super) async fn head_of(&self, stream: &StreamId) -> Result<Option<Head>, Failure> {
        let get = self.client.get_item().table_name(&self.tables.heads).consistent_read(true);
        let get = get.set_key(Some(Place::of(stream)?.key()));
        let answer = get.send().await.map_err(|e| failed("GetItem", &self.tables.heads, &e))?;
        Ok(answer.item().map(decoded).transpose()?.map(|(_, head)| head))
    }

    /// Lists a partition, before anything is in it: a listing that begins after an append finds its head.
    pub(super) async fn announce(&self, partition: &str) -> Result<(), Failure> {
        if self.catalogue.holds(partition) {
            return Ok(());
        }
        let entry = item([("partition", text(CATALOGUE)), ("rest", text(partition))]);
        let put = self.client.put_item().table_name(&self.tables.heads).set_item(Some(entry));
        put.send().await.map_err(|e| failed("PutItem", &self.tables.heads, &e))?;
        self.catalogue.remember(partition);
        Ok(())
    }

    /// Where the events of a stream end at this very version, its head is replaced: by one that was lost, too.
    pub(super) async fn put_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        let conflict = || AppendError::Conflict { stream: stream.clone(), expected: head.version };
        let place = Place::of(stream).map_err(into)?;
        let item = encoded(&place, head).map_err(into)?;
        if head.version == 0 || self.last_version(stream).await.map_err(into)? != head.version {
            return Err(conflict());
        }
        self.announce(&place.partition).await.map_err(into)?;
        let put = self.client.put_item().table_name(&self.tables.heads).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(#version) OR #version <= :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(head.version));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(conflict())
            }
            Err(error) => Err(into(failed("PutItem", &self.tables.heads, &error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_the_catalogue_is_bounded() {
        let catalogue = Catalogue::default();
        for n in 0..REMEMBERED_MAX {
            catalogue.remember(&n.to_string());
        }
        assert!(catalogue.holds("0"));
        catalogue.remember("one more");
        assert!(catalogue.holds("one more") && !catalogue.holds("0"));
    }
}
