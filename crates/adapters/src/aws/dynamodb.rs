//! Streams and the layer index on DynamoDB.
//!
//! Three tables, defined in one file that the terraform module reads as well, all billed on demand:
//!
//! | table | partition key | sort key | one item |
//! |---|---|---|---|
//! | `PREFIX-events` | the stream | the version of its first event | the events of one append |
//! | `PREFIX-heads` | what its id begins with | the rest of its id | the head of one stream |
//! | `PREFIX-layer-index` | a layer key and a shard | an image | nothing but its key |
//!
//! What they cost is said at each store, in write and read request units (WRU: 1 KB written; RRU: 4 KB read, strongly
//! consistent).

mod batch;
mod event_store;
mod failure;
mod item;
mod layer_index;
mod merge;
mod tables;

pub use self::event_store::DynamoEventStore;
pub use self::layer_index::DynamoLayerIndex;
pub use self::tables::{create_tables, table_names};

/// The most entries of a page, whatever the caller asks for.
const PAGE_MAX: usize = 5_000;

/// A page's bound: at least one entry, for a page that never advances would never end.
fn page_limit(limit: usize) -> usize {
    limit.clamp(1, PAGE_MAX)
}

/// A bound as DynamoDB takes it.
fn at_most(items: usize) -> i32 {
    i32::try_from(items.max(1)).unwrap_or(i32::MAX)
}

/// Which of so many shards something is in: the same for ever, for what is stored depends on it.
fn shard(of: &str, shards: u8) -> u8 {
    use sha2::Digest as _;
    sha2::Sha256::digest(of.as_bytes())[0] % shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_least_one_entry_and_at_most_the_bound() {
        assert_eq!((page_limit(0), page_limit(PAGE_MAX), page_limit(PAGE_MAX + 1)), (1, PAGE_MAX, PAGE_MAX));
        assert_eq!((at_most(0), at_most(7)), (1, 7));
    }

    #[test]
    fn a_shard_never_changes() {
        assert_eq!(["a", "b", "c", "d"].map(|text| shard(text, 4)), [2, 2, 2, 0]);
    }
}
