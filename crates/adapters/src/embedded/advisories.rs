//! Advisories for the embedded scanner: where they come from, the folder of their generations, what changed.
//!
//! * [`AdvisoryStore`]: a folder of advisory databases, one file a generation, shared by several processes
//! * [`AdvisorySource`], [`AdvisoryMirror`]: a folder or an archive of OSV records, or a mirror of OSV's exports
//! * [`Bundled`]: what a file holds that carries advisories to where no mirror is
//! * [`Order`], [`Coverage`]: which ecosystems a store is to hold, and which it has answers for
//! * [`EmbeddedFeed`]: the change feed over that folder

mod bundle;
mod feed;
mod mirror;
mod source;
mod store;

pub use self::bundle::{BundleError, Bundled};
pub use self::feed::EmbeddedFeed;
pub use self::mirror::{
    AdvisoryMirror, Fetched, MAX_EXPORT_BYTES, MAX_MIRROR_REDIRECTS, MirrorError, MirrorSettings, Progress,
};
pub use self::source::{AdvisorySource, InvalidSource};
pub(super) use self::store::State;
pub use self::store::{
    AdvisoryError, AdvisoryStatus, AdvisoryStore, Answer, Ask, Coverage, Ecosystems, Order, Problem,
    Refreshed, Step, Updated,
};
