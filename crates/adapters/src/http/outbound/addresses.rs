//! Which addresses are of the public internet, which of a network of one's own, and which no request ever goes to (IANA's
//! registries of special-purpose addresses, RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anybody's.
    Public,
    /// Of this machine, or of a network that is not public.
    Private,
    /// Of the local segment, or where a cloud gives machines their credentials.
    Never,
}

/// Addresses of version 4 that are not public, as network and length of its prefix.
const PRIVATE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The networks of version 4 that nothing is ever asked in: "this network", and link-local.
const NEVER_V4: [(Ipv4Addr, u32); 2] = [(Ipv4Addr::UNSPECIFIED, 8), (Ipv4Addr::new(169, 254, 0, 0), 16)];
/// Metadata services that are not link-local: of Alibaba Cloud, Azure and Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
/// The metadata service of AWS over version 6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// The only addresses of version 6 that are anybody's, …
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// … without these: of the protocols themselves (Teredo among them), and of documentation.
const PRIVATE_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
/// Addresses of version 6 that lead to one of version 4 in their last four bytes: mapped ones, and those of NAT64.
const WITH_V4_LAST: [(Ipv6Addr, u32); 2] =
    [(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), (Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, 0, 0), 96)];
/// The same, in the four bytes after the prefix: 6to4.
const WITH_V4_NEXT: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Whose an address is.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let within = |(network, length): &(Ipv4Addr, u32)| {
        (u32::from(address) ^ u32::from(*network)) >> (u32::BITS - length) == 0
    };
    if NEVER_V4.iter().any(within) || METADATA_V4.contains(&address) {
        Reach::Never
    } else if PRIVATE_V4.iter().any(within) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let bits = u128::from(address);
    let within =
        |(network, length): &(Ipv6Addr, u32)| (bits ^ u128::from(*network)) >> (u128::BITS - length) == 0;
    let v4 = |shift: u32| {
        let bytes = (bits >> shift).to_be_bytes();
        reach_v4(Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]))
    };
    if address.is_unspecified() || address.is_unicast_link_local() || address == METADATA_V6 {
        Reach::Never
    } else if WITH_V4_LAST.iter().any(within) {
        v4(0)
    } else if within(&WITH_V4_NEXT) {
        v4(80)
    } else if within(&GLOBAL_V6) && !PRIVATE_V6.iter().any(within) {
        Reach::Public
    } else {
        Reach::Private
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str], expected: Reach) {
        for text in addresses {
            assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn the_local_segment_and_metadata_services_are_never_asked_in_whatever_form_they_are_written() {
        let addresses = [
            "0.0.0.0",
            "0.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "fe80::1",
            "febf:ffff::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ];
        all(&addresses, Reach::Never);
    }

    #[test]
    fn networks_that_are_not_public_are_told_from_public_ones_at_their_edges() {
        let private = [
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:0a00:0001::1",
            "2001::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "3fff:fff::1",
            "fc00::1",
            "fdff::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ];
        all(&private, Reach::Private);
        let public = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:0101:0101::1",
            "2000::1",
            "2001:200::1",
            "2600::1",
            "3fff:1000::1",
        ];
        all(&public, Reach::Public);
    }
}
