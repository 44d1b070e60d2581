//! Which addresses the interfaces have, and where packets for everywhere else go: from the tables under `/proc/net`.
//!
//! The kernel lists IPv6 addresses with their interface, but IPv4 addresses without. The running machine is asked for those in another
//! way; where that is not possible they are matched with the routes to their own networks, and where two interfaces share a network it
//! says so rather than guess.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::netlink;
use super::root::{LINE_BYTES_MAX, Root};
use super::text::clean;

/// Addresses and routes that are kept: a router with many guests has some dozens; a table longer than this is a backbone's.
pub(crate) const ADDRESSES_MAX: usize = 256;

/// An IPv4 address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address4 {
    /// The address.
    pub(crate) address: Ipv4Addr,
    /// The interfaces that have a route to its network, with the length of its prefix: one, unless they share it; none if unknown.
    pub(crate) on: Vec<(String, u32)>,
}

/// An IPv6 address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address6 {
    /// The address.
    pub(crate) address: Ipv6Addr,
    /// The length of its prefix.
    pub(crate) prefix: u32,
    /// Its interface.
    pub(crate) on: String,
}

/// A line of the IPv4 routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route4 {
    /// The interface.
    pub(crate) on: String,
    /// The network.
    pub(crate) to: Ipv4Addr,
    /// The length of its prefix: 0 for a default route.
    pub(crate) prefix: u32,
    /// Through which machine; unspecified for the own network.
    pub(crate) via: Ipv4Addr,
    /// Less is better.
    pub(crate) metric: u32,
}

/// The IPv4 addresses, for interfaces with these names and numbers.
pub(crate) fn ipv4(root: &Root, routes: &[Route4], interfaces: &[(String, u32)]) -> Vec<Address4> {
    let owned = if root.is_live() { netlink::ipv4() } else { None };
    let Some(owned) = owned else { return ipv4_of_routes(root, routes) };
    let name = |index: u32| interfaces.iter().find(|(_, number)| *number == index).map(|(name, _)| name.clone());
    let place = |(address, prefix, index)| Address4 {
        address,
        on: name(index).map(|name| (name, prefix)).into_iter().collect(),
    };
    owned.into_iter().map(place).collect()
}

/// The `local` entries of `/proc/net/fib_trie`, each once.
fn ipv4_of_routes(root: &Root, routes: &[Route4]) -> Vec<Address4> {
    let text = root.text("proc/net/fib_trie").unwrap_or_default();
    let mut found: Vec<Address4> = Vec::new();
    let mut leaf = None;
    for line in text.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if let Some(address) = leaf.filter(|_| line.starts_with("/32 host LOCAL")) {
            if found.len() < ADDRESSES_MAX && !found.iter().any(|known| known.address == address) {
                found.push(Address4 { address, on: interfaces_of(address, routes) });
            }
        }
    }
    found
}

/// The IPv6 addresses, from `/proc/net/if_inet6`.
pub(crate) fn ipv6(root: &Root) -> Vec<Address6> {
    let text = root.text("proc/net/if_inet6").unwrap_or_default();
    let parse = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[address, _index, prefix, _scope, _flags, on] = words.as_slice() else { return None };
        Some(Address6 {
            address: hex6(address)?,
            prefix: u32::from_str_radix(prefix, 16).ok()?,
            on: clean(on, LINE_BYTES_MAX),
        })
    };
    text.lines().filter_map(parse).take(ADDRESSES_MAX).collect()
}

/// The IPv4 routes, from `/proc/net/route`.
pub(crate) fn routes4(root: &Root) -> Vec<Route4> {
    let text = root.text("proc/net/route").unwrap_or_default();
    // The kernel prints the four bytes as one number of its own byte order.
    let address = |hex: &str| u32::from_str_radix(hex, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let parse = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[on, to, via, _flags, _references, _uses, metric, mask, ..] = words.as_slice() else { return None };
        let prefix = u32::from(address(mask)?).leading_ones();
        Some(Route4 {
            on: clean(on, LINE_BYTES_MAX),
            to: address(to)?,
            prefix,
            via: address(via)?,
            metric: metric.parse().ok()?,
        })
    };
    text.lines().filter_map(parse).take(ADDRESSES_MAX).collect()
}

/// The IPv6 default routes with a gateway, from `/proc/net/ipv6_route`: gateway and interface.
pub(crate) fn gateways6(root: &Root) -> Vec<(Ipv6Addr, String)> {
    let text = root.text("proc/net/ipv6_route").unwrap_or_default();
    let parse = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[to, prefix, _from, _from_prefix, via, .., on] = words.as_slice() else { return None };
        let via = hex6(via)?;
        (hex6(to)?.is_unspecified() && prefix == "00" && !via.is_unspecified())
            .then(|| (via, clean(on, LINE_BYTES_MAX)))
    };
    text.lines().filter_map(parse).take(ADDRESSES_MAX).collect()
}

/// The interfaces with the longest matching route to an own network.
fn interfaces_of(address: Ipv4Addr, routes: &[Route4]) -> Vec<(String, u32)> {
    if address.is_loopback() {
        return vec![("lo".to_owned(), 8)];
    }
    let own = |route: &&Route4| {
        let mask = u32::MAX.checked_shl(32 - route.prefix.min(32)).unwrap_or(0);
        route.prefix > 0 && route.via.is_unspecified() && u32::from(address) & mask == u32::from(route.to)
    };
    let longest = routes.iter().filter(own).map(|route| route.prefix).max();
    let mut on: Vec<(String, u32)> = routes
        .iter()
        .filter(own)
        .filter(|route| Some(route.prefix) == longest)
        .map(|route| (route.on.clone(), route.prefix))
        .collect();
    on.sort();
    on.dedup();
    on
}

/// An IPv6 address as 32 hexadecimal digits.
fn hex6(digits: &str) -> Option<Ipv6Addr> {
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(Ipv6Addr::from(number))
}
