//! Whether Clair's data is there, and whether it is complete.
//!
//! Its API does not say. Its first load inserts advisory by advisory, and its own word for "done" is a row of its
//! database, `updater/last`, written only after a round in which every source succeeded. So readiness is found once,
//! by one of the proofs below, and remembered in the feed's stream. From then on an empty layer bears witness: whoever
//! empties Clair's database removes it with everything else.

mod rounds;

use super::client::{ClairV2Client, Source};
use crate::clair::http::HttpError;

pub(super) use rounds::Rounds;

/// The empty layer that is posted when Clair's data was found complete.
const WITNESS: &str = "cve-monitor.ready";
/// How many distributions are asked about until one is found that Clair knows something of.
pub const NAMESPACES_MAX: usize = 200;

/// Whether there are any advisories. A distribution alone is none: a stored layer brings its own.
pub(super) async fn has_advisories(client: &ClairV2Client) -> Result<bool, HttpError> {
    for namespace in client.namespaces().await?.iter().take(NAMESPACES_MAX) {
        if client.has_advisories(namespace).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the database is the one that was found complete.
pub(super) async fn witness_stands(client: &ClairV2Client) -> Result<bool, HttpError> {
    Ok(client.layer(WITNESS).await?.is_some())
}

/// Lets the database of this moment be known again.
pub(super) async fn post_witness(client: &ClairV2Client) -> Result<(), HttpError> {
    client.post_layer(WITNESS, None, &Source::nothing()).await.map(drop)
}
