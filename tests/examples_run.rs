//! The examples as programs: what they print, how they end, and what their flags do to the server.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::client::{Client, Next};
use support::example::{Example, command, emulated, program};
use support::{PATIENCE, until, wire};

const EXAMPLES: [&str; 3] = ["board", "everything", "minimal"];

// A program that must end at once; its status, what it said on stdout and on stderr.
fn run(mut command: Command) -> (Option<i32>, String, String) {
    let mut child = command.spawn().expect("it starts");
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

// It fails with one line on stderr that begins with its name and holds these words; status 1.
fn must_fail(command: Command, name: &str, words: &[&str]) {
    let shown = format!("{command:?}");
    let (status, stdout, stderr) = run(command);
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{shown}: {stderr}");
    assert!(stderr.starts_with(&format!("{name}: ")), "{shown}: {stderr:?}");
    assert!(stderr.ends_with('\n') && stderr.matches('\n').count() == 1, "{shown}: {stderr:?}");
    let missing: Vec<_> = words.iter().filter(|word| !stderr.contains(**word)).collect();
    assert!(missing.is_empty(), "{shown}: {stderr:?} does not say {missing:?}");
}

#[test]
fn each_says_when_it_is_ready() {
    for name in EXAMPLES {
        let mut example = Example::start(name, &[]);
        assert_eq!(example.ready_line, format!("listening on http://{}/mcp\n", example.address));
        assert_ne!(example.address.port(), 0);
        let mut client = example.connect();
        let session = client.initialize("2025-11-25", "a");
        let tools = client.ask(&session.post(&wire::request(1, "tools/list", &serde_json::json!({}))));
        assert!(!tools.json()["result"]["tools"].as_array().expect("tools").is_empty());
        example.signal(Signal::TERM);
        let (status, said) = example.end();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{name}");
    }
}

#[test]
fn one_thread_serves() {
    let example = Example::start("minimal", &[]);
    let mut client = example.connect();
    assert_eq!(client.ask(&wire::echo("one")).status, 200);
    let threads = std::fs::read_dir(format!("/proc/{}/task", example.child.id())).unwrap().count();
    // An emulator has one more.
    assert_eq!(threads, 1 + usize::from(emulated()), "where nothing waits by async-io, there is no thread of its own");
}

#[test]
fn an_ipv6_address_stands_in_brackets() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return; // this machine has none
    }
    let example = Example::spawn(command("minimal", &["--listen", "[::1]:0"]));
    assert!(example.ready_line.starts_with("listening on http://[::1]:"), "{}", example.ready_line);
    assert_eq!(example.status_of(&[]), 200);
}

#[test]
fn a_port_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in EXAMPLES {
        must_fail(command(name, &["--listen", &address]), name, &["cannot listen on", &address, "in use"]);
    }
}

