//! How AWS is reached.

use url::{Host, Url};

use super::super::read::Reader;

/// The longest name of a region, in characters.
pub(in super::super) const MAX_REGION_CHARS: usize = 32;

/// How AWS is reached; what is not given is for the AWS SDK to find, in its own variables and files.
#[derive(Debug, Clone, Default)]
pub struct Aws {
    /// The region of queues, tables and buckets.
    pub region: Option<String>,
    /// One address for all services, of an emulator.
    pub endpoint_url: Option<Url>,
    /// Which profile of the SDK's files.
    pub profile: Option<String>,
}

/// The keys of the section.
pub(in super::super) const AWS_KEYS: [&str; 4] =
    ["aws.region", "aws.endpoint_url", "aws.insecure", "aws.profile"];

/// Reads `aws`.
pub(in super::super) fn aws(reader: &mut Reader<'_>) -> Aws {
    let insecure = reader.flag("aws.insecure");
    let endpoint_url = reader.parsed("aws.endpoint_url", super::endpoint);
    if endpoint_url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_here(url)) && !insecure {
        let problem = "it is plain HTTP to another machine: write https, or set aws.insecure = true";
        reader.refuse("aws.endpoint_url", problem);
    }
    Aws {
        region: reader.parsed("aws.region", region),
        endpoint_url,
        profile: reader.text("aws.profile").map(str::to_owned),
    }
}

/// Whether an address is one of this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn region(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() > MAX_REGION_CHARS || !text.chars().all(plain) || !text.contains('-') {
        return Err(format!("`{text}` is no region: expected one as in eu-central-1"));
    }
    Ok(text.to_owned())
}
