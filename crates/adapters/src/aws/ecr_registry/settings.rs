//! What the caller says about a registry on ECR.

use std::num::NonZeroU32;
use std::path::PathBuf;

use cve_monitor_core::vocabulary::RegistryName;
use url::Url;

use crate::ProxySettings;

/// How layers are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerSource {
    /// From the store, at addresses that ECR signs for it (GetDownloadUrlForLayer).
    #[default]
    Presigned,
    /// From the registry's endpoint, with an authorization token; it redirects to the store.
    Endpoint,
}

/// How many calls are made a second, at most, by all who share a registry. ECR limits each account and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcrBudget {
    /// DescribeRepositories, DescribeImages, BatchCheckLayerAvailability. ECR does not say how many it takes; few.
    pub lists_per_second: NonZeroU32,
    /// BatchGetImage; ECR takes 2,000 unless asked for more (service quotas of ECR).
    pub manifests_per_second: NonZeroU32,
    /// GetDownloadUrlForLayer; ECR takes 3,000.
    pub layers_per_second: NonZeroU32,
}

const fn per_second(calls: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(calls - 1)
}

impl Default for EcrBudget {
    /// A tenth of what ECR takes: it is shared with those who pull.
    fn default() -> Self {
        Self {
            lists_per_second: per_second(10),
            manifests_per_second: per_second(200),
            layers_per_second: per_second(300),
        }
    }
}

/// A registry, as the caller describes it.
#[derive(Debug, Clone)]
pub struct EcrSettings {
    /// `ACCOUNT.dkr.ecr.REGION.amazonaws.com`: the name under which its images are known.
    pub name: RegistryName,
    /// How layers are fetched.
    pub layers: LayerSource,
    /// Where the registry's own protocol is spoken if not at its name; a path is kept.
    pub registry_endpoint: Option<Url>,
    /// How many calls are made.
    pub budget: EcrBudget,
    /// Proxies for layers; those for the API are the SDK's.
    pub proxy: ProxySettings,
    /// A file of PEM certificates that are trusted besides those of the system, for layers.
    pub ca_file: Option<PathBuf>,
    /// Read layers from addresses in networks that are not public, as an interface endpoint of S3 has them.
    pub allow_private: bool,
}

impl EcrSettings {
    /// A registry whose layers come from pre-signed addresses, within the default budget.
    #[must_use]
    pub fn new(name: RegistryName) -> Self {
        Self {
            name,
            layers: LayerSource::default(),
            registry_endpoint: None,
            budget: EcrBudget::default(),
            proxy: ProxySettings::default(),
            ca_file: None,
            allow_private: false,
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings of registry {registry} cannot be used: {reason}")]
pub struct InvalidSettings {
    pub(super) registry: String,
    pub(super) reason: String,
}

/// The account and the region that a registry's name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrName {
    /// Twelve digits.
    pub account: String,
    /// `eu-west-1`, say.
    pub region: String,
}

impl EcrName {
    /// Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, in China `….amazonaws.com.cn`; none where it is neither. Other names of
    /// the same registry (FIPS, dual stack) are addresses of it: events name it by this one alone.
    #[must_use]
    pub fn read(name: &RegistryName) -> Option<Self> {
        let parts: Vec<&str> = name.as_str().split('.').collect();
        let (account, region) = match parts.as_slice() {
            [account, "dkr", "ecr", region, "amazonaws", "com"] if !region.starts_with("cn-") => {
                (account, region)
            }
            [account, "dkr", "ecr", region, "amazonaws", "com", "cn"] if region.starts_with("cn-") => {
                (account, region)
            }
            _ => return None,
        };
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !region.is_empty())
            .then(|| Self { account: (*account).to_owned(), region: (*region).to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_account_and_region() {
        for (name, expected) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", Some(("123456789012", "eu-west-1"))),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some(("123456789012", "cn-north-1"))),
            ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", None),
            ("123456789012.dkr-ecr.us-east-1.on.aws", None),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com", None),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn", None),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.example", None),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com:443", None),
            ("12345678901.dkr.ecr.eu-west-1.amazonaws.com", None),
            ("123456789012.dkr.ecr.eu-west-1", None),
            ("12345678901x.dkr.ecr.eu-west-1.amazonaws.com", None),
            ("public.ecr.aws", None),
            ("ghcr.io", None),
        ] {
            let read = EcrName::read(&name.parse().unwrap());
            let read = read.as_ref().map(|name| (name.account.as_str(), name.region.as_str()));
            assert_eq!(read, expected, "{name}");
        }
    }

    #[test]
    fn the_default_budget_is_what_is_documented() {
        let budget = EcrBudget::default();
        let calls = [budget.lists_per_second, budget.manifests_per_second, budget.layers_per_second];
        assert_eq!(calls.map(NonZeroU32::get), [10, 200, 300]);
    }
}
