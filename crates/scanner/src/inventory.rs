//! Which packages a layer, and then an image, holds.

mod collect;
mod dpkg;
mod fold;
mod kind;
mod os_release;
mod record;
mod unread;

pub(crate) use self::collect::{Collector, Content};
pub use self::fold::{ImageInventory, PackageInstance, Unread, fold};
pub use self::kind::{PackageKey, PackageKind, READ_KINDS};
pub use self::os_release::Distribution;
pub use self::record::{
    EXTRACTOR_VERSION, InstalledPackage, LayerRecord, Node, NodeContent, RECORD_FORMAT, UnreadEvidence,
};
