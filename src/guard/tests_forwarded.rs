//! Who sent a request, by what proxies say of it.

use core::net::IpAddr;

use super::forwarded::{Sender, sender};
use super::network::Network;
use crate::limits::FORWARDED_HOPS_MAX;

const UNSAID: &str = "unsaid";
const GARBLED: &str = "garbled";

// What the lines of `Forwarded` and of `X-Forwarded-For` say; 10.0.0.0/8 and fd00::/8 are trusted proxies.
fn said(forwarded: &[&str], x_forwarded_for: &[&str]) -> String {
    let trusted: [Network; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let lines = |lines: &'_ [&'_ str]| lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>();
    let (forwarded, x_forwarded_for) = (lines(forwarded), lines(x_forwarded_for));
    let said = sender(forwarded.iter().map(Vec::as_slice), x_forwarded_for.iter().map(Vec::as_slice), is_trusted);
    match said {
        Sender::Address(address) => address.to_string(),
        Sender::Unsaid => UNSAID.into(),
        Sender::Garbled => GARBLED.into(),
    }
}

#[test]
fn x_forwarded_for() {
    for (line, expected) in [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("  198.51.100.7\t", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:1", "198.51.100.7"),
        // The last that is no proxy's; what is before it is the client's own.
        ("192.0.2.1, 198.51.100.7", "198.51.100.7"),
        ("192.0.2.1,198.51.100.7,10.0.0.1", "198.51.100.7"),
        ("192.0.2.1, 198.51.100.7, 10.0.0.1, fd00::1", "198.51.100.7"),
        ("10.0.0.9, 198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.1", UNSAID),
        ("garbage, 198.51.100.7", "198.51.100.7"),
        ("\"198.51.100.7, 198.51.100.8", "198.51.100.8"),
        (",, 198.51.100.7 ,", "198.51.100.7"),
        // Nothing is said.
        ("", UNSAID),
        (" , ", UNSAID),
        ("10.0.0.1", UNSAID),
        ("10.0.0.2, 10.0.0.1", UNSAID),
        ("unknown", UNSAID),
        ("198.51.100.7, unknown", UNSAID),
        ("_hidden, 10.0.0.1", UNSAID),
        // What is no address.
        ("198.51.100.7, garbage", GARBLED),
        ("garbage, 10.0.0.1", GARBLED),
        ("198.51.100.256", GARBLED),
        ("198.51.100", GARBLED),
        ("198.051.100.7", GARBLED),
        ("198.51.100.7:", GARBLED),
        ("198.51.100.7:port", GARBLED),
        ("198.51.100.7:123456", GARBLED),
        ("198.51.100.7 198.51.100.8", GARBLED),
        ("[2001:db8::7", GARBLED),
        ("[2001:db8::7]443", GARBLED),
        ("[198.51.100.7]", GARBLED),
        ("2001:db8::7]", GARBLED),
        ("fe80::1%eth0", GARBLED),
        ("\"198.51.100.7\"", GARBLED),
        ("example.org", GARBLED),
        ("\u{00e9}", GARBLED),
        ("_", GARBLED),
        ("for=198.51.100.7", GARBLED),
    ] {
        assert_eq!(said(&[], &[line]), expected, "{line:?}");
    }
}

#[test]
fn forwarded() {
    for (line, expected) in [
        ("for=198.51.100.7", "198.51.100.7"),
        ("For=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
        ("proto=https; for=\"198.51.100.7:4711\" ;host=example.org", "198.51.100.7"),
        ("for=\"[2001:db8::7]\"", "2001:db8::7"),
        ("for=\"[2001:db8::7]:443\"", "2001:db8::7"),
        ("for=\"[2001:db8::7]:_port\"", "2001:db8::7"),
        ("for=\"[::ffff:198.51.100.7]\"", "198.51.100.7"),
        ("for=192.0.2.1, for=198.51.100.7;by=10.0.0.2, for=10.0.0.2", "198.51.100.7"),
        (",, for=198.51.100.7 ,", "198.51.100.7"),
        ("for=198.51.100.7;", "198.51.100.7"),
        (";for=198.51.100.7", "198.51.100.7"),
        // What is between quotes is no list.
        ("for=198.51.100.7;host=\"a, for=192.0.2.1\"", "198.51.100.7"),
        ("for=198.51.100.7;x=\"\\\", for=192.0.2.1\"", "198.51.100.7"),
        // Nothing is said.
        ("", UNSAID),
        ("proto=https", UNSAID),
        ("for=198.51.100.7, proto=https", UNSAID),
        ("for=unknown", UNSAID),
        ("for=Unknown", UNSAID),
        ("for=_SEVKISEK", UNSAID),
        ("for=\"_mystery:_port\"", UNSAID),
        ("for=10.0.0.1", UNSAID),
        // What can't be read spoils the rest.
        ("for=\"198.51.100.7, for=198.51.100.8", GARBLED),
        ("for=\"x\\\", for=198.51.100.8", GARBLED),
        ("for=198.51.100.7:4711", GARBLED),
        ("for=[2001:db8::7]", GARBLED),
        ("for=\"2001:db8::7\"", GARBLED),
        ("for=\"[2001:db8::7%25eth0]\"", GARBLED),
        ("for=198.51.100.7;for=198.51.100.8", GARBLED),
        ("for = 198.51.100.7", GARBLED),
        ("for=", GARBLED),
        ("for", GARBLED),
        ("for=\"\"", GARBLED),
        ("for=garbage", GARBLED),
        ("for=198.51.100.7 for=198.51.100.8", GARBLED),
        ("198.51.100.7", GARBLED),
        ("for=\"198.51.100.\\7\"", GARBLED),
        ("\u{00e9}=1", GARBLED),
    ] {
        assert_eq!(said(&[line], &[]), expected, "{line:?}");
    }
}

#[test]
fn several_lines_are_one_list() {
    assert_eq!(said(&[], &["192.0.2.1", "198.51.100.7"]), "198.51.100.7");
    assert_eq!(said(&[], &["198.51.100.7", "10.0.0.1"]), "198.51.100.7");
    assert_eq!(said(&[], &["garbage", "198.51.100.7"]), "198.51.100.7");
    assert_eq!(said(&[], &["198.51.100.7", ""]), "198.51.100.7");
    assert_eq!(said(&["for=\"", "for=198.51.100.7"], &[]), "198.51.100.7");
    assert_eq!(said(&["for=198.51.100.7", "for=\""], &[]), GARBLED);
}

#[test]
fn both_fields_must_agree() {
    assert_eq!(said(&[], &[]), UNSAID);
    assert_eq!(said(&["for=198.51.100.7"], &["192.0.2.1, 198.51.100.7"]), "198.51.100.7");
    assert_eq!(said(&["for=198.51.100.7"], &["198.51.100.8"]), GARBLED);
    assert_eq!(said(&["for=unknown"], &["198.51.100.8"]), GARBLED);
    assert_eq!(said(&["for=unknown"], &["unknown"]), UNSAID);
    // An empty field is none.
    assert_eq!(said(&[""], &["198.51.100.8"]), "198.51.100.8");
}

#[test]
fn a_list_has_an_end() {
    let hops = |hops: usize| vec!["198.51.100.7"; hops].join(",");
    assert_eq!(said(&[], &[&hops(FORWARDED_HOPS_MAX)]), "198.51.100.7");
    assert_eq!(said(&[], &[&hops(FORWARDED_HOPS_MAX + 1)]), GARBLED);
    assert_eq!(said(&[], &[&hops(FORWARDED_HOPS_MAX), "198.51.100.7"]), GARBLED);
    let elements = vec!["for=198.51.100.7"; FORWARDED_HOPS_MAX + 1].join(", ");
    assert_eq!(said(&[&elements], &[]), GARBLED);
}
