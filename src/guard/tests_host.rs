//! Host: the matrix of names and connections.

use core::net::SocketAddr;

use crate::limits::REFUSED_VALUE_CHARS_MAX;

use super::host::HostFault;
use super::{Guard, GuardOptions, PublicBase};

fn guard(allow_hosts: &[&str]) -> Guard {
    let public_base = PublicBase::parse("https://Devices.Example:8443/pump/").unwrap();
    Guard::new(&GuardOptions {
        allow_hosts: allow_hosts.iter().map(ToString::to_string).collect(),
        host_name: Some("raspberrypi".to_owned()),
        public_base: Some(&public_base),
        ..GuardOptions::default()
    })
    .unwrap()
}

/// Whether the Host is admitted on a connection to that address.
fn host(guard: &Guard, host: &str, local: &str) -> Result<(), HostFault> {
    let local: SocketAddr = local.parse().unwrap();
    guard.host(Some(host), None, Some(local)).map_err(|refusal| refusal.fault())
}

#[test]
fn the_names_of_a_server_on_a_local_network() {
    let guard = guard(&[]);
    let names = [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "127.255.0.9",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "raspberrypi",
        "RaspberryPi.local",
        "raspberrypi.local.",
        "192.168.1.5",
        "[::ffff:192.168.1.5]",
        "[::ffff:c0a8:105]",
        "devices.example",
        "DEVICES.example.",
    ];
    for name in names {
        for port in ["", ":", ":80", ":8080", ":0080", ":65535"] {
            assert_eq!(host(&guard, &format!("{name}{port}"), "192.168.1.5:8080"), Ok(()), "{name}{port}");
        }
    }
}

#[test]
fn the_names_of_others() {
    let guard = guard(&[]);
    let names = [
        "evil.example",
        "localhost.evil.example",
        "foo.localhost",
        "localhosts",
        "local",
        ".local",
        ".",
        "localhost..",
        "raspberrypi.evil.example",
        "raspberrypi.local.evil.example",
        "xraspberrypi",
        "192.168.1.6",
        "192.168.1.5.evil.example",
        "192.168.1.50",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::2]",
        "[::ffff:192.168.1.6]",
        "[fe80::1]",
        "[v1.fe]",
        // Other ways to write 127.0.0.1, which are names by the grammar.
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "loc%61lhost",
        "a,b",
        "sub.devices.example",
        "*",
        "$(reboot)",
    ];
    for name in names {
        for port in ["", ":8080"] {
            let found = host(&guard, &format!("{name}{port}"), "192.168.1.5:8080");
            assert_eq!(found, Err(HostFault::NotAllowed), "{name}{port}");
        }
    }
}

#[test]
fn what_is_no_host() {
    let guard = guard(&[]);
    let texts = [
        "",
        ":",
        ":80",
        " ",
        "a b",
        "localhost ",
        " localhost",
        "local\thost",
        "user@localhost",
        "u:p@localhost",
        "localhost:8a",
        "localhost:+80",
        "localhost:-1",
        "localhost:65536",
        "localhost:99999999999999999999",
        "localhost:80:80",
        "localhost:80/",
        "localhost/",
        "http://localhost",
        "localhost?x",
        "localhost#x",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]x",
        "[::1]:x",
        "[::1]80",
        "[[::1]]",
        "[localhost]",
        "[127.0.0.1]",
        "[::1%25eth0]",
        "[fe80::1%eth0]",
        "[v.x]",
        "[vg.x]",
        "[v1.]",
        "loc%6",
        "loc%zz",
        "%",
        "loc\"host",
        "loc<host",
        "löcalhost",
        "a\0b",
        "localhost, evil.example",
        "localhost\\evil",
        "a^b",
        "a`b",
        "{a}",
        "a|b",
    ];
    for text in texts {
        assert_eq!(host(&guard, text, "127.0.0.1:8080"), Err(HostFault::Syntax), "{text:?}");
    }
}

#[test]
fn an_address_is_allowed_on_the_connection_that_came_to_it() {
    let guard = guard(&[]);
    let table = [
        ("192.168.1.5", "192.168.1.5:1", true),
        ("192.168.1.5", "[::ffff:192.168.1.5]:1", true),
        ("192.168.1.5", "127.0.0.1:1", false),
        ("192.168.1.5", "10.0.0.5:1", false),
        ("[fd00::5]", "[fd00::5]:1", true),
        ("[FD00:0::5]", "[fd00::5]:1", true),
        ("[fd00::5]", "[fd00::6]:1", false),
        ("[fe80::1]", "[fe80::1%3]:1", true),
        ("fd00", "[fd00::5]:1", false),
    ];
    for (text, local, allowed) in table {
        assert_eq!(host(&guard, text, local).is_ok(), allowed, "{text} on {local}");
        assert!(guard.host(Some(text), None, None).is_err(), "{text} on no socket");
    }
    assert!(guard.host(Some("localhost"), None, None).is_ok());
}

#[test]
fn configured_names() {
    let guard = guard(&[
        "pump.lan",
        "Door.lan.",
        "port.lan:8080",
        "web.lan:80",
        "tls.lan:443",
        "10.1.2.3",
        "fd00::7",
        "[fd00::8]:9",
    ]);
    let table = [
        ("pump.lan", true),
        ("PUMP.LAN:1234", true),
        ("pump.lan.:80", true),
        ("door.lan:1", true),
        ("port.lan:8080", true),
        ("port.lan.:8080", true),
        ("port.lan:8081", false),
        ("port.lan", false),
        ("web.lan", true),
        ("web.lan:80", true),
        ("web.lan:443", false),
        ("tls.lan", true),
        ("10.1.2.3:99", true),
        ("10.1.2.4", false),
        ("[fd00::7]", true),
        ("[fd00:0:0::7]:80", true),
        ("[fd00::8]:9", true),
        ("[fd00::8]", false),
        ("x.pump.lan", false),
        ("pump.lan.evil.example", false),
    ];
    for (text, allowed) in table {
        assert_eq!(host(&guard, text, "127.0.0.1:8080").is_ok(), allowed, "{text}");
    }
}

