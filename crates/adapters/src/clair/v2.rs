//! Clair v2 (2.0.x and 2.1.x; version 1 in the paths of its API).
//!
//! * [`ClairV2Scanner`]: layers are named by chain, an image is an empty layer on top
//! * [`ClairV2Feed`]: its notifications, which come by webhook alone
//! * [`notification_name`]: what that webhook says
//! * [`NOTIFICATIONS`], [`Proof::means`]: what `config check` says about such a server

mod answer;
pub mod bounds;
#[cfg(test)]
mod captured;
mod chain;
mod client;
mod feed;
mod probe;
mod scanner;
#[cfg(feature = "testkit")]
pub mod testkit;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use self::client::ClairV2Client;
use super::http::{Endpoint, InvalidSettings};

pub use feed::{ClairV2Feed, MAX_WEBHOOK_BYTES, NoNotification, followed_up_to, notification_name};
pub use scanner::ClairV2Scanner;

/// How long Clair may read a layer, unless set otherwise. Its own limit, after which it goes on without answering, is 15
/// minutes.
pub const INDEX_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Where the server is.
#[derive(Debug, Clone)]
pub struct ClairV2Settings {
    /// Its main API: scheme, host and port.
    pub url: Url,
    /// A file of PEM certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long it may read one layer.
    pub index_timeout: Duration,
    /// Raised by one, every layer is read again under a new name.
    pub layer_generation: u32,
}

impl ClairV2Settings {
    /// A server at this address.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { url, ca_file: None, index_timeout: INDEX_TIMEOUT, layer_generation: 1 }
    }

    fn client(&self) -> Result<ClairV2Client, InvalidSettings> {
        let endpoint = Endpoint { url: self.url.clone(), ca_file: self.ca_file.clone(), signer: None };
        ClairV2Client::new(&endpoint, self.index_timeout)
    }
}

/// What proves that Clair's data is complete. Until it is proven, reports say that it may not be; then all of them are
/// looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The operator says so.
    Word,
    /// The metrics of the process, over a whole round of its updater.
    Metrics,
}

impl Proof {
    /// What this choice means, for people who check their configuration.
    #[must_use]
    pub fn means(self) -> &'static str {
        match self {
            Self::Word => {
                "You say that Clair's data is complete; what Clair says of an image is believed as soon as it has any \
                 advisories. Should its database be emptied, your word is not taken for the new one: take it back, let \
                 the notifier run once, and give it again."
            }
            Self::Metrics => {
                "Clair's data is complete once its metrics show a whole round of its updater without an error. One source \
                 that keeps failing, that of the metadata (NVD) included, means that this never happens: then every \
                 report says that the knowledge is not ready, and Clair itself sends no notification of what its updater \
                 finds, since it takes each of its rounds for the first. Remove that source from Clair, or say that the \
                 data is complete."
            }
        }
    }
}

/// What a server means whose notifications do not arrive, for people who check their configuration.
pub const NOTIFICATIONS: &str = "Clair v2 tells of a change by its webhook alone, and sends it to one address: \
    `notifier.http.endpoint` in its configuration must be the notifier's. Without it only the sweep finds changes: a new \
    CVE is then reported as late as `sweep_after` says. Clair looks for notifications every 5 minutes, and tells of none \
    until every source of its updater has succeeded once (`updater/last` in its database).";
