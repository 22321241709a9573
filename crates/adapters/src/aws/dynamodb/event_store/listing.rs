//! Heads in the order of ids: partition by partition, as the catalogue lists them.

use cve_monitor_core::scan::{Head, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken};
use futures::future::try_join_all;

use super::DynamoEventStore;
use super::heads::{CATALOGUE, decoded};
use super::place::cut;
use crate::aws::dynamodb::at_most;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, text, text_of};

/// The most partitions that are read at a time.
const PARTITIONS_AT_ONCE: usize = 32;

/// Where a range of sort keys begins.
#[derive(Debug, Clone, Copy)]
enum From<'a> {
    /// With this one.
    At(&'a str),
    /// After this one.
    After(&'a str),
}

/// Some heads of a partition.
struct Part {
    heads: Vec<(StreamId, Head)>,
    more: bool,
}

impl DynamoEventStore {
    /// Heads of the streams whose ids begin like this, after one. The token of a page is the last id that it gives.
    pub(super) async fn heads_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, Failure> {
        let after = after.filter(|after| *after >= prefix);
        let (mut found, mut listed) = (vec![], From::At(prefix));
        // Where the listing was, or where alone the prefix reaches.
        let begun = cut(after.unwrap_or(prefix));
        if let Some((partition, rest)) = begun {
            let from = if after.is_some() { From::After(rest) } else { From::At(rest) };
            let part = self.part(partition, from, prefix, limit).await?;
            found.extend(part.heads);
            if part.more || found.len() >= limit || cut(prefix).is_some() {
                let more = part.more || found.len() >= limit;
                return Ok(page(found, more));
            }
            listed = From::After(partition);
        }
        let (mut last, mut width) = (String::new(), 1);
        loop {
            let partitions = self.partitions(prefix, listed, width).await?;
            let Some(reached) = partitions.last() else { return Ok(page(found, false)) };
            reached.clone_into(&mut last);
            let room = limit - found.len();
            let parts = partitions.iter().map(|partition| self.part(partition, From::At(""), prefix, room));
            for part in try_join_all(parts).await? {
                let room = limit - found.len();
                let more = part.more || part.heads.len() >= room;
                found.extend(part.heads.into_iter().take(room));
                if more {
                    return Ok(page(found, true));
                }
            }
            listed = From::After(&last);
            // Small repositories are read many at a time; what is read of those after a large one is for nothing.
            width = PARTITIONS_AT_ONCE.min(width * 2);
        }
    }

    /// Partitions that begin like this, in order.
    async fn partitions(&self, prefix: &str, from: From<'_>, limit: usize) -> Result<Vec<String>, Failure> {
        let (listed, _) = self.range(CATALOGUE, from, limit).await?;
        let names = listed.iter().map(|entry| text_of(entry, "rest").map(str::to_owned));
        // Those that begin like this follow each other, the first where the range begins.
        names.take_while(|name| name.as_ref().map_or(true, |name| name.starts_with(prefix))).collect()
    }

    /// Heads of one partition, as far as their ids begin like this.
    async fn part(
        &self,
        partition: &str,
        from: From<'_>,
        prefix: &str,
        limit: usize,
    ) -> Result<Part, Failure> {
        let (items, more) = self.range(partition, from, limit).await?;
        let mut heads = items.iter().map(decoded).collect::<Result<Vec<_>, _>>()?;
        let read = heads.len();
        heads.retain(|(stream, _)| stream.0.starts_with(prefix));
        // Behind one that does not begin like this, none does.
        Ok(Part { more: more && heads.len() == read, heads })
    }

    /// Items of a partition in order, and whether there are more.
    async fn range(
        &self,
        partition: &str,
        from: From<'_>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), Failure> {
        let (condition, bound) = match from {
            From::At(bound) => ("#partition = :partition AND #rest >= :bound", bound),
            From::After(bound) => ("#partition = :partition AND #rest > :bound", bound),
        };
        // A key is never an empty text, and none of ours is less than a space.
        let bound = if bound.is_empty() { " " } else { bound };
        let query = self.client.query().table_name(&self.tables.heads).consistent_read(true);
        let query = query
            .key_condition_expression(condition)
            .expression_attribute_names("#partition", "partition")
            .expression_attribute_names("#rest", "rest")
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":bound", text(bound))
            .limit(at_most(limit));
        let answer = query.send().await.map_err(|e| failed("Query", &self.tables.heads, &e))?;
        let more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}

fn page(found: Vec<(StreamId, Head)>, more: bool) -> Page<(StreamId, Head)> {
    let next = found.last().filter(|_| more).map(|(stream, _)| PageToken(stream.0.clone()));
    Page { items: found, next }
}
