//! What eats foreign bytes, as functions of bytes. A body panics where a law is broken; that it ends, and within bounds of
//! memory, is for whoever runs it to see.
//!
//! | what is eaten | bodies |
//! |---|---|
//! | layers: tar, gzip, zstd; archives in archives | `layer`, `jar` |
//! | package databases | `apk`, `dpkg`, `rpm` |
//! | other files of layers | `os-release`, `metadata`, `lock`, `program` |
//! | manifests, indexes, lists of referrers; configurations of images | `manifest`, `image-config` |
//! | SBOMs, bare, in statements and in envelopes | `sbom` |
//! | names, references, digests, dates; what people type | `name`, `source` |
//! | versions | `version` |
//! | OSV records; their archives and lists of ratings; bundles | `osv`, `advisories`, `bundle` |
//! | what registries post, and Clair; the tokens of its webhooks | `notification`, `bearer` |
//! | events of EventBridge | `ecr-event` |
//! | Clair 4: reports, operations, failures; diffs | `clair-v4`, `clair-diff` |
//! | Clair 2: layers, notifications, metrics | `clair-v2` |
//! | demands for credentials, links and refusals of registries | `registry` |
//! | OCI layouts, OCI and docker archives | `local` |
//! | docker's credentials | `docker-config` |
//! | the programs' configuration | `config` |
//! | what was stored: events, heads, requests; records of layers; reports | `stored`, `record`, `report`, `report-view` |
//!
//! Without a body are small objects that serde reads by itself and of which a member or two is used as it is: tokens of
//! registries, pages of tags and repositories, states and affected manifests of Clair 4, distributions of Clair 2, answers of
//! credential helpers, the platform in an image's configuration, the types of an artifact's layers. So are answers of AWS,
//! which its SDK reads, and what this program alone writes and nobody hands it from elsewhere: SQLite files, cursors, page
//! tokens, validators, advisory databases.

mod answers;
mod documents;
mod files;
mod layers;
mod places;
#[cfg(feature = "programs")]
mod programs;
mod versions;

/// A body.
pub type Body = fn(&[u8]);

/// Bodies by the names of their folders in `corpus`.
pub const TARGETS: &[(&str, Body)] = &[
    ("advisories", places::advisories),
    ("apk", files::apk),
    ("bearer", answers::bearer),
    ("bundle", places::bundle),
    ("clair-diff", answers::clair_diff),
    ("clair-v2", answers::clair_v2),
    ("clair-v4", answers::clair_v4),
    #[cfg(feature = "programs")]
    ("config", programs::config),
    ("docker-config", places::docker_config),
    ("dpkg", files::dpkg),
    #[cfg(feature = "programs")]
    ("ecr-event", programs::ecr_event),
    ("image-config", documents::image_config),
    ("jar", files::jar),
    ("layer", layers::layer),
    ("local", places::local),
    ("lock", files::lock),
    ("manifest", documents::manifest),
    ("metadata", files::metadata),
    ("name", documents::name),
    ("notification", answers::notification),
    ("os-release", files::os_release),
    ("osv", documents::osv),
    ("program", files::program),
    ("record", layers::record),
    ("registry", answers::registry),
    ("report", documents::report),
    #[cfg(feature = "programs")]
    ("report-view", programs::report_view),
    ("rpm", files::rpm),
    ("sbom", documents::sbom),
    ("source", documents::source),
    ("stored", documents::stored),
    ("version", versions::orders),
];

/// The body of a name.
#[must_use]
pub fn target(name: &str) -> Option<Body> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}
