//! What Clair v2 speaks (`api/v1/models.go` of 2.0.9): members that it leaves out are empty, unknown ones are ignored.

use serde::{Deserialize, Deserializer, Serialize};

/// `null` where a list is empty.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// `POST /v1/layers`.
#[derive(Serialize)]
pub(super) struct LayerPosted<'a> {
    #[serde(rename = "Layer")]
    pub(super) layer: NewLayer<'a>,
}

/// A layer as it is posted. Its address and headers are credentials: it has no `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewLayer<'a> {
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent_name: Option<&'a str>,
    pub(super) format: &'static str,
    /// One value each, unlike those of v4.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub(super) headers: std::collections::BTreeMap<&'a str, &'a str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LayerEnvelope {
    #[serde(rename = "Layer")]
    pub(super) layer: Layer,
}

/// A stored layer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Layer {
    pub(super) namespace_name: String,
    pub(super) parent_name: String,
    pub(super) indexed_by_version: u32,
    #[serde(deserialize_with = "nullable")]
    pub(super) features: Vec<Feature>,
}

/// A package of the whole chain.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Feature {
    pub(super) name: String,
    pub(super) namespace_name: String,
    pub(super) version_format: String,
    pub(super) version: String,
    pub(super) added_by: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

/// A vulnerability: of a package (`fixed_by`), or of a notification (`fixed_in`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Vulnerability {
    pub(super) name: String,
    pub(super) namespace_name: String,
    pub(super) description: String,
    pub(super) link: String,
    pub(super) severity: String,
    pub(super) fixed_by: String,
    /// What the sources of metadata say, each under its name and in its own form.
    pub(super) metadata: serde_json::Value,
    #[serde(deserialize_with = "nullable")]
    pub(super) fixed_in: Vec<Feature>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Namespaces {
    #[serde(deserialize_with = "nullable")]
    pub(super) namespaces: Vec<Namespace>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Namespace {
    pub(super) name: String,
}

/// Only whether there are any is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Vulnerabilities {
    #[serde(deserialize_with = "nullable")]
    pub(super) vulnerabilities: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NotificationEnvelope {
    #[serde(rename = "Notification")]
    pub(super) notification: Notification,
}

/// A page of a notification.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Notification {
    pub(super) next_page: String,
    pub(super) old: Option<Side>,
    pub(super) new: Option<Side>,
}

/// A vulnerability before or after a change, with layers that bring in a package that it affects.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Side {
    pub(super) vulnerability: Vulnerability,
    #[serde(deserialize_with = "nullable")]
    ordered_layers_introducing_vulnerability: Vec<OrderedLayer>,
    #[serde(deserialize_with = "nullable")]
    layers_introducing_vulnerability: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OrderedLayer {
    layer_name: String,
}

impl Side {
    /// The names of its layers. Early servers have only the list that is deprecated now.
    pub(super) fn layers(&self) -> impl Iterator<Item = &str> {
        let ordered =
            self.ordered_layers_introducing_vulnerability.iter().map(|layer| layer.layer_name.as_str());
        ordered.chain(self.layers_introducing_vulnerability.iter().map(String::as_str))
    }
}
