//! A server in a process of its own, whose files, time and limits can be looked at and changed.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use smol_mcp::Config;

use crate::support::client::{Client, Session};
use crate::support::example::{own_program, program};
use crate::support::{PATIENCE, until, wire};
use crate::{app, common};

/// The variable with the settings of a server that another test wants this program to be.
const SETTINGS: &str = "SMOL_MCP_FAULTS";

/// A server in a process of its own; it is killed when its test is over.
pub(crate) struct Child {
    process: Process,
    pub(crate) address: SocketAddr,
    log: File,
}

// Not a test, but what the child of a test runs.
#[test]
fn the_server_of_a_child() {
    let Ok(settings) = env::var(SETTINGS) else { return };
    let mut config = Config::new().listen(([127, 0, 0, 1], 0).into());
    for (name, value) in settings.split_whitespace().filter_map(|setting| setting.split_once('=')) {
        let number = || value.parse().expect("a number");
        config = match name {
            "connections" => config.connections(number()),
            "calls" => config.calls(number()),
            "streams" => config.streams(number()),
            "idle_timeout_ms" => config.idle_timeout_ms(number() as u64),
            "tool_timeout_ms" => config.tool_timeout_ms(number() as u64),
            "key_file" => config.key_file(value),
            "sigpipe" => {
                default_sigpipe();
                config
            }
            other => panic!("{other}"),
        };
    }
    common::log_to_stderr(None);
    let bound = app::server().bind(config).expect("a free port");
    let handle = bound.handle();
    let signals = common::signals(None).expect("signals");
    println!("\nlistening on http://{}/mcp", bound.local_addr().expect("an address"));
    let ended = smol_mcp::block_on(smol::future::or(bound.run(), async {
        signals.await.expect("a signal");
        handle.shutdown();
        smol::future::pending().await
    }));
    ended.expect("no error");
}

// Gives SIGPIPE its default action: it kills.
#[allow(unsafe_code)]
fn default_sigpipe() {
    // SAFETY: no handler is installed, and nobody else changes this signal.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// A command to start it, on a free port.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    command
}

/// A command to start the application of these tests, with these settings (`name=value`, with blanks between them).
pub(crate) fn faults(settings: &str) -> Command {
    let mut command = Command::new(own_program());
    command.args(["--exact", "child::the_server_of_a_child", "--nocapture", "--test-threads=1"]);
    command.env(SETTINGS, settings);
    command
}

impl Child {
    /// Starts the application of these tests.
    pub(crate) fn start(settings: &str) -> Self {
        Self::spawn(faults(settings))
    }

    /// Starts what will say where it listens. Its log goes to a file, unless the command says otherwise.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let log = tempfile::tempfile().expect("a file");
        command.stderr(log.try_clone().expect("a file"));
        Self::spawn_with_stderr(command, log)
    }

    /// The same, with the stderr that the command has; `log` is where it may be read.
    pub(crate) fn spawn_with_stderr(mut command: Command, log: File) -> Self {
        command.env_remove("SMOL_MCP_TOKEN").env_remove("JOURNAL_STREAM");
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = process.stdout.take().expect("a pipe");
        let (told, line) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let found = lines.find_map(|line| {
                let address = line.strip_prefix("listening on http://")?.strip_suffix("/mcp")?;
                address.parse().ok()
            });
            // Its end is the end of the test, which says what is missing.
            let _ = told.send(found);
            lines.for_each(drop);
        });
        let address = line.recv_timeout(PATIENCE).expect("a line").expect("it says where it listens");
        Self { process, address, log }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// It serves newcomers.
    pub(crate) fn must_serve(&self) {
        let answer = self.connect().ask(&wire::echo("are you there?"));
        assert_eq!((answer.status, answer.text().as_str()), (200, "are you there?"), "{answer:?}");
    }

    /// Opens a session.
    pub(crate) fn session(&self, revision: &'static str) -> Session {
        self.connect().initialize(revision, "a session")
    }

    fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap()
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.process.id()))
    }

    /// The files that it has open.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(self.proc("fd")).expect("its files").count()
    }

    /// The files that it has open by itself: once it has answered somebody who is gone, all are there.
    pub(crate) fn own_files(&self) -> usize {
        assert_eq!(self.connect().ask(&wire::bare("GET", "/healthz", &[])).status, 200);
        let looks = (0..10).map(|_| {
            thread::sleep(Duration::from_millis(10));
            self.files()
        });
        looks.min().expect("a look")
    }

    /// Waits until it has no more files open than that.
    pub(crate) fn until_files(&self, most: usize) {
        until("its files are back", || (self.files() <= most).then_some(()));
    }

    /// The time that it has worked so far.
    pub(crate) fn worked(&self) -> Duration {
        let stat = fs::read_to_string(self.proc("stat")).expect("its figures");
        let fields = stat.rsplit_once(')').expect("its name").1.split_whitespace();
        // The fields 14 and 15 (proc_pid_stat(5)), in the hundredths of a second that Linux shows.
        Duration::from_millis(fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks") * 10).sum())
    }

    /// From now on it may have this many files.
    pub(crate) fn limit_files(&self, most: usize) {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let limit = Rlimit { current: Some(most as u64), maximum };
        prlimit(Some(self.id()), Resource::Nofile, limit).expect("a limit");
    }

    /// From now on it can open none; those that are open stay so.
    pub(crate) fn no_more_files(&self) {
        let names = fs::read_dir(self.proc("fd")).expect("its files").map(|file| file.expect("a file").file_name());
        let open: Vec<usize> =
            names.map(|name| name.to_str().and_then(|name| name.parse().ok()).expect("a number")).collect();
        // The next one would get the lowest number that is free.
        self.limit_files((0..=open.len()).find(|number| !open.contains(number)).expect("one that is free"));
    }

    /// What it said so far.
    pub(crate) fn said(&mut self) -> String {
        let mut said = String::new();
        self.log.rewind().expect("a file");
        self.log.read_to_string(&mut said).expect("UTF-8");
        said
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).expect("it can be signalled");
    }

    /// It still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.process.try_wait().expect("a child").is_none()
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        until("the program ends", || self.process.try_wait().expect("a child"))
    }

    /// It ends when it is told to, within what is promised.
    pub(crate) fn must_end(&mut self, signals: &[Signal]) {
        let begun = Instant::now();
        for signal in signals {
            self.signal(*signal);
        }
        let status = self.end();
        // Two seconds are promised; a busy machine may be late by two.
        assert!(begun.elapsed() < Duration::from_secs(4), "{signals:?}: it took {:?}", begun.elapsed());
        assert_eq!(status.code(), Some(0), "{signals:?}: {status}: {}", self.said());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            println!("its log:\n{}", self.said());
        }
    }
}
