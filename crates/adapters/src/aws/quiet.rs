//! A client of the SDK that prints nothing.

use std::fmt;
use std::ops::Deref;

/// What the SDK prints of a client are 100,000 characters of endpoint rules and configuration, credentials among them
/// (redacted, as long as no plugin forgets to). Whoever prints an adapter wants to know which one it is.
#[derive(Clone)]
pub(super) struct Quiet<T>(pub(super) T);

impl<T> Deref for Quiet<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Quiet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
