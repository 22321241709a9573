//! What is done with the notifications of a Clair: a bell of version 4 wakes the notifier, one of version 2 is a fact.

use std::sync::Arc;

use cve_monitor_adapters::clair::v2;
use cve_monitor_adapters::clair::v4;
use cve_monitor_adapters::clair::{NOTIFIER_ISSUER, PresharedKey};
use cve_monitor_core::pipeline::{Inbox, InboxError, Ports};
use cve_monitor_core::vocabulary::FeedName;

/// How a scanner notifies.
#[derive(Debug)]
pub(super) enum Ringing {
    /// By bells that change nothing but the time of the next look, proven by a key, or let in unproven.
    Wakes {
        /// The key.
        key: Option<PresharedKey>,
        /// Whether a bell needs none.
        unsigned: bool,
    },
    /// By names that come once only.
    Tells,
}

/// Takes a Clair's notifications.
#[derive(Debug)]
pub struct Bells {
    ringing: Ringing,
    inbox: Inbox,
    ports: Arc<Ports>,
}

/// Why a notification was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BellError {
    /// Nothing proves that it comes from the Clair that is configured.
    Unproven(String),
    /// It is no notification.
    Malformed(String),
    /// It is not durable: it has to come again.
    NotRecorded(String),
}

impl Bells {
    pub(super) fn new(ringing: Ringing, ports: &Arc<Ports>, feed: &FeedName) -> Self {
        let inbox = Inbox::new(Arc::clone(ports), feed, v2::followed_up_to);
        Self { ringing, inbox, ports: Arc::clone(ports) }
    }

    /// Takes a notification. When this returns Ok, it is as durable as it has to be: a name that comes once only is an
    /// event, and a bell that only wakes needs nothing.
    ///
    /// # Errors
    /// Where it is not to be believed, cannot be read, or is not durable.
    pub async fn ring(&self, authorization: Option<&str>, body: &[u8]) -> Result<(), BellError> {
        match &self.ringing {
            Ringing::Wakes { key, unsigned } => {
                self.prove(key.as_ref(), *unsigned, authorization)?;
                v4::parse_bell(body).map(drop).map_err(|error| BellError::Malformed(error.to_string()))
            }
            Ringing::Tells => {
                let name =
                    v2::notification_name(body).map_err(|error| BellError::Malformed(error.to_string()))?;
                match self.inbox.ring(name).await {
                    Ok(_) => Ok(()),
                    Err(InboxError::Name) => Err(BellError::Malformed(InboxError::Name.to_string())),
                    Err(error) => Err(BellError::NotRecorded(error.to_string())),
                }
            }
        }
    }

    fn prove(
        &self,
        key: Option<&PresharedKey>,
        unsigned: bool,
        authorization: Option<&str>,
    ) -> Result<(), BellError> {
        match key {
            Some(key) => key
                .verify(authorization, NOTIFIER_ISSUER, self.ports.clock.now())
                .map_err(|error| BellError::Unproven(error.to_string())),
            None if unsigned => Ok(()),
            None => Err(BellError::Unproven(
                "there is no key to verify it with: set clair.psk_file, or clair.webhook_unsigned = true"
                    .to_owned(),
            )),
        }
    }
}
