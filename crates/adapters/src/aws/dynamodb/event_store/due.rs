//! What waits, in the index `due` of the table `PREFIX-heads`.

use cve_monitor_core::scan::{Due, Head, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::DynamoEventStore;
use super::heads::decoded;
use super::place::Place;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, item, number, number_of, text, text_of};
use crate::aws::dynamodb::merge::{Run, least, share};
use crate::aws::dynamodb::{at_most, batch, shard};

/// Into how many partitions each kind of wait is spread: a partition takes 1,000 WRU a second, and all that wait for the
/// scanner begin to at once.
const SHARDS: u8 = 4;
/// The index.
const INDEX: &str = "due";

/// What the index lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hit {
    at: i64,
    partition: String,
    rest: String,
}

/// Where the listing of one shard goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Begin,
    After(Hit),
    End,
}

/// The attributes by which the index lists a head that waits.
pub(super) fn keys(place: &Place, waits: &Due) -> Item {
    let shard = shard(&place.rest, SHARDS);
    item([("due_shard", text(shard_of(waits, shard))), ("due_at", number(at_of(waits)))])
}

fn shard_of(waits: &Due, shard: u8) -> String {
    match waits {
        Due::At(_) => format!("at#{shard}"),
        Due::ScannerReady => format!("ready#{shard}"),
    }
}

fn at_of(waits: &Due) -> i64 {
    match waits {
        Due::At(at) => at.as_millis(),
        Due::ScannerReady => 0,
    }
}

impl Hit {
    fn of(listed: &Item) -> Result<Self, Failure> {
        Ok(Self {
            at: number_of(listed, "due_at")?,
            partition: text_of(listed, "partition")?.to_owned(),
            rest: text_of(listed, "rest")?.to_owned(),
        })
    }

    fn place(&self) -> Place {
        Place { partition: self.partition.clone(), rest: self.rest.clone() }
    }
}

impl DynamoEventStore {
    /// A page that has none is the last: who asks for one learns whether there is any.
    pub(super) async fn due_heads(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<&PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, Failure> {
        let mut marks = match after {
            None => vec![Mark::Begin; usize::from(SHARDS)],
            Some(token) => serde_json::from_str(&token.0)
                .ok()
                .filter(|marks: &Vec<Mark>| marks.len() == usize::from(SHARDS))
                .ok_or_else(|| Failure::Refused(format!("`{token}` is not a page token of this listing")))?,
        };
        let until = match kind {
            Due::At(_) => before.as_millis(),
            Due::ScannerReady => 0,
        };
        loop {
            let hits = self.hits(kind, until, &mut marks, limit).await?;
            let items = self.confirmed(kind, hits).await?;
            if marks.iter().all(|mark| *mark == Mark::End) {
                return Ok(Page::last(items));
            }
            if !items.is_empty() {
                let token = serde_json::to_string(&marks).map_err(|e| Failure::Refused(e.to_string()))?;
                return Ok(Page { items, next: Some(PageToken(token)) });
            }
        }
    }

    /// The next entries of the index over all shards, earliest first; the marks move past them.
    async fn hits(
        &self,
        kind: &Due,
        until: i64,
        marks: &mut [Mark],
        limit: usize,
    ) -> Result<Vec<Hit>, Failure> {
        let share = share(limit, marks.len());
        let runs = (0..SHARDS).zip(&*marks).map(|(shard, mark)| self.run(kind, shard, until, mark, share));
        let mut runs = try_join_all(runs).await?;
        let hits = least(&mut runs, limit, |hit| hit.at);
        for (shard, hit) in &hits {
            marks[*shard] = Mark::After(hit.clone());
        }
        for (mark, run) in marks.iter_mut().zip(&runs) {
            if run.entries.is_empty() && !run.more {
                *mark = Mark::End;
            }
        }
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    async fn run(
        &self,
        kind: &Due,
        shard: u8,
        until: i64,
        mark: &Mark,
        limit: usize,
    ) -> Result<Run<Hit>, Failure> {
        let shard = text(shard_of(kind, shard));
        let start = match mark {
            Mark::End => return Ok(Run { entries: [].into(), more: false }),
            Mark::Begin => None,
            Mark::After(hit) => {
                let mut key = hit.place().key();
                key.extend(item([("due_shard", shard.clone()), ("due_at", number(hit.at))]));
                Some(key)
            }
        };
        let query = self.client.query().table_name(&self.tables.heads).index_name(INDEX);
        let query = query
            .key_condition_expression("due_shard = :shard AND due_at <= :until")
            .expression_attribute_values(":shard", shard)
            .expression_attribute_values(":until", number(until))
            .set_exclusive_start_key(start)
            .limit(at_most(limit));
        let answer = query.send().await.map_err(|e| failed("Query", &self.tables.heads, &e))?;
        let entries = answer.items().iter().map(Hit::of).collect::<Result<_, _>>()?;
        Ok(Run { entries, more: answer.last_evaluated_key.is_some() })
    }

    /// The heads of these entries, in their order, where they still wait just so: the index lags behind them.
    async fn confirmed(&self, kind: &Due, hits: Vec<Hit>) -> Result<Vec<(StreamId, Head)>, Failure> {
        let mut heads = HashMap::new();
        for hits in hits.chunks(batch::READ_AT_ONCE) {
            let keys = hits.iter().map(|hit| hit.place().key()).collect();
            for found in batch::read(&self.client, &self.tables.heads, keys).await? {
                let (stream, head) = decoded(&found)?;
                heads.insert(stream, head);
            }
        }
        let waits = |head: &Head, hit: &Hit| {
            head.due().is_some_and(|due| {
                std::mem::discriminant(&due) == std::mem::discriminant(kind) && at_of(&due) == hit.at
            })
        };
        Ok(hits
            .iter()
            .filter_map(|hit| {
                heads
                    .remove_entry(&Place::stream(&hit.partition, &hit.rest))
                    .filter(|(_, head)| waits(head, hit))
            })
            .collect())
    }
}
