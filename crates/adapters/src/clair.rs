//! Clair as the scanner and as the source of changes.
//!
//! * [`v2`]: Clair v2, driven by chains of layers; its notifications are facts that come once
//! * [`v4`]: Clair v4, several services behind one or two addresses, driven by manifest digest
//! * [`PresharedKey`]: `auth.psk`, which signs requests to Clair and proves that a webhook comes from it
//!
//! Nothing here reads the environment: addresses and keys come in as settings.

mod http;
mod psk;
pub mod v2;
pub mod v4;

pub use http::{Endpoint, InvalidSettings};
pub use psk::{INTRASERVICE_ISSUER, InvalidKey, NOTIFIER_ISSUER, PresharedKey, Signer, Unproven};
