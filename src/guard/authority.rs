//! The grammar of `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host and a port, as in a Host field or in an origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Authority<'a> {
    pub(super) host: UriHost<'a>,
    /// The host as it was written, with the brackets of an IPv6 address.
    pub(super) host_text: &'a str,
    /// The port, if one was written; an empty one (`host:`) is the same as none.
    pub(super) port: Option<u16>,
    /// The port as it was written, which may be empty.
    pub(super) port_text: Option<&'a str>,
}

/// What a host is: an address, or anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UriHost<'a> {
    /// A registered name, or an address of a future kind in its brackets.
    Name(&'a str),
    /// An address. An IPv4 address in the form of an IPv6 one is the IPv4 address.
    Ip(IpAddr),
}

impl<'a> Authority<'a> {
    /// Reads a host with an optional port. `None` if it is not one: userinfo, spaces, an empty
    /// host, a port past 65,535.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let host_end = match text.strip_prefix('[') {
            // One for each bracket.
            Some(literal) => literal.find(']')?.checked_add(2)?,
            None => text.bytes().position(|byte| byte == b':').unwrap_or(text.len()),
        };
        let (host_text, rest) = text.split_at_checked(host_end)?;
        let port_text = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':')?),
        };
        let port = match port_text {
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { host: UriHost::parse(host_text)?, host_text, port, port_text })
    }
}

impl<'a> UriHost<'a> {
    /// Reads a host: a name, an IPv4 address of four decimal numbers, or an IPv6 address in
    /// brackets. Zones (`%eth0`) are not a part of the grammar, and no client sends them.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if let Some(literal) = text.strip_prefix('[') {
            let literal = literal.strip_suffix(']')?;
            return match literal.parse::<Ipv6Addr>() {
                Ok(address) => Some(Self::Ip(IpAddr::V6(address).to_canonical())),
                Err(_) => is_future_address(literal).then_some(Self::Name(text)),
            };
        }
        match text.parse::<Ipv4Addr>() {
            Ok(address) => Some(Self::Ip(IpAddr::V4(address))),
            Err(_) => is_registered_name(text).then_some(Self::Name(text)),
        }
    }
}

/// Whether two names are the same: without regard to case (RFC 3986, section 3.2.2), nor to a
/// trailing dot, which only says that the name is complete.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    without_dot(a).eq_ignore_ascii_case(without_dot(b))
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// `reg-name`, and not empty, because `http` and `https` URLs must have a host (RFC 9110, section
/// 4.2.1).
fn is_registered_name(text: &str) -> bool {
    !text.is_empty() && is_made_of(text, |byte| is_unreserved(byte) || is_sub_delim(byte))
}

/// `IPvFuture`.
fn is_future_address(literal: &str) -> bool {
    let Some((version, address)) = literal.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let is_part = |byte| is_unreserved(byte) || is_sub_delim(byte) || byte == b':';
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !address.is_empty()
        && address.bytes().all(is_part)
}

/// Whether every byte is allowed by itself, or is a part of a percent-encoded one.
pub(super) fn is_made_of(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = if byte == b'%' {
            let mut is_hexdigit = || bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
            is_hexdigit() && is_hexdigit()
        } else {
            is_allowed(byte)
        };
        if !fine {
            return false;
        }
    }
    true
}

/// `unreserved` of RFC 3986.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `sub-delims` of RFC 3986.
pub(super) const fn is_sub_delim(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}
