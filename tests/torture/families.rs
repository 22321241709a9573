//! The table, one file a family: each image, its verdict, and why.

mod archives;
mod blobs;
mod bounds;
mod databases;
mod languages;
mod manifests;
mod names;
mod overlays;
mod rpms;
mod systems;

use crate::case::Case;

/// A family by its name, with its rows.
pub(crate) type Family = (&'static str, fn() -> Vec<Case>);

/// All families.
pub(crate) const FAMILIES: [Family; 10] = [
    ("Systems", systems::cases),
    ("Layers over layers", overlays::cases),
    ("Names and headers", names::cases),
    ("Blobs", blobs::cases),
    ("Manifests", manifests::cases),
    ("dpkg and apk", databases::cases),
    ("rpm", rpms::cases),
    ("Java archives", archives::cases),
    ("Languages", languages::cases),
    ("Bounds", bounds::cases),
];
