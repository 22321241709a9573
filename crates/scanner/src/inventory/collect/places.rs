//! Paths that decide what an image holds, whatever lies there.

use crate::inventory::extractor::EXTRACTORS;
use crate::inventory::os_release;
use crate::layer::path;

/// Whether a path is, or leads to, a file whose absence or presence decides what an image holds.
pub(super) fn leads_to_place(path: &str) -> bool {
    let leads_to = |target: &str| path::is_at_or_below(target.trim_end_matches('/'), path);
    let mut places = EXTRACTORS.iter().flat_map(|extractor| extractor.fixed_places());
    os_release::PATHS.iter().any(|target| leads_to(target))
        || places.any(|place| leads_to(place) || place.strip_suffix('/') == Some(path::parent(path)))
}

/// The same, or what may be part of any path: links at the top (`lib -> usr/lib`).
pub(super) fn is_structural(path: &str) -> bool {
    !path.contains('/') || leads_to_place(path)
}