#[test]
fn the_target_in_absolute_form_is_checked_too() {
    let guard = guard(&[]);
    let local = Some("192.168.1.5:80".parse().unwrap());
    let table = [
        (Some("localhost"), Some("localhost:80"), None),
        (Some("localhost"), Some("evil.example"), Some(HostFault::NotAllowed)),
        (Some("evil.example"), Some("localhost"), Some(HostFault::NotAllowed)),
        (Some("localhost"), Some("u@localhost"), Some(HostFault::Syntax)),
        (Some("localhost"), Some(""), Some(HostFault::Syntax)),
        (None, Some("localhost"), None),
        (None, Some("evil.example"), Some(HostFault::NotAllowed)),
        (None, None, Some(HostFault::Missing)),
    ];
    for (host, authority, fault) in table {
        let found = guard.host(host, authority, local).err().map(|refusal| refusal.fault());
        assert_eq!(found, fault, "{host:?} {authority:?}");
    }
}

#[test]
fn without_a_host_only_this_machine_comes_in() {
    let guard = guard(&[]);
    let table = [
        (Some("127.0.0.1:80"), true),
        (Some("127.9.9.9:80"), true),
        (Some("[::1]:80"), true),
        (Some("[::ffff:127.0.0.1]:80"), true),
        (Some("192.168.1.5:80"), false),
        (None, false),
    ];
    for (local, allowed) in table {
        let found = guard.host(None, None, local.map(|local| local.parse().unwrap()));
        assert_eq!(found.is_ok(), allowed, "{local:?}");
    }
}

#[test]
fn the_machines_own_name_in_its_forms() {
    let table: [(Option<&str>, &[&str], &[&str]); 7] = [
        (Some("pi.home.arpa"), &["pi.home.arpa", "pi", "pi.local"], &["home.arpa", "pi.home", "arpa"]),
        (Some("pi.local"), &["pi", "pi.local"], &["pi.local.local"]),
        (Some("my_pi."), &["my_pi", "my_pi.local"], &[]),
        (Some("localhost"), &["localhost"], &["localhost.local"]),
        (Some("(none)"), &[], &["(none)", "(none).local"]),
        (Some(""), &[], &[".local"]),
        (None, &[], &["raspberrypi"]),
    ];
    for (host_name, own, others) in table {
        let options = GuardOptions { host_name: host_name.map(str::to_owned), ..GuardOptions::default() };
        let guard = Guard::new(&options).unwrap();
        assert!(own.iter().all(|name| guard.host(Some(name), None, None).is_ok()), "{host_name:?}");
        assert!(others.iter().all(|name| guard.host(Some(name), None, None).is_err()), "{host_name:?}");
    }
}

#[test]
fn a_refusal_says_which_setting_would_admit() {
    let guard = guard(&[]);
    let say = |host: &str| {
        let refusal = guard.host(Some(host), None, None).unwrap_err();
        (refusal.status(), refusal.to_string())
    };
    assert_eq!(
        say("pump.lan:8080"),
        (
            403,
            "the Host \"pump.lan\" is not one of this server's names: start it with --allow-host pump.lan, \
             or Config::allow_host(\"pump.lan\")"
                .to_owned()
        )
    );
    assert!(say("[fd00::1]:80").1.ends_with("--allow-host fd00::1, or Config::allow_host(\"fd00::1\")"));
    // What could do harm in a shell is not a part of a command, nor what was cut off.
    for name in ["$(reboot)", "a;b", "-x", "a&b", "%41", &"x".repeat(REFUSED_VALUE_CHARS_MAX + 1)] {
        assert!(say(name).1.ends_with("configured by --allow-host, or Config::allow_host"), "{name}");
    }
    assert_eq!(say("a b\r\n\u{1b}\"é\\").1, "the Host \"a b???????\" is not a name or address with an optional port");
    assert_eq!(say("a b").0, 400);
    let long = say(&"\u{1}".repeat(5000)).1;
    assert!(long.len() < REFUSED_VALUE_CHARS_MAX + 100 && long.contains("?...\""), "{long}");
    let missing = guard.host(None, None, None).unwrap_err();
    assert_eq!((missing.status(), missing.to_string()), (400, "the request has no Host field".to_owned()));
}

#[test]
fn a_machine_that_is_renamed_goes_by_its_new_name() {
    let guard = guard(&[]);
    assert!(!guard.rename("raspberrypi"), "it is called so already");
    assert!(guard.rename("pump.lan") && !guard.rename("pump.lan"));
    for (name, is_own) in [
        ("pump.lan", true),
        ("pump", true),
        ("pump.local:8000", true),
        ("raspberrypi", false),
        ("raspberrypi.local", false),
    ] {
        let expected = if is_own { Ok(()) } else { Err(HostFault::NotAllowed) };
        assert_eq!(host(&guard, name, "192.168.1.5:8000"), expected, "{name}");
        let origin = format!("http://{}", name.trim_end_matches(":8000"));
        let origin = guard.origin([origin.as_bytes()].into_iter(), None);
        assert_eq!(origin.is_ok(), is_own, "{name}");
    }
    // It may lose its name, too.
    assert!(guard.rename("(none)") && !guard.rename("(none)"));
    assert_eq!(host(&guard, "pump.lan", "192.168.1.5:8000"), Err(HostFault::NotAllowed));
    assert_eq!(host(&guard, "localhost", "192.168.1.5:8000"), Ok(()));
}
