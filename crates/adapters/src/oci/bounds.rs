//! The bounds of what is read of a registry and of what it leads to; what is beyond one is an error that names it.

pub use super::distribution::{
    MAX_ENTRIES, MAX_PAGE_BYTES, MAX_PAGES, MAX_REDIRECTS, MAX_REFERRER_PAGES, MAX_TOKEN_BYTES,
};
pub use super::local::{MAX_INDEX_BYTES, MAX_SUBJECTS};
pub use crate::http::{MAX_ERROR_BYTES, MAX_RESUMES};
