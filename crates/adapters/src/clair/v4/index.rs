//! Lets Clair read an image: a manifest with the addresses of its layers, asked for right before they are handed on.

use std::collections::BTreeMap;
use std::sync::Arc;

use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{BlobLocation, IndexRequest, Registry, ScannerError};
use cve_monitor_core::vocabulary::{Digest, LayerKey};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::assess::{Report, package_keys};
use super::client::ClairV4Client;
use super::error::{IndexTrouble, index_trouble, of_registry};

/// How often an image is handed over with new addresses because the registry refused the ones before: they may have
/// expired while Clair was busy.
const TRIES: usize = 2;
/// How many layers of one image the registry is asked about at once.
const LOCATIONS_AT_ONCE: usize = 8;

/// claircore's `Manifest`.
#[derive(Serialize)]
struct Manifest<'a> {
    hash: &'a Digest,
    layers: Vec<Layer<'a>>,
}

#[derive(Serialize)]
struct Layer<'a> {
    hash: &'a Digest,
    uri: String,
    /// Each name with all its values.
    headers: BTreeMap<String, Vec<String>>,
}

/// How an index ended, or where it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IndexState {
    Finished,
    Failed(IndexTrouble),
    /// Another request is at it.
    Running,
}

impl IndexState {
    /// Older versions answer 201 to a failed index, and any tells of one when asked later: the state counts.
    pub(super) fn of(report: &Report) -> Self {
        match report.state.as_str() {
            "IndexFinished" if report.success => Self::Finished,
            "IndexFinished" | "IndexError" => Self::Failed(index_trouble(&report.err)),
            _ => Self::Running,
        }
    }
}

/// What came of an index.
#[derive(Debug)]
pub(super) struct Indexed {
    /// The keys that its packages give it.
    pub(super) keys: Vec<LayerKey>,
    /// The indexer's state at the time, where it said.
    pub(super) state: Option<String>,
}

/// Lets Clair read an image. One with a layer that Clair cannot read counts as read: assessing it tells.
pub(super) async fn index(
    client: &ClairV4Client,
    registries: &Registries,
    request: &IndexRequest,
) -> Result<Indexed, ScannerError> {
    let image = &request.image;
    let registry = registries.get(&image.registry).ok_or_else(|| {
        ScannerError::Permanent(format!("no registry named `{}` is configured", image.registry))
    })?;
    if request.manifest.layers.is_empty() {
        return Err(ScannerError::Permanent("Clair reads no image without layers".to_owned()));
    }
    let mut tried = 0;
    loop {
        tried += 1;
        let trouble = match hand_over(client, registry, request).await? {
            Ok(indexed) => return Ok(indexed),
            Err(trouble) => trouble,
        };
        match trouble {
            IndexTrouble::Refused(_) if tried < TRIES => {}
            IndexTrouble::Unreadable(why) => {
                tracing::warn!(%image, "Clair cannot read this image: {why}");
                return Ok(Indexed { keys: vec![], state: None });
            }
            trouble => return Err(trouble.into()),
        }
    }
}

async fn hand_over(
    client: &ClairV4Client,
    registry: &Arc<dyn Registry>,
    request: &IndexRequest,
) -> Result<Result<Indexed, IndexTrouble>, ScannerError> {
    let turn = client.turn().await;
    let manifest = Manifest { hash: &request.image.digest, layers: layers(registry, request).await? };
    let json = serde_json::to_vec(&manifest)
        .map_err(|_| ScannerError::Permanent("the manifest has no JSON form".to_owned()))?;
    let answer = client.index(json).await;
    drop(turn);
    match answer {
        Ok((report, state)) => Ok(match IndexState::of(&report) {
            IndexState::Finished => Ok(Indexed { keys: package_keys(&report), state }),
            IndexState::Failed(trouble) => Err(trouble),
            IndexState::Running => Err(IndexTrouble::Other(format!("the index stopped in {}", report.state))),
        }),
        // Both statuses stand for troubles of either side, and only the text tells whose.
        Err(error) => match error.status_and_message() {
            Some((400 | 500, text)) if text.starts_with("failed to start scan") => {
                Ok(Err(index_trouble(text)))
            }
            Some((400, _)) => Err(ScannerError::Permanent(error.to_string())),
            _ => Err(error.into()),
        },
    }
}

async fn layers<'a>(
    registry: &Arc<dyn Registry>,
    request: &'a IndexRequest,
) -> Result<Vec<Layer<'a>>, ScannerError> {
    let repository = &request.image.repository;
    // A future does nothing until it is one of those that run.
    let asked: Vec<_> = request
        .manifest
        .layers
        .iter()
        .map(|layer| async move {
            let location = registry.location(repository, layer).await.map_err(|error| of_registry(&error))?;
            Ok(located(&layer.digest, location))
        })
        .collect();
    futures::stream::iter(asked).buffered(LOCATIONS_AT_ONCE).try_collect().await
}

fn located(hash: &Digest, location: BlobLocation) -> Layer<'_> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in location.headers {
        headers.entry(name).or_default().push(value);
    }
    Layer { hash, uri: location.uri, headers }
}
