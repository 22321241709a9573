//! The way out, to registries, their stores and mirrors. Registries redirect to stores and name token services, and mirrors
//! redirect: those are addresses that somebody else chose, so they are looked at before anything is sent there.

mod addresses;
mod resolver;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::{Client, NoProxy, Proxy};
use url::{Host, Url};

use crate::Secret;
use resolver::{Allowed, GuardedResolver};

/// How long a server may be silent; a body as a whole may take as long as it is long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Proxies, as the variables of the same names hold them; the caller reads those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `HTTP_PROXY`: for addresses that begin with `http:`.
    pub http: Option<Secret>,
    /// `HTTPS_PROXY`: for addresses that begin with `https:`.
    pub https: Option<Secret>,
    /// `NO_PROXY`: hosts, domains and networks that are reached directly, separated by commas.
    pub no_proxy: Option<String>,
}

impl ProxySettings {
    /// The hosts of the proxies, as a resolver is asked for them.
    fn hosts(&self) -> Vec<String> {
        let addresses = [&self.http, &self.https].into_iter().flatten().map(Secret::expose);
        let host = |address: &str| {
            let whole =
                if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
            Url::parse(&whole).ok()?.host_str().map(str::to_owned)
        };
        addresses.filter_map(host).collect()
    }
}

/// Why nothing is sent to an address. Says scheme and host alone: the rest may be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    /// The refusal that is at the bottom of a request's failure, if one is.
    #[cfg(any(feature = "aws", feature = "oci"))]
    pub(crate) fn beneath(error: &reqwest::Error) -> Option<&Self> {
        let first = std::error::Error::source(error);
        std::iter::successors(first, |error| error.source()).find_map(|error| error.downcast_ref())
    }
}

/// Two clients: one for the addresses that the configuration names, which may be in any network, and one for those that
/// answers name. Neither asks the environment, follows a redirect or repeats a request by itself.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    own: Client,
    foreign: Client,
    allowed: Allowed,
    proxies: Vec<String>,
    insecure: bool,
}

impl Outbound {
    /// `insecure` lets answers lead to plain HTTP, `allow_private` to networks that are not public.
    ///
    /// # Errors
    /// What is wrong with the proxy or the file of certificates, without the proxy's address.
    pub(crate) fn new(
        proxy: &ProxySettings,
        ca_file: Option<&Path>,
        insecure: bool,
        allow_private: bool,
    ) -> Result<Self, String> {
        let proxies = proxy.hosts();
        let own = client(proxy, ca_file, Allowed::Private)?;
        let (allowed, foreign) = match allow_private {
            true => (Allowed::Private, own.clone()),
            false => (Allowed::Public, client(proxy, ca_file, Allowed::Public)?),
        };
        Ok(Self { own, foreign, allowed, proxies, insecure })
    }

    /// The client for an address. `own` are those that the configuration names: of the same scheme, host and port nothing
    /// more is asked.
    ///
    /// # Errors
    /// Where nothing may be sent there.
    pub(crate) fn client_for<'u>(
        &self,
        url: &Url,
        own: impl IntoIterator<Item = &'u Url>,
    ) -> Result<&Client, Refused> {
        if own.into_iter().any(|own| same_origin(own, url)) {
            return Ok(&self.own);
        }
        let host = url.host_str().unwrap_or_default();
        let refuse = |why: &str| Err(Refused(format!("{}://{host}, {why}", url.scheme())));
        match url.scheme() {
            "https" => {}
            "http" if self.insecure => {}
            "http" => return refuse("which is not encrypted"),
            _ => return refuse("which is no address of the web"),
        }
        let allowed = match url.host() {
            Some(Host::Ipv4(address)) => self.allowed.check(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.allowed.check(IpAddr::V6(address)),
            Some(Host::Domain(name)) if self.proxies.iter().any(|proxy| proxy == name) => Err("a proxy"),
            Some(Host::Domain(_)) => Ok(()),
            None => Err("no host"),
        };
        allowed.map_or_else(refuse, |()| Ok(&self.foreign))
    }
}

/// Whether two addresses share scheme, host and port: credentials of one may go to the other.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

fn client(proxy: &ProxySettings, ca_file: Option<&Path>, allowed: Allowed) -> Result<Client, String> {
    let mut builder = super::client::builder(ca_file)?
        .read_timeout(IDLE_TIMEOUT)
        .dns_resolver(GuardedResolver { allowed, proxies: proxy.hosts() });
    let direct = proxy.no_proxy.as_deref().and_then(NoProxy::from_string);
    // The address may carry a password: the error of the parser is not repeated.
    let unusable = |_| "its proxy is no address".to_owned();
    if let Some(address) = &proxy.http {
        let proxy = Proxy::http(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct.clone()));
    }
    if let Some(address) = &proxy.https {
        let proxy = Proxy::https(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct));
    }
    builder.build().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn outbound(insecure: bool, allow_private: bool) -> Outbound {
        let proxy = Secret::new("http://u:p@proxy.example:3128".to_owned());
        let proxy = ProxySettings { https: Some(proxy), ..ProxySettings::default() };
        Outbound::new(&proxy, None, insecure, allow_private).unwrap()
    }

    fn check(outbound: &Outbound, text: &str) -> Result<(), String> {
        outbound.client_for(&url(text), []).map(drop).map_err(|refused| refused.to_string())
    }

    #[test]
    fn addresses_of_the_local_segment_are_never_followed() {
        for bad in [
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:169.254.169.254]/",
            "http://0xA9FEA9FE/",
            "http://2852039166/",
            "http://0.0.0.0/",
            "ftp://a.example/",
            "file:///etc/passwd",
        ] {
            assert!(check(&outbound(true, true), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_addresses_are_followed_only_where_allowed_or_the_configuration_names_them() {
        for private in ["https://127.1/", "https://10.0.0.1:8080/", "https://[::1]/", "https://[fd12::1]/"] {
            let refused = check(&outbound(false, false), private).unwrap_err();
            assert!(refused.contains("allow_private"), "{refused}");
            assert_eq!(check(&outbound(false, true), private), Ok(()));
        }
        let (mine, other) = (url("https://10.0.0.1/v2/"), url("https://10.0.0.1:8443/"));
        let outbound = outbound(false, false);
        assert!(outbound.client_for(&mine, [&mine]).is_ok());
        assert!(outbound.client_for(&other, [&mine]).is_err(), "another service of the same machine");
        assert_eq!(check(&outbound, "https://1.1.1.1/"), Ok(()));
        assert_eq!(check(&outbound, "https://store.example/"), Ok(()));
        assert!(check(&outbound, "https://proxy.example/").is_err(), "a proxy is no store");
    }

    #[test]
    fn plain_http_is_followed_only_where_asked_for() {
        assert!(check(&outbound(false, false), "http://a.example").is_err());
        assert_eq!(check(&outbound(true, false), "http://a.example"), Ok(()));
        assert_eq!(check(&outbound(false, false), "https://a.example"), Ok(()));
    }

    #[test]
    fn errors_do_not_repeat_the_signature_of_an_address() {
        let error = check(&outbound(false, false), "http://a.example/b?signature=s3cret").unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn the_hosts_of_proxies_are_read_in_every_form_that_people_write() {
        for text in ["http://u:p@p.corp:3128", "p.corp:3128", "p.corp", "socks5://p.corp"] {
            let proxy =
                ProxySettings { http: Some(Secret::new(text.to_owned())), ..ProxySettings::default() };
            assert_eq!(proxy.hosts(), ["p.corp"], "{text}");
        }
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
}
