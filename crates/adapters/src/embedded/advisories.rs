//! Advisories for the embedded scanner: where they come from, the folder of their generations, what changed.
//!
//! * [`AdvisoryStore`]: a folder of advisory databases, one file a generation, shared by several processes
//! * [`AdvisorySource`], [`AdvisoryMirror`]: a folder or an archive of OSV records, or a mirror of OSV's exports
//! * [`EmbeddedFeed`]: the change feed over that folder

mod feed;
mod mirror;
mod source;
mod store;

pub use self::feed::EmbeddedFeed;
pub use self::mirror::{AdvisoryMirror, Fetched, MAX_EXPORT_BYTES, MirrorError, MirrorSettings, Progress};
pub use self::source::{AdvisorySource, DEFAULT_ECOSYSTEMS, InvalidSource};
pub(super) use self::store::State;
pub use self::store::{AdvisoryError, AdvisoryStatus, AdvisoryStore, Refreshed};
