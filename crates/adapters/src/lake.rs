//! What readers of a lake of reports find in it, wherever it lies.

use std::pin::Pin;

use tokio::io::AsyncBufRead;

/// What lies right under a place of a lake; named by its key, from the lake's root, with `/` between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// More lies under it.
    Folder(String),
    /// It can be read.
    Object(String),
}

/// The bytes of an object, as they come.
pub type Body = Pin<Box<dyn AsyncBufRead + Send>>;

/// Why something cannot be listed or read: it is named, with what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LakeError(pub String);
