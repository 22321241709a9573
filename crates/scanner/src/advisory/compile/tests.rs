//! Databases compiled from small folders.
