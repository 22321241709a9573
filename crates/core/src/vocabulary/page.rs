//! Pages: every list of a port comes in them, with a token that outlives the process.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a listing goes on. Opaque to everyone but the adapter that made it; durable across restarts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a list; `next` is none on the last one. A page may be empty and not the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of this page.
    pub items: Vec<T>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// The last page.
    #[must_use]
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
