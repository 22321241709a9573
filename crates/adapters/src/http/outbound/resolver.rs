//! Names, resolved to the addresses that may be asked and to no others: what a name leads to is looked at when the
//! connection is made, so that a name that leads elsewhere the second time gains nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Refused;
use super::addresses::{Reach, reach};

/// Which addresses may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Public ones.
    Public,
    /// Those of networks of one's own as well.
    Private,
}

impl Allowed {
    /// # Errors
    /// Why this one may not be.
    pub(super) fn check(self, address: IpAddr) -> Result<(), &'static str> {
        match (reach(address), self) {
            (Reach::Public, _) | (Reach::Private, Self::Private) => Ok(()),
            (Reach::Private, Self::Public) => {
                Err("a private address, which is followed only where `allow_private = true` says so")
            }
            (Reach::Never, _) => {
                Err("an address of the local segment or of a metadata service, which is never followed")
            }
        }
    }
}

/// The system's resolver without the addresses that may not be asked. What a proxy resolves is the proxy's to guard.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    pub(super) allowed: Allowed,
    /// The hosts of proxies: those the configuration names, wherever they are.
    pub(super) proxies: Vec<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxies.iter().any(|proxy| proxy == name.as_str());
        let allowed = if is_proxy { Allowed::Private } else { self.allowed };
        Box::pin(async move {
            let mut refused = "no address";
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open = |address: &SocketAddr| match allowed.check(address.ip()) {
                Ok(()) => true,
                Err(why) => {
                    refused = why;
                    false
                }
            };
            let found: Vec<SocketAddr> = found.filter(open).collect();
            if found.is_empty() {
                return Err(Refused(format!("`{}` has {refused}", name.as_str())).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolve(allowed: Allowed, proxies: &[&str], name: &str) -> Result<usize, String> {
        let proxies = proxies.iter().map(ToString::to_string).collect();
        // A literal resolves to itself without asking anyone, and `localhost` out of a file.
        let found = GuardedResolver { allowed, proxies }.resolve(name.parse().unwrap()).await;
        found.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_is_refused_like_the_address_that_it_leads_to() {
        use Allowed::{Private, Public};
        for allowed in [Public, Private] {
            let refused = resolve(allowed, &[], "169.254.169.254").await.unwrap_err();
            assert!(refused.contains("never followed"), "{refused}");
        }
        let refused = resolve(Public, &[], "localhost").await.unwrap_err();
        assert!(refused.contains("`localhost`") && refused.contains("allow_private"), "{refused}");
        assert!(resolve(Private, &[], "localhost").await.is_ok());
        assert_eq!(resolve(Public, &[], "1.1.1.1").await, Ok(1));
    }

    #[tokio::test]
    async fn a_proxy_may_be_in_a_network_of_one_s_own_and_metadata_services_are_none() {
        assert!(resolve(Allowed::Public, &["localhost"], "localhost").await.is_ok());
        assert!(resolve(Allowed::Public, &["169.254.169.254"], "169.254.169.254").await.is_err());
    }
}
