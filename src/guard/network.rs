//! Addresses of peers: whose count against which share, and which are exempt (DESIGN D4).

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

/// The bits of an IPv6 address that one household is given; the rest is a host's to choose, and to change (RFC 8981).
const IPV6_HOUSEHOLD_BITS: u32 = 64;

/// An address, or all that begin as it does: `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether the address is of this network. An IPv4 address in the form of an IPv6 one is the IPv4 address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_bits(u128::from(own.to_bits()), u128::from(other.to_bits()), 32, self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same_bits(own.to_bits(), other.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

/// A text that is no network: the text says what would be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address or a network, such as 192.0.2.7 or 10.0.0.0/8")
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(bits.parse::<u32>().map_err(|_| NoNetwork)?))
            }
            Some(_) => return Err(NoNetwork),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`, as its addresses are compared.
        let (address, bits) = match address.to_canonical() {
            canonical if canonical.is_ipv4() && address.is_ipv6() => {
                (canonical, bits.checked_sub(96).ok_or(NoNetwork)?)
            }
            canonical => (canonical, bits),
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        if bits > width { Err(NoNetwork) } else { Ok(Self { address, bits }) }
    }
}

/// The address by which a peer is counted: an IPv4 address, or the network of an IPv6 household.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !(u128::MAX >> IPV6_HOUSEHOLD_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn same_bits(a: u128, b: u128, width: u32, bits: u32) -> bool {
    // A shift by all bits is none in Rust: a network of no bits holds every address.
    let ignored = width.saturating_sub(bits);
    (a ^ b).checked_shr(ignored).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        for (network, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("10.1.2.3/8", "10.0.0.1", "9.255.255.255"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(ip(inside)), "{network} {inside}");
            assert!(!parsed.contains(ip(outside)), "{network} {outside}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "example.org",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            " 10.0.0.1",
            "[::1]",
            "::1%eth0",
            "::ffff:10.0.0.0/95",
            "10.0.0.0/99999999999",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text:?}");
        }
    }

    #[test]
    fn a_household_is_one_peer() {
        assert_eq!(household(ip("2001:db8:1:2:aaaa::1")), household(ip("2001:db8:1:2:bbbb::2")));
        assert_ne!(household(ip("2001:db8:1:2::1")), household(ip("2001:db8:1:3::1")));
        assert_eq!(household(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
        assert_ne!(household(ip("192.0.2.7")), household(ip("192.0.2.8")));
    }
}