#[test]
fn wrong_flags_are_said() {
    let long = "x".repeat(10_000);
    for (arguments, words) in [
        (&["--listen", "localhost:8000"][..], &["--listen", "localhost:8000", "0.0.0.0:8000"][..]),
        (&["--listen"], &["--listen", "value"]),
        (&["--nonsense"], &["--nonsense"]),
        (&["nonsense"], &["nonsense"]),
        (&["-x"], &["-x"]),
        (&["--listen", &long], &["--listen"]),
        (&["--connections", "0"], &["--connections", "0"]),
        (&["--connections", "2"], &["connections", "2", "3"]),
        (&["--connections", "10", "--streams", "9"], &["streams", "9", "8"]),
        (&["--sessions", "many"], &["--sessions", "many"]),
        (&["--token", ""], &["--token"]),
        (&["--allow-origin", "app.example.com"], &["--allow-origin", "app.example.com", "https://"]),
        (&["--allow-host", "http://a.example"], &["--allow-host", "http://a.example"]),
        (&["--public-base", "/board"], &["--public-base", "/board", "https://"]),
    ] {
        must_fail(command("minimal", &[&["--listen", "127.0.0.1:0"], arguments].concat()), "minimal", words);
    }
    let mut wrong = command("minimal", &["--listen", "127.0.0.1:0"]);
    wrong.env("SMOL_MCP_TOKEN", "a secret with blanks");
    let shown = run(wrong).2;
    assert!(shown.starts_with("minimal: SMOL_MCP_TOKEN: ") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    must_fail(command("board", &["--root", "/nonexistent"]), "board", &["--root /nonexistent", "No such file"]);
}

#[test]
fn a_hang_up_ends_it_unless_it_is_ignored() {
    let mut board = Example::start("board", &[]);
    board.signal(Signal::HUP);
    assert_eq!(board.end().0.code(), Some(0));
    // QEMU takes the signal for itself, and the kernel then says that it is not ignored.
    if emulated() {
        return;
    }
    // As nohup starts it.
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" --listen 127.0.0.1:0"]).arg(program("board"));
    ignoring.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut board = Example::spawn(ignoring);
    board.signal(Signal::HUP);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(board.status_of(&[]), 200);
    board.signal(Signal::TERM);
    assert_eq!(board.end().0.code(), Some(0));
}

#[test]
fn the_log_is_told_to_clients() {
    let root = tempfile::tempdir().unwrap();
    let led = root.path().join("sys/class/leds/ACT");
    std::fs::create_dir_all(&led).unwrap();
    for (file, content) in [("brightness", "0\n"), ("max_brightness", "255\n"), ("trigger", "[none] timer\n")] {
        std::fs::write(led.join(file), content).unwrap();
    }
    let root = root.path().to_str().unwrap();
    must_fail(command("board", &["--log-to-clients", "loud"]), "board", &["--log-to-clients: expected error"]);
    let config = format!("{root}/board.toml");
    std::fs::write(&config, "[led.ACT]\n").unwrap();
    let mut board = Example::start("board", &["--root", root, "--config", &config, "--log-to-clients", "info"]);
    let session = board.connect().initialize("2025-06-18", "ear");
    let mut ear = board.connect();
    ear.open(&session.get());
    let call = wire::call(1, "set_led", &serde_json::json!({"name": "ACT", "on": true}));
    let answer = board.connect().ask(&session.post(&call)).json();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let message = ear.message();
    assert_eq!(message["method"], "notifications/message", "{message}");
    assert_eq!(message["params"]["level"], "info", "{message}");
    assert_eq!(message["params"]["data"], answer["result"]["content"][0]["text"], "{message}");
    board.signal(Signal::TERM);
    let (_, said) = board.end();
    // On stderr it is told by its own level.
    assert_eq!(said, "");
}

