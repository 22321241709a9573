//! The layer keys by which the feed finds images: the manifest digest, and for what Clair's reverse lookup does not
//! answer, the names of packages.

use std::collections::BTreeSet;

use cve_monitor_core::ports::MAX_FURTHER_KEYS;
use cve_monitor_core::vocabulary::LayerKey;

/// What stands for every package of an ecosystem, in images that have too many to name each.
const ANY: &str = "*";

/// The key of every image that holds a package of this name. The ecosystem is the name of a language's repository as
/// Clair has it (`go`, `maven`, `npm`, `rubygems`), `rhcc` for images of Red Hat as packages, or the `did` of a
/// distribution (`rhel`, `sles`).
pub(super) fn package_key(ecosystem: &str, name: &str) -> LayerKey {
    LayerKey(format!("package:{ecosystem}:{name}"))
}

/// The key of every image with too many packages to name each, some of which are of this ecosystem.
pub(super) fn any_package_key(ecosystem: &str) -> LayerKey {
    package_key(ecosystem, ANY)
}

/// Whether Clair names the manifests that an advisory of this ecosystem affects. Its `affected_manifest` asks fewer
/// matchers than its reports do: in Clair 4.9 (claircore 1.5.48, `internal/matcher/omnimatcher.go`) those of the
/// distributions below and of Python.
pub(super) fn is_looked_up(ecosystem: &str) -> bool {
    matches!(ecosystem, "alpine" | "amzn" | "debian" | "pypi" | "ubuntu")
}

/// The keys of an image with these packages, as ecosystem and name, at most [`MAX_FURTHER_KEYS`].
pub(super) fn further_keys<'a>(packages: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<LayerKey> {
    let packages: BTreeSet<(&str, &str)> = packages
        .into_iter()
        .filter(|(ecosystem, name)| !is_looked_up(ecosystem) && !name.is_empty())
        .collect();
    if packages.len() <= MAX_FURTHER_KEYS {
        return packages.into_iter().map(|(ecosystem, name)| package_key(ecosystem, name)).collect();
    }
    let ecosystems: BTreeSet<&str> = packages.into_iter().map(|(ecosystem, _)| ecosystem).collect();
    ecosystems.into_iter().take(MAX_FURTHER_KEYS).map(any_package_key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(keys: &[LayerKey]) -> Vec<&str> {
        keys.iter().map(|key| key.0.as_str()).collect()
    }

    #[test]
    fn what_is_not_looked_up_is_keyed_by_name() {
        let packages =
            [("go", "golang.org/x/text"), ("debian", "glibc"), ("go", "golang.org/x/text"), ("rhel", "bash")];
        assert_eq!(texts(&further_keys(packages)), ["package:go:golang.org/x/text", "package:rhel:bash"]);
        assert_eq!(further_keys([("go", "")]), []);
    }

    #[test]
    fn too_many_names_become_one_key_an_ecosystem() {
        let names: Vec<String> = (0..=MAX_FURTHER_KEYS).map(|n| format!("p{n}")).collect();
        let most: Vec<(&str, &str)> = names.iter().skip(1).map(|name| ("npm", name.as_str())).collect();
        assert_eq!(further_keys(most.iter().copied()).len(), MAX_FURTHER_KEYS);
        let all = names.iter().map(|name| ("npm", name.as_str())).chain([("go", "x")]);
        assert_eq!(texts(&further_keys(all)), ["package:go:*", "package:npm:*"]);
    }
}
