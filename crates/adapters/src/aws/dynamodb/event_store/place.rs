//! Where the head of a stream is: its id, cut in two.

use cve_monitor_core::scan::StreamId;

use crate::aws::dynamodb::failure::Failure;
use crate::aws::dynamodb::item::{Item, item, text};

/// The partition and the sort key of a head. A repository's images are one partition, in the order of their digests;
/// feeds are one, reconciliations are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: String,
    pub(super) rest: String,
}

impl Place {
    pub(super) fn of(stream: &StreamId) -> Result<Self, Failure> {
        match cut(&stream.0) {
            Some((partition, rest)) if !rest.is_empty() => {
                Ok(Self { partition: partition.to_owned(), rest: rest.to_owned() })
            }
            _ => Err(Failure::Refused(format!("`{stream}` is not the id of a stream"))),
        }
    }

    pub(super) fn key(&self) -> Item {
        item([("partition", text(&self.partition)), ("rest", text(&self.rest))])
    }

    pub(super) fn stream(partition: &str, rest: &str) -> StreamId {
        StreamId(format!("{partition}{rest}"))
    }
}

/// Cuts an id, or what ids begin with, after what names its partition; none where it does not reach so far.
///
/// No partition's name begins with another's: walked in their order, they give all ids in the order of ids.
pub(super) fn cut(id: &str) -> Option<(&str, &str)> {
    let end = if id.starts_with(StreamId::IMAGES) { id.find('@') } else { id.find('/') };
    end.map(|end| id.split_at(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_a_partition_and_any_other_kind_of_stream_is_one() {
        for (id, partition, rest) in [
            ("image/r.test:5000/a/b@sha256:00", "image/r.test:5000/a/b@", "sha256:00"),
            ("feed/clair@4", "feed/", "clair@4"),
            ("reconcile/r.test/x", "reconcile/", "r.test/x"),
        ] {
            let place = Place::of(&StreamId(id.to_owned())).unwrap();
            assert_eq!((place.partition.as_str(), place.rest.as_str()), (partition, rest));
            assert_eq!(Place::stream(partition, rest).0, id);
        }
        for wrong in ["", "feed", "feed/", "image/r.test/a", "image/r.test/a@"] {
            assert!(matches!(Place::of(&StreamId(wrong.to_owned())), Err(Failure::Refused(_))), "{wrong}");
        }
    }
}
