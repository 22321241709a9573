//! What the scanner keeps, reads and refuses.
