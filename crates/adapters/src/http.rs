//! What registries over HTTP have in common: a client with bounds, where requests may go, what answers mean, blobs that are
//! taken up again where a connection breaks, listings that are kept.

mod client;
pub(crate) mod destination;
mod error;
mod kept;
mod paging;
mod transfer;

pub use client::ProxySettings;
pub(crate) use client::{client, read_bounded};
pub(crate) use error::{broken, expect_success, retry_after};
pub(crate) use kept::Kept;
pub(crate) use paging::page_after;
pub(crate) use transfer::{Blob, read};
