//! Adapters: the ports of the core on real technologies.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "clair")]
pub mod clair;
#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(any(feature = "aws", feature = "clair", feature = "embedded", feature = "oci"))]
mod http;
#[cfg(any(feature = "aws", feature = "embedded"))]
pub mod lake;
#[cfg(feature = "oci")]
pub mod oci;
mod secret;
pub mod system_clock;
#[cfg(any(feature = "aws", feature = "oci"))]
mod verifier;

#[cfg(any(feature = "aws", feature = "embedded", feature = "oci"))]
pub use http::outbound::ProxySettings;
pub use secret::Secret;
