//! What a service manager and the program say to each other: that it is ready, that it is alive, on which socket it shall serve
//! (systemd's `sd_notify(3)` and `sd_listen_fds(3)`). Without a manager nothing is said.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::future;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};
use smol::Timer;
use smol::stream::StreamExt;

/// Where the manager listens: a path, or an abstract name behind `@`.
const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";
/// In how many microseconds the manager wants to hear that the program is alive, and which process it asks that of.
const WATCHDOG_VARIABLE: &str = "WATCHDOG_USEC";
const WATCHDOG_PROCESS_VARIABLE: &str = "WATCHDOG_PID";

/// The service manager that started this program, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// As the environment has it.
    pub(crate) fn from_env() -> Self {
        Self::new(|name| env::var_os(name))
    }

    /// As this environment has it. What can't be understood is logged, and then nothing is said.
    pub(crate) fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let Some(name) = variable(SOCKET_VARIABLE) else { return Self::default() };
        let socket = address(name.as_bytes()).and_then(|address| Ok((UnixDatagram::unbound()?, address)));
        match socket {
            Ok(socket) => Self { socket: Some(socket), watchdog: watchdog(variable) },
            Err(error) => {
                log::warn!("the service manager can't be told anything: {SOCKET_VARIABLE}: {error}");
                Self::default()
            }
        }
    }

    /// The server listens. What it says of itself is shown by `systemctl status`.
    pub(crate) fn ready(&self, status: fmt::Arguments<'_>) {
        self.tell(format_args!("READY=1\nSTATUS={status}"));
    }

    /// Files are being read again; [`ready`](Self::ready) follows.
    pub(crate) fn reloading(&self) {
        // What came before is told apart from what comes after by this clock.
        let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
        self.tell(format_args!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
    }

    /// The server ends.
    pub(crate) fn stopping(&self) {
        self.tell(format_args!("STOPPING=1"));
    }

    /// Says for ever that the program is alive, twice as often as the manager asks for. It does so on the thread that polls it: who hangs there
    /// is not alive.
    pub(crate) async fn feed<T>(&self) -> T {
        if let Some(watchdog) = self.watchdog {
            let mut timer = Timer::interval(watchdog / 2);
            while timer.next().await.is_some() {
                self.tell(format_args!("WATCHDOG=1"));
            }
        }
        future::pending().await
    }

    fn tell(&self, what: fmt::Arguments<'_>) {
        let Some((socket, manager)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(what.to_string().as_bytes(), manager) {
            log::debug!("the service manager does not listen: {error}");
        }
    }
}

/// The socket that the manager has opened for this process, listening, if there is one.
///
/// # Errors
/// It is no TCP socket, or there are several.
pub(crate) fn listener() -> io::Result<Option<TcpListener>> {
    let mut given = ListenFd::from_env();
    if given.len() > 1 {
        let text = format!("{} sockets came from the service manager, and one is expected", given.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let taken = given.take_tcp_listener(0);
    taken.map_err(|error| io::Error::new(error.kind(), format!("the service manager's socket: {error}")))
}

fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name),
        Some((b'/', _)) => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "neither a path nor an abstract name")),
    }
}

/// How soon the manager wants to hear of this process.
fn watchdog(variable: impl Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
    // An environment may have come from another service, by way of who started this program.
    let others = variable(WATCHDOG_PROCESS_VARIABLE).is_some()
        && number(WATCHDOG_PROCESS_VARIABLE) != Some(process::id().into());
    let micros = number(WATCHDOG_VARIABLE).filter(|micros| *micros > 1 && !others)?;
    Some(Duration::from_micros(micros))
}
