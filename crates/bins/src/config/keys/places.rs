//! Keys of what is watched.

use super::{Key, Kind, NO, key};

pub(super) const PLACES: &[Key] = &[
    key(
        "registry[].name",
        Kind::Text,
        None,
        "Required. The host (and port) by which its images are known; for ECR ACCOUNT.dkr.ecr.REGION.amazonaws.com, for a folder or file any name of that form.",
    ),
    key(
        "registry[].kind",
        Kind::Text,
        None,
        "\"distribution\" (the default), \"ecr\", \"oci-layout\", \"oci-archive\" or \"docker-archive\".",
    ),
    key(
        "registry[].url",
        Kind::Text,
        None,
        "Distribution, ECR: where the registry is reached if not at its name: scheme, host and port (ECR: and a path).",
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
    key(
        "registry[].insecure",
        Kind::Flag,
        NO,
        "Distribution: plain HTTP instead of HTTPS. ECR: allow it in url and endpoint.",
    ),
    key(
        "registry[].ca_file",
        Kind::Path,
        None,
        "Distribution, ECR (for layers): a file of PEM certificates that are trusted besides those of the system.",
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
        "registry[].role_arn",
        Kind::Text,
        None,
        "ECR: the role that is assumed for this registry, as one of another account. The process's own credentials if not given.",
    ),
    key(
        "registry[].external_id",
        Kind::Text,
        None,
        "ECR: the external id that the role's trust policy asks for.",
    ),
    key(
        "registry[].endpoint",
        Kind::Text,
        None,
        "ECR: where ECR and STS are reached in place of AWS's addresses, for an emulator: scheme, host and port. aws.endpoint_url if not given.",
    ),
    key(
        "registry[].layers",
        Kind::Text,
        Some("\"presigned\""),
        "ECR: how layers are read: \"presigned\" (an address that ECR signs for each) or \"endpoint\" (from the registry itself, with a token).",
    ),
    key(
        "registry[].lists_per_second",
        Kind::Count,
        Some("10"),
        "ECR: how many calls that list are made in a second, at most, by all workers of a process; 1 to 1000.",
    ),
    key(
        "registry[].manifests_per_second",
        Kind::Count,
        Some("200"),
        "ECR: the same for manifests; 1 to 2000.",
    ),
    key(
        "registry[].layers_per_second",
        Kind::Count,
        Some("300"),
        "ECR: the same for the addresses of layers; 1 to 3000.",
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
