//! A registry of ECR: one account in one region.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use cve_monitor_adapters::aws::ecr_registry::EcrName;
use cve_monitor_core::vocabulary::RegistryName;
use url::Url;

use super::super::read::Reader;

/// Bounds of `registry[].lists_per_second`, in calls. AWS names no quota of `Describe*`, which is throttled early.
const LISTS_PER_SECOND: RangeInclusive<u32> = 1..=1000;
/// Bounds of `registry[].manifests_per_second`, in calls: up to ECR's default quota.
const MANIFESTS_PER_SECOND: RangeInclusive<u32> = 1..=2000;
/// Bounds of `registry[].layers_per_second`, in calls: up to ECR's default quota.
const LAYERS_PER_SECOND: RangeInclusive<u32> = 1..=3000;
/// Bounds of the length of an external id, in characters (`AssumeRole` of STS).
const EXTERNAL_ID_CHARS: RangeInclusive<usize> = 2..=1224;
/// The longest ARN of a role, in characters (`AssumeRole` of STS).
pub(in super::super) const MAX_ROLE_ARN_CHARS: usize = 2048;

/// How a registry of ECR is reached; account and region follow from its name.
#[derive(Debug, Clone)]
pub struct Ecr {
    /// The region, which its name tells.
    pub region: String,
    /// The role that is assumed for it.
    pub role_arn: Option<String>,
    /// What its trust policy asks for. No secret, as AWS has it.
    pub external_id: Option<String>,
    /// Where ECR and STS are reached.
    pub endpoint: Option<Url>,
    /// Where the registry itself is reached.
    pub url: Option<Url>,
    /// Certificates that are trusted besides the system's, where layers are read.
    pub ca_file: Option<PathBuf>,
    /// Whether layers may come from networks that are not public.
    pub allow_private: bool,
    /// How layers are read.
    pub layers: EcrLayers,
    /// Calls that list, in a second; none for the adapter's own bound.
    pub lists_per_second: Option<u32>,
    /// Calls for manifests, in a second.
    pub manifests_per_second: Option<u32>,
    /// Calls for the addresses of layers, in a second.
    pub layers_per_second: Option<u32>,
}

/// How layers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EcrLayers {
    /// By an address that ECR signs for each.
    Presigned,
    /// From the registry itself, with a token.
    Endpoint,
}

/// Reads the keys of a registry of ECR.
pub(super) fn ecr(
    reader: &mut Reader<'_>,
    key: &dyn Fn(&str) -> String,
    name: Option<&RegistryName>,
) -> Option<Ecr> {
    let insecure = reader.flag(&key("insecure"));
    let endpoint = super::secure(reader, &key("endpoint"), insecure, super::endpoint);
    let url = super::secure(reader, &key("url"), insecure, super::address);
    let allow_private = reader.flag(&key("allow_private"));
    let ca_file = reader.path(&key("ca_file"));
    let role_arn = reader.parsed(&key("role_arn"), role);
    let external_id = reader.parsed(&key("external_id"), external);
    if external_id.is_some() && !reader.is_given(&key("role_arn")) {
        reader.refuse(&key("external_id"), "it belongs to a role: give role_arn as well, or remove it");
    }
    let layers = reader.parsed(&key("layers"), |text| match text {
        "presigned" => Ok(EcrLayers::Presigned),
        "endpoint" => Ok(EcrLayers::Endpoint),
        other => Err(format!("`{other}` is no way to layers: expected \"presigned\" or \"endpoint\"")),
    });
    let lists_per_second = reader.count(&key("lists_per_second"), &LISTS_PER_SECOND);
    let manifests_per_second = reader.count(&key("manifests_per_second"), &MANIFESTS_PER_SECOND);
    let layers_per_second = reader.count(&key("layers_per_second"), &LAYERS_PER_SECOND);
    let region = name.and_then(|_| reader.parsed(&key("name"), region_of));
    Some(Ecr {
        region: region?,
        role_arn,
        external_id,
        endpoint,
        url,
        ca_file,
        allow_private,
        layers: layers.unwrap_or(EcrLayers::Presigned),
        lists_per_second,
        manifests_per_second,
        layers_per_second,
    })
}

/// The region that the name of a registry tells.
fn region_of(name: &str) -> Result<String, String> {
    let read = name.parse().ok().and_then(|name| EcrName::read(&name));
    read.map(|read| read.region).ok_or_else(|| {
        format!(
            "`{name}` is no registry of ECR: expected ACCOUNT.dkr.ecr.REGION.amazonaws.com, with the twelve digits of the account"
        )
    })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH`.
fn role(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, role]
            if partition.starts_with("aws")
                && is_account(account)
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && text.chars().count() <= MAX_ROLE_ARN_CHARS =>
        {
            Ok(text.to_owned())
        }
        _ => Err("expected the ARN of a role, as in arn:aws:iam::123456789012:role/cve-monitor".to_owned()),
    }
}

/// The characters that `AssumeRole` takes.
fn external(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if !EXTERNAL_ID_CHARS.contains(&text.chars().count()) || !text.chars().all(plain) {
        let (least, most) = (EXTERNAL_ID_CHARS.start(), EXTERNAL_ID_CHARS.end());
        return Err(format!("expected letters, digits and _+=,.@:/-, {least} to {most} of them"));
    }
    Ok(text.to_owned())
}
