//! Package inventories out of container image layers, OSV advisories, and the matching of both.
//!
//! Three steps, each pure but for the bytes that it is handed: [`read_layer`] turns a layer's blob into a
//! [`LayerRecord`], once and for ever; [`fold`] turns the records of an image's layers into an
//! [`ImageInventory`]; [`matching::assess`] judges an inventory by an [`advisory::Database`]. A new database
//! therefore re-judges an image without a byte of its layers, and
//! [`advisory::changed_packages`] says which packages are worth it.
//!
//! No network, no clock, no environment: whatever depends on those is handed in.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod advisory;
mod inventory;
mod layer;
pub mod matching;
pub mod sbom;
pub mod version;

pub use inventory::{
    Distribution, EXTRACTOR_VERSION, EXTRACTOR_VERSION_WITH_LOCK_FILES, ImageInventory, InstalledPackage,
    LayerRecord, Node, NodeContent, OwnedFiles, PackageInstance, PackageKey, PackageKind, READ_KINDS,
    RECORD_FORMAT, SbomProblem, SbomSource, Unread, UnreadEvidence, fold,
};
pub use layer::{
    DEFAULT_MAX_BLOB_BYTES, DEFAULT_MAX_CAPTURED_BYTES, DEFAULT_MAX_ENTRIES, DEFAULT_MAX_LAYER_BYTES,
    DEFAULT_MAX_NAME_BYTES, DEFAULT_MAX_RECORD_BYTES, ExpectedBlob, Extraction, LayerError, LayerProblem,
    Limits, MAX_EXTENDED_HEADER_BYTES, MAX_ZSTD_WINDOW_LOG, read_layer,
};
