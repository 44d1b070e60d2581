//! Addresses of peers: whose count against which share, and which are exempt (DESIGN D4).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::num::NonZeroU64;
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

/// By what a peer is counted: an IPv4 address, or the network of an IPv6 household. One word, as every connection has it: the first
/// half of an IPv6 address, or an IPv4 address behind a prefix that no host has (`::/8` is reserved, RFC 4291, section 2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Household(NonZeroU64);

impl Household {
    /// The household of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        let word = match address.to_canonical() {
            IpAddr::V4(address) => IPV4_PREFIX | u64::from(address.to_bits()),
            IpAddr::V6(address) => u64::try_from(address.to_bits() >> (128 - IPV6_HOUSEHOLD_BITS)).unwrap_or(u64::MAX),
        };
        // Only `::/64` is zero, which is no network of hosts.
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MIN))
    }
}

const IPV4_PREFIX: u64 = 1 << 32;

/// Whether an IPv6 peer is on the link of the address that it connected to: link-local (RFC 4291, section 2.5.6), or of the same /64. Its network
/// is no household then, but that of everybody there.
pub(crate) fn is_on_link(address: Ipv6Addr, local: Option<IpAddr>) -> bool {
    let network = |address: Ipv6Addr| address.to_bits() >> (128 - IPV6_HOUSEHOLD_BITS);
    address.is_unicast_link_local()
        || matches!(local.map(|local| local.to_canonical()), Some(IpAddr::V6(local)) if network(local) == network(address))
}

impl Household {
    /// What it is counted by in a table.
    pub(crate) const fn key(self) -> u64 {
        self.0.get()
    }

    /// Its address: of an IPv6 household that of its network.
    pub(crate) fn address(self) -> IpAddr {
        let word = self.0.get();
        match u32::try_from(word & !IPV4_PREFIX) {
            Ok(1) if word == 1 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            Ok(address) if word & IPV4_PREFIX != 0 => IpAddr::V4(Ipv4Addr::from_bits(address)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(u128::from(word) << (128 - IPV6_HOUSEHOLD_BITS))),
        }
    }
}

/// Whether a peer is held to the share of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// It is.
    Counted,
    /// It is not: it is on this machine.
    Exempt,
    /// It is not: many come by way of it, and it is believed what it says of them.
    Proxy,
}

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Peer {
    pub(crate) household: Household,
    pub(crate) standing: Standing,
}

impl Peer {
    /// What it is counted by; none for those that are not.
    pub(crate) fn counted(self) -> Option<Household> {
        (self.standing == Standing::Counted).then_some(self.household)
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
    fn a_household_has_an_address() {
        for (of, shown) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("0.0.0.0", "0.0.0.0"),
            ("0.0.0.1", "0.0.0.1"),
            ("255.255.255.255", "255.255.255.255"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
            ("fe80::1", "fe80::"),
        ] {
            assert_eq!(Household::of(ip(of)).address().to_string(), shown, "{of}");
        }
    }

    #[test]
    fn neighbours_are_on_the_link() {
        let is = |peer: &str, local: &str| is_on_link(peer.parse().unwrap(), Some(ip(local)));
        assert!(is("fe80::7", "fe80::1") && is("fe80::7", "192.0.2.1") && is("fe80::7", "2001:db8:1:2::1"));
        assert!(is("2001:db8:1:2::7", "2001:db8:1:2::1") && is("fd00::7", "fd00::1"));
        assert!(!is("2001:db8:1:2::7", "2001:db8:1:3::1") && !is("2001:db8:1:2::7", "fe80::1"));
        assert!(!is("2001:db8::7", "192.0.2.1") && !is_on_link("2001:db8::7".parse().unwrap(), None));
    }

    #[test]
    fn a_household_is_one_peer() {
        assert_eq!(Household::of(ip("2001:db8:1:2:aaaa::1")), Household::of(ip("2001:db8:1:2:bbbb::2")));
        assert_ne!(Household::of(ip("2001:db8:1:2::1")), Household::of(ip("2001:db8:1:3::1")));
        assert_eq!(Household::of(ip("::ffff:192.0.2.7")), Household::of(ip("192.0.2.7")));
        assert_ne!(Household::of(ip("192.0.2.7")), Household::of(ip("::192.0.2.7")));
        assert_ne!(Household::of(ip("192.0.2.7")), Household::of(ip("192.0.2.8")));
    }
}
