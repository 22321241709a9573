//! Keys of what is watched, and where things are kept.

use super::{Key, Kind, NO, key};

pub(super) const PLACES: &[Key] = &[
    key(
        "store.path",
        Kind::Path,
        None,
        "The SQLite file that holds everything; its folder is made where it is missing.",
    ),
    key("reports.folder", Kind::Path, None, "The folder that reports are delivered to."),
    key(
        "registry[].name",
        Kind::Text,
        None,
        "Required. The host (and port) by which its images are known; for a folder or file any name of that form.",
    ),
    key(
        "registry[].kind",
        Kind::Text,
        None,
        "\"distribution\" (the default), \"oci-layout\", \"oci-archive\" or \"docker-archive\".",
    ),
    key(
        "registry[].url",
        Kind::Text,
        None,
        "Distribution: where it is reached if not at its name: scheme, host and port.",
    ),
    key("registry[].path", Kind::Path, None, "Layout or archive: the folder or file. Required there."),
    key(
        "registry[].repository",
        Kind::Text,
        None,
        "Layout or archive: the repository of images that are named by a bare tag. It follows from the path if not given.",
    ),
    key(
        "registry[].repositories",
        Kind::List,
        None,
        "Distribution: names and patterns (* within a part of a name, ** across parts). The whole catalogue if not given.",
    ),
    key("registry[].insecure", Kind::Flag, NO, "Distribution: plain HTTP instead of HTTPS."),
    key(
        "registry[].ca_file",
        Kind::Path,
        None,
        "Distribution: a file of PEM certificates that are trusted besides those of the system.",
    ),
    key(
        "registry[].username",
        Kind::Text,
        None,
        "Distribution: the user; needs password_file or password_env.",
    ),
    key("registry[].password_file", Kind::Path, None, "Distribution: a file that holds the password."),
    key(
        "registry[].password_env",
        Kind::Text,
        None,
        "Distribution: the name of the variable that holds the password.",
    ),
    key(
        "registry[].docker_config",
        Kind::Flag,
        NO,
        "Distribution: use the credentials that docker login keeps.",
    ),
    key(
        "scope.newer_than",
        Kind::Duration,
        None,
        "Images pushed longer ago are passed over, where the registry tells the date. No limit if not given.",
    ),
    key(
        "scope.include[].registry",
        Kind::Text,
        None,
        "Pattern (* any text, ? one character): only images of such registries.",
    ),
    key("scope.include[].repository", Kind::Text, None, "Pattern: only images of such repositories."),
    key("scope.include[].tag", Kind::Text, None, "Pattern: only images with such a tag."),
    key(
        "scope.include[].platform",
        Kind::Text,
        None,
        "Pattern: only images for such platforms, as in linux/amd64*.",
    ),
    key(
        "scope.exclude[].registry",
        Kind::Text,
        None,
        "Pattern: no images of such registries. An exclusion wins over an inclusion.",
    ),
    key("scope.exclude[].repository", Kind::Text, None, "Pattern: no images of such repositories."),
    key("scope.exclude[].tag", Kind::Text, None, "Pattern: no images with such a tag."),
    key("scope.exclude[].platform", Kind::Text, None, "Pattern: no images for such platforms."),
];
