//! The command line that all examples share, parsed without a process; and the wait for a signal.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

#[path = "../examples/common/mod.rs"]
mod common;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use common::args::OwnFlag;
use common::{Action, Args, Program, oauth, parse};
use smol_mcp::{Config, tools};

struct Nothing;

tools! {
    impl Nothing {}
}

const PROGRAM: Program = Program {
    name: "board",
    version: "1.2.3",
    about: "Does something.",
    own: &[
        OwnFlag { name: "root", value: "DIR", help: "read below DIR" },
        OwnFlag { name: "check", value: "", help: "look, and end" },
    ],
};

/// Parses words, with this value of `SMOL_MCP_TOKEN`.
fn parse_with(words: &[&str], token: Option<&str>) -> Result<Action, String> {
    let variable = |name: &str| token.filter(|_| name == "SMOL_MCP_TOKEN").map(OsString::from);
    parse(&PROGRAM, words.iter().map(OsString::from), variable).map_err(|error| error.to_string())
}

fn args(words: &[&str]) -> Args {
    match parse_with(words, None) {
        Ok(Action::Run(args)) => *args,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn error(words: &[&str]) -> String {
    let error = parse_with(words, None).unwrap_err();
    assert!(!error.contains('\n') && error.len() < 250, "{error:?}");
    error
}

#[test]
fn nothing_given_is_this_machine_alone() {
    let args = args(&[]);
    assert_eq!(args, Args::default());
    assert_eq!(args.listen.to_string(), "127.0.0.1:8000");
    assert_eq!((args.token.as_deref(), args.own("root")), (None, None));
}

#[test]
fn a_flag_may_take_no_value() {
    let args = args(&["--check", "--root", "a"]);
    assert_eq!((args.own("check"), args.own("root")), (Some(OsStr::new("")), Some(OsStr::new("a"))));
    assert!(error(&["--check", "a"]).contains("\"a\""));
    assert!(error(&["--check=a"]).contains("--check"));
    let Ok(Action::Show(help)) = parse_with(&["--help"], None) else { panic!() };
    let lines = format!("\n{:32}read below DIR\n{:32}look, and end\n", "  --root DIR", "  --check");
    assert!(help.contains(&lines), "{help}");
}

#[test]
fn every_flag_is_taken() {
    let words = "--listen [::1]:0 --token t0ken --allow-origin https://a.example --allow-origin http://[::1]:3000 --allow-host b.example:81 \
        --allow-host=c --public-base https://example.com/board --connections 64 --streams=16 --streams-per-address 4 \
        --connections-per-address=8 --sessions 65535 --root /tmp --calls 3 --requests-per-address 100/10 \
        --requests-per-principal=50/5 --wrong-tokens 3/600 --audit 100 --body-bytes 512k --max-memory 64M --log debug --print-budget";
    let args = args(&words.split_whitespace().collect::<Vec<_>>());
    assert_eq!(args.listen.to_string(), "[::1]:0");
    assert_eq!(args.token.as_deref(), Some("t0ken"));
    assert_eq!(args.allow_origins, ["https://a.example", "http://[::1]:3000"]);
    assert_eq!(args.allow_hosts, ["b.example:81", "c"]);
    assert_eq!(args.public_base.as_deref(), Some("https://example.com/board"));
    assert_eq!((args.connections, args.streams, args.sessions), (Some(64), Some(16), Some(65535)));
    assert_eq!((args.calls, args.body_bytes, args.max_memory), (Some(3), Some(512 << 10), Some(64 << 20)));
    assert_eq!((args.connections_per_address, args.streams_per_address), (Some(8), Some(4)));
    assert_eq!(args.requests_per_address, Some((100, 10)));
    assert_eq!(args.requests_per_principal, Some((50, 5)));
    assert_eq!(args.wrong_tokens_per_address, Some((3, 600)));
    assert_eq!((args.audit, args.log.as_deref()), (Some(100), Some("debug")));
    assert!(args.print_budget);
    assert_eq!(args.own("root"), Some(OsStr::new("/tmp")));
}

#[test]
fn the_last_of_a_single_flag_holds() {
    let args = args(&["--root", "a", "--streams", "1", "--root", "b", "--streams", "2"]);
    assert_eq!((args.own("root"), args.streams), (Some(OsStr::new("b")), Some(2)));
}

#[test]
fn a_path_need_not_be_utf_8() {
    let path = OsString::from_vec(vec![b'/', 0xff]);
    let Ok(Action::Run(args)) = parse(&PROGRAM, [OsString::from("--root"), path.clone()], |_| None) else { panic!() };
    assert_eq!(args.own("root"), Some(path.as_os_str()));
}

#[test]
fn the_token_comes_from_the_flag_else_from_the_environment() {
    let token = |words: &[&str], variable| match parse_with(words, variable) {
        Ok(Action::Run(args)) => args.token,
        other => panic!("{other:?}"),
    };
    assert_eq!(token(&[], Some("env")).as_deref(), Some("env"));
    assert_eq!(token(&["--token", "flag"], Some("env")).as_deref(), Some("flag"));
}

const OAUTH: Program = Program {
    own: &[oauth::ISSUER, oauth::JWKS, oauth::RESOURCE, oauth::AUDIENCE, oauth::SCOPE],
    name: "board",
    version: "1.2.3",
    about: "Does something.",
};

#[test]
fn an_authorization_server() {
    let config = |words: &str| {
        let Ok(Action::Run(args)) = parse(&OAUTH, words.split(' ').map(OsString::from), |_| None) else { panic!() };
        oauth::config(&args, Config::new()).map(drop)
    };
    let issuer = "--oauth-issuer https://login.example";
    let keys = "--oauth-jwks /keys";
    let resource = "--oauth-resource https://b.example/mcp";
    config(&format!("{issuer} {keys} {resource} --oauth-audience api://b --oauth-scope read --oauth-scope=leds"))
        .unwrap();
    config(&format!("--public-base https://b.example/x/ {issuer} {keys}")).unwrap();
    config("--listen 127.0.0.1:1").unwrap();
    assert!(config(&format!("{issuer} {keys}")).unwrap_err().contains("--oauth-resource or --public-base"));
    assert!(config(&format!("{issuer} {resource}")).unwrap_err().contains("--oauth-jwks"));
    for alone in [keys, resource, "--oauth-scope x", "--oauth-audience x"] {
        assert!(config(alone).unwrap_err().contains("--oauth-issuer"));
    }
}

#[test]
fn the_token_may_be_in_another_variable() {
    let token = |words: &[&str]| {
        let variable = |name: &str| (name == "BOARD_TOKEN").then(|| OsString::from("t0ken"));
        parse(&PROGRAM, words.iter().map(OsString::from), variable).map_err(|error| error.to_string())
    };
    let Ok(Action::Run(args)) = token(&["--token-env", "BOARD_TOKEN", "--token-file", "/t"]) else { panic!() };
    assert_eq!((args.token.as_deref(), args.token_file), (Some("t0ken"), Some("/t".into())));
    // Somebody may give the token itself.
    let expected = "--token-env: expected the name of a variable that is set";
    assert_eq!(token(&["--token-env", "s3cret"]).unwrap_err(), expected);
    assert!(token(&["--token-env"]).unwrap_err().contains("missing"));
}

#[test]
fn what_systemd_gives_is_taken_where_no_flag_says_otherwise() {
    let with = |words: &str, more: &[(&str, &str)]| {
        let given = [("CREDENTIALS_DIRECTORY", "/run/credentials/b"), ("STATE_DIRECTORY", "/var/lib/b:/var/lib/c")];
        let find = |name: &str| more.iter().chain(&given).find(|(known, _)| *known == name);
        let variable = |name: &str| find(name).map(|(_, value)| OsString::from(value));
        match parse(&OAUTH, words.split_whitespace().map(OsString::from), variable) {
            Ok(Action::Run(args)) => (args.token_file, args.key_file),
            other => panic!("{other:?}"),
        }
    };
    let (token, key) = (Some("/run/credentials/b/token".into()), Some("/var/lib/b/session.key".into()));
    assert_eq!(with("", &[]), (token.clone(), key.clone()));
    assert_eq!(with("--token-file /t --key-file /k", &[]), (Some("/t".into()), Some("/k".into())));
    // Who comes in by other ways needs none.
    assert_eq!(with("--token t", &[]), (None, key.clone()));
    assert_eq!(with("", &[("SMOL_MCP_TOKEN", "t")]), (None, key.clone()));
    assert_eq!(with("--oauth-issuer https://login.example", &[]), (None, key));
    assert_eq!(with("", &[("CREDENTIALS_DIRECTORY", ""), ("STATE_DIRECTORY", "")]), (None, None));
    assert_eq!(with("", &[("STATE_DIRECTORY", "/s")]), (token, Some("/s/session.key".into())));
}

#[test]
fn a_bad_token_is_refused_and_not_shown() {
    // An empty one would otherwise leave the door open.
    for bad in ["", "sec ret", "sec\nret", "secrét"] {
        for error in [parse_with(&[], Some(bad)).unwrap_err(), parse_with(&["--token", bad], None).unwrap_err()] {
            assert!(error.contains("visible ASCII") && !error.contains("sec"), "{error}");
        }
    }
    assert!(parse_with(&[], Some("")).unwrap_err().starts_with("SMOL_MCP_TOKEN: "));
}

#[test]
fn a_wrong_value_is_one_clear_line() {
    assert_eq!(error(&["--connections", "x"]), "--connections: expected a number from 1 to 65535, got \"x\"");
    for bad in ["0", "-1", "65536", "", "1e3", "١"] {
        let flag = format!("--sessions={bad}");
        assert!(error(&[&flag]).starts_with("--sessions: expected a number from 1 to 65535, got "), "{bad}");
    }
    for bad in ["0", "", "M", "k", "1G", "1.5M", "-1k", "+1", "1 k", "18446744073709551615k", "٣"] {
        let expected = "--requests-per-address: expected how often in how many seconds, such as 100/10, got ";
        assert!(error(&[&format!("--requests-per-address={bad}")]).starts_with(expected), "{bad}");
        let expected = "--max-memory: expected a number of bytes, such as 65536, 512k or 64M, got ";
        assert!(error(&[&format!("--max-memory={bad}")]).starts_with(expected), "{bad}");
    }
    for bad in ["8000", ":8000", "localhost:8000", "127.0.0.1", "127.0.0.1:99999", "::1:8000x", ""] {
        assert!(
            error(&["--listen", bad])
                .starts_with("--listen: expected an address and a port, such as 0.0.0.0:8000 or [::1]:8000"),
            "{bad}"
        );
    }
    for bad in ["example.com", "https://", "https://a/", "https://a b", "://a", "https://a/path", ""] {
        assert!(
            error(&["--allow-origin", bad]).starts_with("--allow-origin: expected an origin without a path"),
            "{bad}"
        );
    }
    assert!(error(&["--log", "loud"]).starts_with("--log: expected error, warn, info, debug, trace or off, "));
    for bad in ["https://a", "a/b", "", "a b", "a,b"] {
        assert!(error(&["--allow-host", bad]).starts_with("--allow-host: expected a host name"), "{bad}");
    }
    for bad in ["example.com", "ftp://a", "https://", "https:///x", "https://a?b", "/board"] {
        assert!(error(&["--public-base", bad]).starts_with("--public-base: expected a URL"), "{bad}");
    }
}

#[test]
fn what_is_not_known_or_missing_is_named() {
    assert_eq!(error(&["--connection", "5"]), "unexpected argument \"--connection\" (see --help)");
    assert_eq!(error(&["-x"]), "unexpected argument \"-x\" (see --help)");
    assert_eq!(error(&["serve"]), "unexpected argument \"serve\" (see --help)");
    assert_eq!(error(&["--streams"]), "--streams: a value is missing");
    // What is long, or would break the line, is cut and mended.
    assert!(error(&[&"a\nb".repeat(100)]).starts_with("unexpected argument \"a ba ba b"));
}

#[test]
fn help_and_version_are_shown() {
    for words in [["--help"].as_slice(), &["-h"], &["--streams", "3", "--help", "--nonsense"]] {
        let Ok(Action::Show(help)) = parse_with(words, None) else { panic!("{words:?}") };
        let parts = [
            "board 1.2.3\nDoes something.",
            "--root DIR",
            "read below DIR",
            "--listen ADDR:PORT",
            "see it in `ps`",
            "SMOL_MCP_TOKEN",
        ];
        for part in parts {
            assert!(help.contains(part), "{part}: {help}");
        }
        assert!(help.ends_with('\n') && help.lines().all(|line| line.len() <= 110), "{help}");
        // What a flag does stands apart from its value.
        let stands_apart = |line: &str| !line.starts_with("  --") || line[4..].contains("  ");
        assert!(help.lines().all(stands_apart), "{help}");
    }
    assert_eq!(parse_with(&["-V"], None), Ok(Action::Show("board 1.2.3\n".to_owned())));
}

#[test]
fn any_words_are_taken_or_refused_in_one_line() {
    let words = [
        "--",
        "-",
        "--=",
        "--=x",
        "-hx",
        "-Vx",
        "--token=",
        "--listen=",
        "--root",
        "--root=",
        "\u{0}",
        "--\u{1b}[31m",
        "-é",
    ];
    for one in words {
        for two in words {
            if let Err(error) = parse_with(&[one, two], None) {
                assert!(!error.contains(char::is_control), "{one:?} {two:?}: {error:?}");
            }
        }
    }
    let raw = [vec![0xff], vec![b'-', 0xff], vec![b'-', b'-', 0xff, b'=', 0xfe], b"--connections=\xff".to_vec()];
    for bytes in raw {
        assert!(parse(&PROGRAM, [OsString::from_vec(bytes)], |_| None).is_err());
    }
}

#[test]
fn a_signal_ends_the_wait() {
    let send = async {
        smol::Timer::after(Duration::from_millis(50)).await;
        std::process::Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().unwrap();
    };
    let signals = common::signals(None).unwrap();
    let (name, ()) = smol::block_on(smol::future::zip(signals, send));
    assert_eq!(name.unwrap(), "SIGTERM");
}

#[test]
fn the_log_is_as_the_variable_says() {
    use common::stderr::levels;
    use log::LevelFilter::{Debug, Error, Info, Off, Warn};
    let all = |level| vec![(String::new(), level)];
    assert_eq!(levels(""), all(Warn));
    assert_eq!(levels("info"), all(Info));
    assert_eq!(levels(" OFF "), all(Off));
    assert_eq!(levels("loud"), all(Warn));
    let some = |target: &str, level| (target.to_owned(), level);
    assert_eq!(levels("smol_mcp=debug"), [some("", Warn), some("smol_mcp", Debug)]);
    assert_eq!(
        levels("error,smol_mcp=debug,polling=off"),
        [some("", Error), some("smol_mcp", Debug), some("polling", Off)]
    );
}
