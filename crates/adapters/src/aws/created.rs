//! What was made in an account.

/// A queue, table or bucket that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its full name.
    pub name: String,
    /// Whether it was there before.
    pub existed: bool,
}
