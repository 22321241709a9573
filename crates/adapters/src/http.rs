//! What the ways out over HTTP have in common: clients, and where requests may go; and of registries, bodies with bounds, what answers
//! mean, blobs that are taken up again where a connection breaks, listings that are kept.

pub(crate) mod client;
#[cfg(any(feature = "aws", feature = "embedded", feature = "oci"))]
pub(crate) mod outbound;
#[cfg(any(feature = "aws", feature = "oci"))]
mod registry;

#[cfg(all(feature = "oci", feature = "testkit"))]
pub(crate) use registry::translate;
#[cfg(any(feature = "aws", feature = "oci"))]
pub(crate) use registry::{
    Blob, Kept, broken, denied, expect_success, page_after, read, read_bounded, retry_after,
};
#[cfg(feature = "oci")]
pub use registry::{MAX_ERROR_BYTES, MAX_RESUMES};
