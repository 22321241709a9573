//! Folders and archives, whole, broken and half-copied.
