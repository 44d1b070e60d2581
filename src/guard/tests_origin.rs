//! Origin: the matrix of pages, and what they are granted.

use core::net::SocketAddr;

use crate::limits::REFUSED_VALUE_CHARS_MAX;

use super::origin::OriginFault;
use super::{Guard, GuardOptions, OriginGrant, PublicBase};

fn guard(allow_origins: &[&str]) -> Guard {
    let public_base = PublicBase::parse("https://devices.example/pump").unwrap();
    Guard::new(&GuardOptions {
        allow_origins: allow_origins.iter().map(ToString::to_string).collect(),
        allow_hosts: vec!["pump.lan".to_owned()],
        host_name: Some("raspberrypi".to_owned()),
        public_base: Some(&public_base),
        ..GuardOptions::default()
    })
    .unwrap()
}

fn origins<'a>(guard: &Guard, origins: &[&'a str]) -> Result<Option<OriginGrant<'a>>, OriginFault> {
    let local: SocketAddr = "192.168.1.5:8080".parse().unwrap();
    guard.origin(origins.iter().map(|origin| origin.as_bytes()), Some(local)).map_err(|refusal| refusal.fault())
}

#[test]
fn pages_of_this_machine_are_granted_cors_and_those_of_the_server_need_none() {
    let guard =
        guard(&["https://app.example", "http://10.0.0.2:3000", "https://port.example:443", "vscode-webview://abc"]);
    let echoed = [
        "http://localhost",
        "https://localhost",
        "http://LOCALHOST:3000",
        "HTTP://localhost:6274",
        "http://localhost.:1",
        "http://127.0.0.1:5173",
        "https://127.9.9.9",
        "http://[::1]:8080",
        "http://[::ffff:127.0.0.1]",
        "https://app.example",
        "HTTPS://App.Example",
        "https://app.example:443",
        "http://10.0.0.2:3000",
        "https://port.example",
        "vscode-webview://abc",
    ];
    for origin in echoed {
        assert_eq!(origins(&guard, &[origin]), Ok(Some(OriginGrant::Echo(origin))), "{origin}");
    }
    let same = [
        "http://raspberrypi",
        "http://raspberrypi:1234",
        "https://RaspberryPi.local",
        "http://raspberrypi.local.:8080",
        "http://192.168.1.5:8080",
        "https://192.168.1.5",
        "http://[::ffff:192.168.1.5]:9",
        "https://devices.example",
        "https://devices.example:443",
    ];
    for origin in same {
        assert_eq!(origins(&guard, &[origin]), Ok(Some(OriginGrant::NoCors)), "{origin}");
    }
    assert_eq!(origins(&guard, &[]), Ok(None));
}

#[test]
fn pages_of_others_are_refused() {
    let guard = guard(&["https://app.example", "http://10.0.0.2:3000"]);
    let refused = [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:8080.evil.example",
        "http://foo.localhost",
        "ftp://localhost",
        "app://localhost",
        "file://localhost",
        "ws://127.0.0.1",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.",
        "https://app.example.evil.example",
        "https://sub.app.example",
        "https://xapp.example",
        "http://10.0.0.2",
        "http://10.0.0.2:3001",
        "https://10.0.0.2:3000",
        "http://192.168.1.6",
        "http://0.0.0.0",
        "http://127.1",
        "http://devices.example",
        "https://devices.example:8443",
        "http://pump.lan",
        "ftp://raspberrypi",
        "https://*",
    ];
    for origin in refused {
        let fault = origins(&guard, &[origin]).unwrap_err();
        let syntax = origin == "http://localhost:8080.evil.example";
        assert_eq!(fault, if syntax { OriginFault::Syntax } else { OriginFault::NotAllowed }, "{origin}");
    }
    assert_eq!(origins(&guard, &["null"]), Err(OriginFault::Null));
}

