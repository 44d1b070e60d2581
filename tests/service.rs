//! The examples as services: what they tell the service manager, the socket that they get from it, and how their log looks.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../examples/common/mod.rs"]
mod common;
mod support;

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::service::Manager;
use common::stderr::{Style, Time, is_levels};
use log::{Level, Record};
use rustix::process::Signal;
use support::example::{Example, command, program};
use support::{PATIENCE, until};

/// What a service manager hears.
struct Ear(UnixDatagram);

impl Ear {
    fn at(path: &Path) -> Self {
        Self::on(UnixDatagram::bind(path).unwrap())
    }

    fn on(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).expect("it is told something");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// What it hears until this begins one.
    fn until(&self, beginning: &str) -> String {
        until(beginning, || Some(self.next()).filter(|heard| heard.starts_with(beginning)))
    }

    /// How many wait to be heard.
    fn waiting(&self) -> usize {
        self.0.set_nonblocking(true).unwrap();
        let waiting = std::iter::from_fn(|| self.0.recv(&mut [0; 64]).ok()).count();
        self.0.set_nonblocking(false).unwrap();
        waiting
    }
}

#[test]
fn the_manager_hears_of_start_reload_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let (path, tokens) = (folder.path().join("notify"), folder.path().join("tokens"));
    fs::write(&tokens, "owner 0f3d9f\n").unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let ear = Ear::at(&path);
    let arguments = ["--listen", "127.0.0.1:0", "--token-file", tokens.to_str().unwrap()];
    let mut minimal = command("minimal", &arguments);
    minimal.env("NOTIFY_SOCKET", &path);
    let mut example = Example::spawn(minimal);
    assert_eq!(ear.next(), format!("READY=1\nSTATUS=MCP on {}/mcp", example.address));
    let new = ("Authorization", "Bearer 11");
    assert_eq!(example.status_of(&[new]), 401);
    fs::write(&tokens, "owner 11\n").unwrap();
    example.signal(Signal::HUP);
    let reloading = ear.next();
    let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a time").parse::<u64>().unwrap();
    let up = fs::read_to_string("/proc/uptime").unwrap();
    let up: f64 = up.split(' ').next().unwrap().parse().unwrap();
    assert!(Duration::from_micros(since).abs_diff(Duration::from_secs_f64(up)) < PATIENCE, "{since} {up}");
    assert!(ear.next().starts_with("READY=1\n"));
    // When that is said, it has happened.
    assert_eq!(example.status_of(&[new]), 200);
    example.signal(Signal::TERM);
    assert_eq!(ear.next(), "STOPPING=1");
    assert_eq!(example.end().0.code(), Some(0));
}

#[test]
fn an_abstract_socket_and_the_watchdog() {
    let name = format!("smol-mcp-test-{}", std::process::id());
    let ear = Ear::on(UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap());
    let mut minimal = command("minimal", &["--listen", "127.0.0.1:0"]);
    minimal.env("NOTIFY_SOCKET", format!("@{name}")).env("WATCHDOG_USEC", "400000");
    let example = Example::spawn(minimal);
    assert!(ear.next().starts_with("READY=1\n"));
    for _ in 0..3 {
        assert_eq!(ear.next(), "WATCHDOG=1");
    }
    // Who is stopped is not alive.
    example.signal(Signal::STOP);
    thread::sleep(Duration::from_millis(50));
    ear.waiting();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(ear.waiting(), 0);
    example.signal(Signal::CONT);
    ear.until("WATCHDOG=1");
}

#[test]
fn a_thread_that_hangs_feeds_no_watchdog() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let ear = Ear::at(&path);
    let variable = |name: &str| match name {
        "NOTIFY_SOCKET" => Some(OsString::from(&path)),
        "WATCHDOG_USEC" => Some(OsString::from("100000")),
        _ => None,
    };
    let manager = Manager::new(variable);
    let hangs = async {
        smol::Timer::after(Duration::from_millis(300)).await;
        assert!(ear.waiting() >= 2);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(ear.waiting(), 0);
    };
    smol::block_on(smol::future::or(hangs, manager.feed()));
}

#[test]
fn a_watchdog_of_others_and_a_manager_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let ear = Ear::at(&path);
    let fed = |watchdog: &str, process: &str| {
        let manager = Manager::new(|name| match name {
            "NOTIFY_SOCKET" => Some(OsString::from(&path)),
            "WATCHDOG_USEC" => Some(OsString::from(watchdog)),
            "WATCHDOG_PID" => Some(OsString::from(process)),
            _ => None,
        });
        let while_ = async {
            smol::Timer::after(Duration::from_millis(100)).await;
        };
        smol::block_on(smol::future::or(while_, manager.feed()));
        ear.waiting() > 0
    };
    assert!(fed("20000", &std::process::id().to_string()));
    for (watchdog, process) in [("20000", "1"), ("20000", "x"), ("0", ""), ("-1", ""), ("", "")] {
        assert!(!fed(watchdog, process), "{watchdog} {process}");
    }
    // Nobody is there, or what is said of it makes no sense: the server serves.
    for nonsense in ["", "notify", "vsock:2:1", "/nonexistent/notify", &"@".repeat(200)] {
        let mut minimal = command("minimal", &["--listen", "127.0.0.1:0"]);
        minimal.env("NOTIFY_SOCKET", nonsense);
        assert_eq!(Example::spawn(minimal).status_of(&[]), 200, "{nonsense:?}");
    }
}

