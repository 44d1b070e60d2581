//! stdin, stdout and stderr that are closed, full, or broken; and SIGPIPE.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::beside::Beside;
use crate::child::{Child, faults};
use crate::support::client::Client;
use crate::support::example::program;
use crate::support::{until, wire};

// A shell that starts a program with these redirections, on a port that it is told, as it may have no way to tell it.
fn redirected(name: &str, redirections: &str) -> (std::process::Child, std::net::SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec \"$0\" --listen \"$1\" {redirections}"));
    shell.arg(program(name)).arg(address.to_string());
    shell.env_remove("SMOL_MCP_TOKEN").env("RUST_LOG", "trace");
    let child = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    (child, address)
}

#[test]
fn closed_ones_are_no_connections() {
    for name in ["minimal", "board", "everything"] {
        for redirections in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
            let (mut process, address) = redirected(name, redirections);
            until("it listens", || std::net::TcpStream::connect(address).ok());
            let fd = |number: u32| {
                let link = std::fs::read_link(format!("/proc/{}/fd/{number}", process.id()));
                link.unwrap_or_else(|error| panic!("{name} {redirections}: {number}: {error}"))
            };
            // What was closed is /dev/null, and neither the listener nor a client: else the log would be told to one.
            for number in 0..3 {
                assert_eq!(fd(number).to_str(), Some("/dev/null"), "{name} {redirections}: {number}");
            }
            // A client gets what is its own, and nothing of the log, which tells of each event now.
            let mut client = Client::connect(address);
            for _ in 0..3 {
                let answer = client.ask(&wire::bare("GET", "/healthz", &[]));
                assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"), "{name} {redirections}");
            }
            client.send("nonsense\r\n\r\n");
            assert_eq!(client.answer().status, 400);
            assert!(client.ends_cleanly());
            let id = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
            rustix::process::kill_process(id, Signal::TERM).unwrap();
            let status = until("it ends", || process.try_wait().unwrap());
            assert_eq!(status.code(), Some(0), "{name} {redirections}");
        }
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_is_no_reason_to_end() {
    // Each line is an EPIPE, and would be a SIGPIPE in a program that had not been started by Rust.
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = faults("");
    command.env("RUST_LOG", "trace").stderr(OwnedFd::from(writer));
    let mut child = Child::spawn_with_stderr(command, tempfile::tempfile().unwrap());
    drop(reader);
    let beside = Beside::start(child.address);
    // What a handler's panic says has nowhere to go either.
    let answer = child.connect().ask(&wire::modern_call("p", "fault", &json!({"way": "panic"})));
    assert_eq!(answer.json()["result"]["isError"], true, "{answer:?}");
    drop(beside.end());
    child.must_end(&[Signal::TERM]);
}

#[test]
fn a_full_disk_is_no_reason_to_end_for_want_of_a_log() {
    let mut command = faults("");
    command.env("RUST_LOG", "trace").stderr(File::options().write(true).open("/dev/full").unwrap());
    let mut child = Child::spawn_with_stderr(command, tempfile::tempfile().unwrap());
    drop(Beside::start(child.address).end());
    child.must_end(&[Signal::TERM]);
}

#[test]
fn sigpipe_as_a_parent_left_it_does_not_matter() {
    for action in ["trap - PIPE", "trap '' PIPE"] {
        let inner = faults("");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{action}; exec \"$0\" \"$@\"")).arg(inner.get_program()).args(inner.get_args());
        shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut child = Child::spawn(shell);
        for _ in 0..50 {
            // It writes to them long after they are gone.
            let mut gone = child.connect();
            gone.send(&wire::modern_call("1", "huge", &json!({})));
            thread::sleep(Duration::from_millis(2));
            gone.reset();
        }
        child.must_serve();
        child.must_end(&[Signal::TERM]);
    }
}

#[test]
fn writes_to_sockets_raise_no_sigpipe_even_where_it_kills() {
    // As in a program that is not Rust's: it takes the signal's default action back after the start.
    let mut child = Child::start("sigpipe=1");
    for n in 0..50 {
        let mut gone = child.connect();
        gone.send(&wire::modern_call("1", "huge", &json!({})));
        thread::sleep(Duration::from_millis(2));
        if n % 2 == 0 { gone.reset() } else { drop(gone) }
    }
    child.must_serve();
    child.must_end(&[Signal::TERM]);
    // It does kill: else this shows nothing.
    let mut child = Child::start("sigpipe=1");
    child.signal(Signal::PIPE);
    assert_eq!(child.end().code(), None, "it was killed");
}

#[test]
fn nothing_is_said_where_nothing_is_wrong() {
    let mut child = Child::start("");
    drop(Beside::start(child.address).end());
    assert_eq!(child.said(), "");
    child.must_end(&[Signal::TERM]);
}
