//! What eats foreign bytes, as functions of bytes. A body panics where a law is broken; that it ends, and within bounds of
//! memory, is for whoever runs it to see.

mod documents;
mod files;
mod layers;
#[cfg(feature = "programs")]
mod programs;
mod versions;

/// A body.
pub type Body = fn(&[u8]);

/// Bodies by the names of their folders in `corpus`.
pub const TARGETS: &[(&str, Body)] = &[
    ("apk", files::apk),
    #[cfg(feature = "programs")]
    ("config", programs::config),
    ("dpkg", files::dpkg),
    #[cfg(feature = "programs")]
    ("ecr-event", programs::ecr_event),
    #[cfg(feature = "programs")]
    ("image-config", programs::image_config),
    ("jar", files::jar),
    ("layer", layers::layer),
    ("lock", files::lock),
    ("manifest", documents::manifest),
    ("metadata", files::metadata),
    ("name", documents::name),
    #[cfg(feature = "programs")]
    ("notification", programs::notification),
    ("os-release", files::os_release),
    ("osv", documents::osv),
    ("program", files::program),
    ("record", layers::record),
    ("report", documents::report),
    #[cfg(feature = "programs")]
    ("report-view", programs::report_view),
    ("sbom", documents::sbom),
    #[cfg(feature = "programs")]
    ("source", programs::source),
    ("rpm", files::rpm),
    ("stored", documents::stored),
    ("version", versions::orders),
];

/// The body of a name.
#[must_use]
pub fn target(name: &str) -> Option<Body> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}
