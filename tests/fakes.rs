//! Servers that behave as real ones do, for tests that need more than recorded answers.

pub mod aws_proxy;
pub mod clair_v4;
pub mod ecr;