/// Starts an example as a service manager does that listens itself: with its socket as the file 3.
fn with_socket(socket: OwnedFd, variables: &str) -> Command {
    let mut child = Command::new("sh");
    child.arg("-c").arg(format!("exec 3<&0 </dev/null; {variables} exec \"$0\"")).arg(program("minimal"));
    child.env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
    child.stdin(Stdio::from(socket)).stdout(Stdio::piped()).stderr(Stdio::piped());
    child
}

#[test]
fn the_managers_socket_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mine = listener.try_clone().unwrap();
    // Who comes before the server does waits for it.
    let early = TcpStream::connect(address).unwrap();
    for _ in 0..2 {
        let socket = OwnedFd::from(mine.try_clone().unwrap());
        let mut example = Example::spawn(with_socket(socket, "LISTEN_FDS=1 LISTEN_PID=$$"));
        assert_eq!(example.address, address);
        assert_eq!(example.status_of(&[]), 200);
        example.signal(Signal::TERM);
        assert_eq!(example.end().0.code(), Some(0));
        // It is still the manager's.
        drop(TcpStream::connect(address).unwrap());
    }
    drop(early);
}

#[test]
fn what_is_no_such_socket_is_said() {
    let listener = || OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    let fails = |socket: OwnedFd, variables: &str, why: &str| {
        let output = with_socket(socket, variables).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("minimal: ") && said.contains(why) && said.lines().count() == 1, "{said}");
    };
    fails(listener(), "LISTEN_FDS=2 LISTEN_PID=$$", "2 sockets came from the service manager");
    fails(UnixDatagram::unbound().unwrap().into(), "LISTEN_FDS=1 LISTEN_PID=$$", "the service manager's socket");
    let connected = TcpStream::connect(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()).unwrap();
    fails(connected.into(), "LISTEN_FDS=1 LISTEN_PID=$$", "does not listen");
    // Somebody else's: it listens itself, where that is taken.
    let taken = TcpListener::bind("127.0.0.1:8000");
    let mut child = with_socket(listener(), "LISTEN_FDS=1 LISTEN_PID=1").spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(child.kill());
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
    assert!(said.contains("127.0.0.1:8000") && !said.contains("manager"), "{said}");
    drop(taken);
}

#[test]
fn lines_of_the_log() {
    let line = |style: Style, level, text: &str| {
        style.line(
            &Record::builder().level(level).target("smol_mcp").args(format_args!("{text}")).build(),
            1_795_382_046,
        )
    };
    assert_eq!(line(Style::Plain, Level::Warn, "it is late"), "[WARN  smol_mcp] it is late\n");
    let plain = Style::Terminal { coloured: false };
    assert_eq!(line(plain, Level::Info, "up"), "[2026-11-22T21:14:06Z INFO  smol_mcp] up\n");
    let coloured = line(Style::Terminal { coloured: true }, Level::Error, "down");
    assert!(coloured.contains("\x1b[31mERROR\x1b[0m") && coloured.contains("21:14:06Z"), "{coloured:?}");
    for (level, priority) in
        [(Level::Error, 3), (Level::Warn, 4), (Level::Info, 6), (Level::Debug, 7), (Level::Trace, 7)]
    {
        assert_eq!(line(Style::Journal, level, "one"), format!("<{priority}>smol_mcp: one\n"));
    }
    assert_eq!(line(Style::Journal, Level::Warn, "one\ntwo"), "<4>smol_mcp: one\n<4>two\n");
}

#[test]
fn times() {
    for (unix_s, time) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (2_147_483_648, "2038-01-19T03:14:08Z"),
        (1_735_689_599, "2024-12-31T23:59:59Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ] {
        assert_eq!(Time(unix_s).to_string(), time);
    }
}

/// What an example says on stderr that warns once and ends, as its stderr is a file of this environment.
fn said(arguments: &[&str], variables: &[(&str, &str)], of_journal: impl Fn(u64, u64) -> String) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let metadata = file.as_file().metadata().unwrap();
    let mut minimal = command("minimal", &[&["--listen", "0.0.0.0:0"], arguments].concat());
    minimal.env_remove("SMOL_MCP_LOG").envs(variables.iter().copied());
    minimal.env("JOURNAL_STREAM", of_journal(metadata.dev(), metadata.ino()));
    minimal.stderr(file.reopen().unwrap());
    let mut example = Example::spawn(minimal);
    example.signal(Signal::TERM);
    support::example::wait(&mut example.child);
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn the_journal_has_priorities() {
    let journal = |device, inode| format!("{device}:{inode}");
    assert!(said(&[], &[], journal).starts_with("<4>smol_mcp::server: 0.0.0.0:"));
    // Its stderr goes elsewhere than the journal's stream.
    for other in ["", "1", "1:", "x:y", "0:0"] {
        assert!(said(&[], &[], |_, _| other.to_owned()).starts_with("[WARN  smol_mcp::server] "), "{other}");
    }
}

#[test]
fn the_level_is_the_flags_else_the_variables() {
    let said = |arguments: &[&str], variables: &[(&str, &str)]| said(arguments, variables, |_, _| String::new());
    assert_eq!(said(&["--log", "error"], &[("SMOL_MCP_LOG", "info"), ("RUST_LOG", "info")]), "");
    assert_eq!(said(&[], &[("SMOL_MCP_LOG", "error"), ("RUST_LOG", "info")]), "");
    assert_eq!(said(&[], &[("RUST_LOG", "error")]), "");
    assert!(said(&["--log=info"], &[("RUST_LOG", "off")]).contains("SIGTERM"));
    for good in ["off", "INFO", "warn,smol_mcp=debug", " debug "] {
        assert!(is_levels(good), "{good}");
    }
    for bad in ["", "loud", "warn,", "smol_mcp", "smol_mcp=", "3"] {
        assert!(!is_levels(bad), "{bad}");
    }
}
