//! What is made of Clair v2's answers, as functions of bytes.

use cve_monitor_core::vocabulary::{Assessment, LayerKey};

use super::answer::Look;
use super::chain::ChainId;
use super::probe::Rounds;
use super::wire::{LayerEnvelope, NotificationEnvelope};

/// What the answer about an image's topmost layer says; none where it is no such answer.
#[must_use]
pub fn assessed(answer: &[u8]) -> Option<Assessment> {
    let envelope: LayerEnvelope = serde_json::from_slice(answer).ok()?;
    Some(Look::at(&envelope.layer, &[]).into_assessment())
}

/// The keys of the layers that a page of a notification names; none where it is no such page.
#[must_use]
pub fn notified(page: &[u8]) -> Option<Vec<LayerKey>> {
    let NotificationEnvelope { notification } = serde_json::from_slice(page).ok()?;
    let sides = [&notification.old, &notification.new].into_iter().flatten();
    Some(sides.flat_map(|side| side.layers().filter_map(ChainId::in_name)).map(ChainId::key).collect())
}

/// Whether metrics that were read one after the other prove a whole round of the updater.
pub fn proven<'a>(samples: impl IntoIterator<Item = &'a str>) -> bool {
    let mut rounds = Rounds::default();
    samples.into_iter().fold(false, |proven, sample| rounds.look(sample) | proven)
}
