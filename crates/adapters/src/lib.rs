//! Adapters: the ports of the core on real technologies.

#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "oci")]
pub mod oci;
pub mod system_clock;
