//! Who sent a request that a proxy passed on: `Forwarded` (RFC 7239) and `X-Forwarded-For` (DESIGN D4).
//!
//! Each proxy adds the address that it was called from at the end, so that the list is read from there: what trusted proxies added is
//! true, and what stands before that may be anybody's invention. The peer is the last address that is no trusted proxy's.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits::FORWARDED_HOPS_MAX;

/// What the fields of a request say of its sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sender {
    /// It has this address.
    Address(IpAddr),
    /// They say nothing: there are none, they name only trusted proxies, or the proxy keeps it to itself (`unknown`, `_hidden`).
    Unsaid,
    /// They can't be read, or contradict each other. A client may have brought that about.
    Garbled,
}

/// Reads both fields, in the order of their lines, of a request that came from a trusted proxy.
///
/// Where both are there they must agree: a proxy that writes one of them hands on the other as the client wrote it, and which of them
/// is the proxy's cannot be seen.
pub(crate) fn sender<'a>(
    forwarded: impl Iterator<Item = &'a [u8]>,
    x_forwarded_for: impl Iterator<Item = &'a [u8]>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Sender {
    let forwarded = last_stranger(forwarded, read_forwarded, &is_trusted);
    let x_forwarded_for = last_stranger(x_forwarded_for, read_x_forwarded_for, &is_trusted);
    match (forwarded, x_forwarded_for) {
        (None, None) => Sender::Unsaid,
        (Some(sender), None) | (None, Some(sender)) => sender,
        (Some(one), Some(other)) if one == other => one,
        (Some(_), Some(_)) => Sender::Garbled,
    }
}

/// One place of a list: whom the proxy that wrote it was called from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hop {
    Address(IpAddr),
    /// The proxy does not tell.
    Hidden,
    /// It is none.
    Garbage,
}

// `None` where there is no field, or nothing in it.
fn last_stranger<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    read: fn(&[u8], &mut dyn FnMut(Hop)),
    is_trusted: &impl Fn(IpAddr) -> bool,
) -> Option<Sender> {
    let mut hops = 0;
    let mut sender = Sender::Unsaid;
    for line in lines {
        read(line, &mut |hop| {
            hops += 1;
            match hop {
                Hop::Address(address) if is_trusted(address) => {}
                Hop::Address(address) => sender = Sender::Address(address),
                Hop::Hidden => sender = Sender::Unsaid,
                Hop::Garbage => sender = Sender::Garbled,
            }
        });
        if hops > FORWARDED_HOPS_MAX {
            return Some(Sender::Garbled);
        }
    }
    (hops > 0).then_some(sender)
}

// `X-Forwarded-For`: addresses with commas between them, each maybe with a port.
fn read_x_forwarded_for(line: &[u8], see: &mut dyn FnMut(Hop)) {
    let items = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    items.filter(|item| !item.is_empty()).for_each(|item| see(node(item).unwrap_or(Hop::Garbage)));
}

// `Forwarded`: elements with commas between them, each of pairs with semicolons between them (RFC 7239, section 4). Behind what can't be
// read nobody knows what is between quotes, so that it spoils the rest of its line.
fn read_forwarded(line: &[u8], see: &mut dyn FnMut(Hop)) {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix(b",") {
            rest = next.trim_ascii_start();
            continue;
        }
        let Some((hop, next)) = element(rest) else { return see(Hop::Garbage) };
        see(hop);
        rest = next;
    }
}

// One element, and what follows it.
fn element(mut rest: &[u8]) -> Option<(Hop, &[u8])> {
    let mut hop = None;
    loop {
        let name;
        (name, rest) = token(rest);
        if !name.is_empty() {
            let value;
            (value, rest) = self::value(rest.strip_prefix(b"=")?)?;
            if name.eq_ignore_ascii_case(b"for") {
                // Each parameter once (section 4).
                let read = if hop.is_none() { bracketed(value) } else { None };
                hop = Some(read?);
            }
        }
        rest = rest.trim_ascii_start();
        match rest.split_first() {
            Some((b';', next)) => rest = next.trim_ascii_start(),
            Some((b',', _)) | None => return Some((hop.unwrap_or(Hop::Hidden), rest)),
            Some(_) => return None,
        }
    }
}

// A token (RFC 9110, section 5.6.2; empty where there is none), and what follows it.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

// A token, or what is between quotes with its backslashes, and what follows it.
fn value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = token(text);
        return (!value.is_empty()).then_some((value, rest));
    };
    let mut escaped = false;
    for (at, byte) in quoted.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (value, rest) = quoted.split_at_checked(at)?;
                return Some((value, rest.strip_prefix(b"\"")?));
            }
            _ => {}
        }
    }
    None
}

// The node of a `for` (section 6): an IPv6 address stands in brackets there.
fn bracketed(value: &[u8]) -> Option<Hop> {
    let is_bare_v6 = core::str::from_utf8(value).is_ok_and(|value| value.parse::<Ipv6Addr>().is_ok());
    if is_bare_v6 { None } else { node(value) }
}

// An address, maybe with a port, or what stands for one.
fn node(text: &[u8]) -> Option<Hop> {
    let text = core::str::from_utf8(text).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        return is_port(port).then(|| address_of(IpAddr::V6(address)));
    }
    // Without brackets an IPv6 address can have no port.
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(address_of(IpAddr::V6(address)));
    }
    let (name, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
    if !is_port(port) {
        return None;
    }
    if name.eq_ignore_ascii_case("unknown") || is_obfuscated(name) {
        return Some(Hop::Hidden);
    }
    name.parse::<Ipv4Addr>().ok().map(|address| address_of(IpAddr::V4(address)))
}

fn address_of(address: IpAddr) -> Hop {
    Hop::Address(address.to_canonical())
}

// Nothing, or a colon and a port, which may be obfuscated (RFC 7239, section 6.2).
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    is_obfuscated(port) || ((1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()))
}

// `"_" 1*( ALPHA / DIGIT / "." / "_" / "-")` (RFC 7239, section 6.3).
fn is_obfuscated(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(is_part))
}