#[test]
fn help_and_version_are_no_failures() {
    for name in EXAMPLES {
        let (status, stdout, stderr) = run(command(name, &["--help"]));
        assert_eq!((status, stderr.as_str()), (Some(0), ""));
        assert!(stdout.contains("--listen ADDR:PORT") && stdout.contains("SMOL_MCP_TOKEN"), "{stdout}");
        let (status, stdout, _) = run(command(name, &["--version"]));
        assert_eq!((status, stdout), (Some(0), format!("{name} {}\n", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn a_token_is_asked_for() {
    let by_flag = Example::start("minimal", &["--token", "s3cret"]);
    let mut by_variable = command("minimal", &["--listen", "127.0.0.1:0"]);
    by_variable.env("SMOL_MCP_TOKEN", "s3cret");
    let by_variable = Example::spawn(by_variable);
    let mut by_both = command("minimal", &["--listen", "127.0.0.1:0", "--token", "s3cret"]);
    by_both.env("SMOL_MCP_TOKEN", "another");
    let by_both = Example::spawn(by_both);
    for example in [by_flag, by_variable, by_both] {
        let answer = example.connect().ask(&wire::post_to("/mcp", &[], &wire::initialize("2025-06-18", "a")));
        assert_eq!(answer.status, 401);
        assert!(
            answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")),
            "{answer:?}"
        );
        assert_eq!(example.status_of(&[("Authorization", "Bearer another")]), 401);
        assert_eq!(example.status_of(&[("Authorization", "Bearer s3cret")]), 200);
        // Whoever watches it needs none.
        assert_eq!(example.connect().ask(&wire::bare("GET", "/healthz", &[])).status, 200);
    }
}

#[test]
fn a_hangup_reads_the_tokens_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    let write = |text: &str| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    write("me one\n");
    let mut example = Example::start("board", &["--token-file", path.to_str().unwrap(), "--token", "flag"]);
    let of = |example: &Example, token| example.status_of(&[("Authorization", &format!("Bearer {token}"))]);
    let all = |example: &Example| ["flag", "one", "two"].map(|token| of(example, token));
    assert_eq!(all(&example), [200, 200, 401]);
    write("me two\n");
    example.signal(Signal::HUP);
    until("the new token", || (all(&example) == [200, 401, 200]).then_some(()));
    write("me s3cret three\n");
    example.signal(Signal::HUP);
    let mut said = String::new();
    BufReader::new(example.stderr.take().expect("a pipe")).read_line(&mut said).expect("UTF-8");
    assert_eq!(all(&example), [200, 401, 200]);
    assert!(said.contains("line 1: ") && said.contains("stay as they are") && !said.contains("s3cret"), "{said}");
}

#[test]
fn origins_and_hosts_are_let_in() {
    let arguments = ["--allow-origin", "https://app.example.com", "--allow-host", "board.example.com"];
    let example = Example::start("minimal", &arguments);
    let plain = Example::start("minimal", &[]);
    let by = |example: &Example, host: &str, origin: &str| {
        let request = wire::post_to("/mcp", &[("Origin", origin)], &wire::initialize("2025-06-18", "a"));
        example.connect().ask(&request.replace("Host: localhost", &format!("Host: {host}")))
    };
    let answer = by(&example, "board.example.com", "https://app.example.com");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert_eq!(by(&example, "evil.example.com", "https://app.example.com").status, 403);
    assert_eq!(by(&example, "board.example.com", "https://evil.example.com").status, 403);
    assert_eq!(by(&plain, "localhost", "https://app.example.com").status, 403);
    let refused = by(&plain, "board.example.com", "http://localhost:3000");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("board.example.com") && refused.body.contains("--allow-host"), "{refused:?}");
    assert_eq!(by(&plain, "localhost", "http://localhost:3000").status, 200);
}

#[test]
fn a_public_base_is_what_old_clients_are_told() {
    let example = Example::start("minimal", &["--public-base", "https://example.com/board/"]);
    let mut stream = example.connect();
    let path = stream.open_http_sse();
    assert!(path.starts_with("/board/messages?sessionId="), "{path}");
    // The proxy takes its prefix off, and keeps the name by which it was called.
    let behind = path.strip_prefix("/board").expect("the prefix");
    let request = wire::post_to(behind, &[], &wire::initialize("2024-11-05", "a"));
    let request = request.replace("Host: localhost", "Host: example.com");
    assert_eq!(example.connect().ask(&request).status, 202);
    assert_eq!(stream.message()["id"], "init");
}

#[test]
fn capacities_are_those_of_the_flags() {
    let example = Example::start("minimal", &["--connections", "8", "--streams", "2", "--sessions", "3"]);
    let mut streams: Vec<Client> = (0..2).map(|_| example.connect()).collect();
    for stream in &mut streams {
        stream.open_http_sse();
    }
    example.connect().ask(&wire::get_http_sse()).must_be_full();
    assert_eq!(example.status_of(&[]), 200);
    // The third session is younger than a second, and the others have streams.
    assert_eq!(example.status_of(&[]), 503);
}

#[test]
fn signals_end_it_in_time() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut example = Example::start("everything", &[]);
        let mut stream = example.connect();
        assert_eq!(stream.open(&wire::listen("listener", "l-1")).status, 200);
        assert_eq!(stream.message()["method"], "notifications/subscriptions/acknowledged");
        let mut call = example.connect();
        call.send(&wire::modern_call("c", "slow_compute", &serde_json::json!({"seconds": 60.0})));
        let mut half = example.connect();
        half.send("POST /mcp HTTP/1.1\r\nHo");
        let begun = Instant::now();
        example.signal(signal);
        let (status, said) = example.end();
        // Two seconds are promised; a busy machine may be late by one.
        assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{signal:?}");
        assert_eq!(stream.message()["id"], "l-1");
        assert_eq!(stream.next(), Next::End);
        drop(TcpListener::bind(example.address).expect("the port can be had again"));
    }
}

#[test]
fn whoever_reads_the_ready_line_can_end_it() {
    // As a supervisor does that stops what it has just started.
    for _ in 0..20 {
        let mut example = Example::start("minimal", &[]);
        example.signal(Signal::TERM);
        let (status, _) = example.end();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

#[test]
fn a_stdout_that_nobody_reads_does_not_matter() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let serves = |mut command: Command, address: SocketAddr| {
        let mut child = command.spawn().expect("it starts");
        drop(child.stdout.take()); // where it was a pipe, nobody reads it any more
        until("it listens", || TcpStream::connect(address).ok());
        let mut example = Example { stderr: child.stderr.take(), child, address, ready_line: String::new() };
        assert_eq!(example.status_of(&[]), 200);
        example.signal(Signal::TERM);
        let (status, said) = example.end();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    };
    let address = free();
    serves(command("minimal", &["--listen", &address.to_string()]), address);
    // Closed from the start.
    let address = free();
    let mut closed = Command::new("sh");
    closed.args(["-c", "exec \"$0\" --listen \"$1\" >&-"]).arg(program("minimal")).arg(address.to_string());
    closed.env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG").stdout(Stdio::null()).stderr(Stdio::piped());
    serves(closed, address);
}

#[test]
fn it_warns_of_an_open_door() {
    let warned = |arguments: &[&str]| {
        let mut example = Example::spawn(command("minimal", arguments));
        example.address.set_ip([127, 0, 0, 1].into());
        assert_eq!(example.status_of(&[]) / 100, if arguments.contains(&"--token") { 4 } else { 2 });
        example.signal(Signal::TERM);
        example.end().1
    };
    let said = warned(&["--listen", "0.0.0.0:0"]);
    assert!(said.contains("token") && said.matches('\n').count() == 1, "{said:?}");
    assert_eq!(warned(&["--listen", "0.0.0.0:0", "--token", "s3cret"]), "");
}

#[test]
fn want_of_files_is_counted_logged_once_and_over_when_it_is_over() {
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 20; exec \"$0\" --listen 127.0.0.1:0"]).arg(program("board"));
    few.env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut board = Example::spawn(few);
    let crowd: Vec<Client> = (0..30).map(|_| board.connect()).collect();
    // Several pauses of the one who accepts, each of which ends at a tick.
    thread::sleep(Duration::from_secs(2));
    drop(crowd);
    let read = wire::modern("s", "resources/read", serde_json::json!({"uri": "board://server/stats"}));
    let read = read.replacen("\r\n\r\n", "\r\nMcp-Name: board://server/stats\r\n\r\n", 1);
    let answer = board.connect().ask(&read).json();
    let text = answer["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let errors = text.split_once("accept_errors=").and_then(|(_, rest)| rest.split(' ').next()).unwrap();
    assert!(errors.parse::<u32>().unwrap() >= 2, "{text}");
    board.signal(Signal::TERM);
    let (_, said) = board.end();
    assert_eq!(said.matches("no connection can be accepted for now").count(), 1, "{said}");
}
