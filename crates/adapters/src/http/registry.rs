//! Registries over HTTP.

mod body;
mod error;
mod kept;
mod paging;
mod transfer;

#[cfg(feature = "oci")]
pub use error::MAX_ERROR_BYTES;
#[cfg(feature = "oci")]
pub use transfer::MAX_RESUMES;

pub(crate) use body::read_bounded;
#[cfg(all(feature = "oci", feature = "testkit"))]
pub(crate) use error::translate;
pub(crate) use error::{broken, denied, expect_success, retry_after};
pub(crate) use kept::Kept;
pub(crate) use paging::page_after;
pub(crate) use transfer::{Blob, read};
