//! What registries over HTTP have in common: bodies with bounds, what answers mean, blobs that are taken up again where a
//! connection breaks, listings that are kept.

mod body;
mod error;
mod kept;
mod paging;
mod transfer;

pub(crate) use body::read_bounded;
pub(crate) use error::{broken, denied, expect_success, retry_after};
pub(crate) use kept::Kept;
pub(crate) use paging::page_after;
pub(crate) use transfer::{Blob, read};
