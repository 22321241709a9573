//! Where requests may go. Registries redirect to stores and name token services: both are addresses that someone
//! else chose, so they are looked at before anything is sent there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use cve_monitor_core::ports::RegistryError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The metadata service of AWS over IPv6; over IPv4 it is link-local.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Whether an address belongs to the machine's own network segment or a cloud's metadata service: no registry lives
/// there, but a redirect there would fetch the secrets of the machine that follows it.
fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4 == Ipv4Addr::UNSPECIFIED,
        IpAddr::V6(v6) => {
            let embedded = v6.to_ipv4_mapped().is_some_and(|v4| is_forbidden(IpAddr::V4(v4)));
            embedded || v6.is_unicast_link_local() || v6 == METADATA_V6 || v6.is_unspecified()
        }
    }
}

/// Whether two addresses share scheme, host and port: credentials of one may go to the other.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

/// Looks at an address that a server named.
///
/// # Errors
/// `Denied` where it is unencrypted without that having been asked for, forbidden, or no address of the web.
pub(crate) fn check(url: &Url, insecure: bool, what: &str) -> Result<(), RegistryError> {
    let deny = |why: &str| {
        let host = url.host_str().unwrap_or_default();
        Err(RegistryError::Denied(format!("{what}: the registry leads to {}://{host}, {why}", url.scheme())))
    };
    match url.scheme() {
        "https" => {}
        "http" if insecure => {}
        "http" => return deny("which is not encrypted"),
        _ => return deny("which is no address of the web"),
    }
    let forbidden = match url.host() {
        Some(Host::Ipv4(address)) => is_forbidden(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_forbidden(IpAddr::V6(address)),
        Some(Host::Domain(_)) => false,
        None => true,
    };
    if forbidden { deny("an address of the local segment, which is never followed") } else { Ok(()) }
}

/// The system's resolver without the forbidden addresses: a name that leads to one is refused like the address
/// itself. What a proxy resolves is the proxy's to guard.
#[derive(Debug)]
pub(crate) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| !is_forbidden(address.ip())).collect();
            if allowed.is_empty() {
                return Err(format!("`{}` leads to no address that may be asked", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_of_the_local_segment_are_never_followed() {
        for bad in [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.0.0",
            "http://169.254.255.255",
            "http://[fe80::1]/",
            "http://[febf::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fd00:ec2::254]/",
            "http://0xA9FEA9FE/",
            "http://2852039166/",
            "http://0.0.0.0/",
            "ftp://a.example/",
            "file:///etc/passwd",
        ] {
            assert!(matches!(check(&url(bad), true, "it"), Err(RegistryError::Denied(_))), "{bad}");
        }
        for good in ["http://169.253.255.255", "http://169.255.0.0", "http://[fec0::1]/", "http://10.0.0.1"] {
            assert_eq!(check(&url(good), true, "it"), Ok(()), "{good}");
        }
    }

    #[test]
    fn plain_http_is_followed_only_where_asked_for() {
        assert!(check(&url("http://a.example"), false, "it").is_err());
        assert_eq!(check(&url("http://a.example"), true, "it"), Ok(()));
        assert_eq!(check(&url("https://a.example"), false, "it"), Ok(()));
    }

    #[test]
    fn errors_do_not_repeat_the_signature_of_an_address() {
        let error = check(&url("http://a.example/b?signature=s3cret"), false, "it").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (other, expected) in [
            ("https://a.example:443/x", true),
            ("https://a.example:8443/", false),
            ("http://a.example/", false),
            ("https://b.a.example/", false),
        ] {
            assert_eq!(same_origin(&url("https://a.example/v2/"), &url(other)), expected, "{other}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_forbidden_address_is_refused() {
        // A literal resolves to itself without asking anyone.
        let refused = GuardedResolver.resolve("169.254.169.254".parse().unwrap()).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("no address that may be asked")));
        assert!(GuardedResolver.resolve("127.0.0.1".parse().unwrap()).await.is_ok());
    }
}
