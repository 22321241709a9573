//! Layers built in memory, whole and broken, read to their end.