#[test]
fn what_is_no_origin_is_refused_even_when_all_are_allowed() {
    let texts = [
        "",
        " ",
        "*",
        "NULL",
        "localhost",
        "//localhost",
        "://localhost",
        "http:",
        "http:/localhost",
        "http://",
        "http://:80",
        "http://localhost/",
        "http://localhost/x",
        "http://localhost?x",
        "http://localhost#x",
        "http://u@localhost",
        "http://u:p@localhost",
        "http://localhost:80@evil.example",
        "http://localhost:",
        "http://localhost:080",
        "http://localhost:0",
        "http://localhost:65536",
        "http://localhost:8o",
        " http://localhost",
        "http://localhost ",
        "http://localhost http://localhost",
        "http://localhost, http://localhost",
        "http://localhost,http://localhost",
        "http://local host",
        "http://[::1",
        "http://::1",
        "http://[::1]x",
        "http://löcalhost",
        "1http://localhost",
        "-http://localhost",
        "ht tp://localhost",
        "http://http://localhost",
        "http://local\0host",
        "http://localhost\r\nX: y",
        "file://",
        "null null",
    ];
    for guard in [guard(&[]), guard(&["*"])] {
        for text in texts {
            assert_eq!(origins(&guard, &[text]), Err(OriginFault::Syntax), "{text:?}");
        }
        let bytes: &[u8] = b"http://local\xffhost";
        assert_eq!(guard.origin([bytes].into_iter(), None).map_err(|it| it.fault()), Err(OriginFault::Syntax));
    }
}

#[test]
fn every_copy_must_be_allowed_and_several_are_granted_no_cors() {
    let guard = guard(&["https://app.example"]);
    let good = "https://app.example";
    assert_eq!(origins(&guard, &[good, good]), Ok(Some(OriginGrant::NoCors)));
    assert_eq!(origins(&guard, &[good, "http://localhost", good]), Ok(Some(OriginGrant::NoCors)));
    for bad in ["https://evil.example", "null", ""] {
        for several in [&[good, bad][..], &[bad, good], &[good, good, bad]] {
            assert!(origins(&guard, several).is_err(), "{several:?}");
        }
    }
}

#[test]
fn open_is_open_to_every_origin_and_says_so() {
    let guard = guard(&["https://app.example", "*"]);
    for origin in ["https://evil.example", "https://app.example", "http://localhost", "app://obsidian.md", "null"] {
        assert_eq!(origins(&guard, &[origin]), Ok(Some(OriginGrant::Any)), "{origin}");
    }
    assert_eq!(origins(&guard, &["https://a.example", "https://b.example"]), Ok(Some(OriginGrant::NoCors)));
    assert_eq!(origins(&guard, &["https://a.example", "a"]), Err(OriginFault::Syntax));
}

#[test]
fn without_a_socket_there_is_no_own_address() {
    let found = guard(&[]).origin([&b"http://192.168.1.5"[..]].into_iter(), None);
    assert_eq!(found.map_err(|refusal| refusal.fault()), Err(OriginFault::NotAllowed));
}

#[test]
fn a_refusal_says_which_setting_would_admit() {
    let guard = guard(&[]);
    let say = |origin: &str| guard.origin([origin.as_bytes()].into_iter(), None).unwrap_err().to_string();
    assert_eq!(
        say("https://app.example:8443"),
        "pages of the Origin \"https://app.example:8443\" may not use this server: start it with --allow-origin \
         https://app.example:8443, or Config::allow_origin(\"https://app.example:8443\")"
    );
    assert!(say("https://$(reboot)").ends_with("configured by --allow-origin, or Config::allow_origin"));
    assert!(say("null").contains("never allowed"));
    assert!(say("a\nb").starts_with("the Origin \"a?b\" is not"));
    for origin in ["https://app.example", "https://$(reboot)", "null", "a\nb", ""] {
        let said = say(origin);
        assert!(said.contains("--allow-origin") && said.contains("Config::allow_origin"), "{said}");
    }
    assert!(say(&"é".repeat(9000)).len() < REFUSED_VALUE_CHARS_MAX + 150);
}
