//! Which packages a layer, and then an image, holds.

mod collect;
mod described;
mod extractor;
mod fold;
mod kind;
mod language;
mod os;
mod os_release;
mod record;
mod unread;

pub(crate) use self::collect::{Collector, Content};
pub use self::described::{SbomProblem, SbomSource};
pub use self::extractor::READ_KINDS;
pub use self::fold::{ImageInventory, PackageInstance, Unread, fold};
pub use self::kind::{PackageKey, PackageKind};
pub(crate) use self::os::rpm::{rpm_module, split_source};
pub use self::os_release::Distribution;
pub use self::record::{
    EXTRACTOR_VERSION, EXTRACTOR_VERSION_WITH_LOCK_FILES, InstalledPackage, LayerRecord, Node, NodeContent,
    OwnedFiles, RECORD_FORMAT, UnreadEvidence,
};
