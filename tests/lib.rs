//! Shared by the test binaries of this folder.

pub mod fakes;
