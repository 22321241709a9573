//! The words of the domain: values without behaviour beyond their own validity.

mod completeness;
mod digest;
mod finding;
mod image;
mod knowledge;
mod manifest;
mod page;
mod reference;
mod request;
mod timestamp;

pub use completeness::{Completeness, Level, Reason, ReasonCode, Verdict};
pub use digest::{Digest, DigestError};
pub use finding::{
    Enrichments, Finding, FindingKey, FindingStatus, PackageKind, Probability, Severity, SeverityCounts,
};
pub use image::{ImageId, InvalidName, RegistryIdentity, RegistryName, RepositoryName, Tag};
pub use knowledge::{Assessment, FeedName, Generation, Knowledge, KnowledgeId, LayerKey, ScannerIdentity};
pub use manifest::{
    ArtifactKind, Child, Descriptor, ImageManifest, MAX_MANIFEST_BYTES, Manifest, ManifestError, MediaType,
    Platform, RawManifest, Referrer,
};
pub use page::{Page, PageToken};
pub use reference::{Reference, ReferenceError};
pub use request::{Cause, DeadLetter, DeadLetterReason, Lane, RequestId, ScanRequest};
pub use timestamp::{InvalidTimestamp, Timestamp};

pub(crate) use knowledge::text;
