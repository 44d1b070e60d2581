//! The examples as programs.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::client::Client;
use super::{PATIENCE, until, wire};

/// An example that runs; it is killed when the test is over.
pub(crate) struct Example {
    pub(crate) child: Child,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) address: SocketAddr,
    pub(crate) ready_line: String,
}

/// The variable with a folder of scripts, each of which starts the program of its name: for programs that this machine does not
/// run by itself. `.ci/arm/test` makes it; that cargo has a runner for the tests helps nobody whom they start.
const STARTERS: &str = "SMOL_MCP_TEST_STARTERS";

/// Whether the processor is an emulated one, which has more threads, memory and files than the program, and less speed.
pub(crate) fn emulated() -> bool {
    std::env::var_os(STARTERS).is_some()
}

/// What is to be started to run that program.
pub(crate) fn starter(program: &Path) -> PathBuf {
    let Some(folder) = std::env::var_os(STARTERS) else { return program.to_owned() };
    PathBuf::from(folder).join(program.file_name().expect("a program has a name"))
}

/// What starts this test's own program once more.
pub(crate) fn own_program() -> PathBuf {
    starter(&std::env::current_exe().expect("this program has a path"))
}

/// Where cargo puts the examples: beside the folder of this test's own program. What starts that one.
pub(crate) fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let folder = own.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps");
    let program = folder.join("examples").join(name);
    assert!(program.exists(), "{} is missing: `cargo build --examples` makes it", program.display());
    starter(&program)
}

pub(crate) fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(arguments).env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Example {
    /// Starts an example on a free port, and waits for its ready line.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        Self::spawn(command(name, &[&["--listen", "127.0.0.1:0"], arguments].concat()))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (told, line) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Its end is the end of the test, which says what is missing.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = told.send(line);
        });
        let ready_line = line.recv_timeout(PATIENCE).expect("a ready line");
        let address = ready_line.strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/mcp\n"));
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("not the ready line: {ready_line:?}"));
        let stderr = child.stderr.take();
        Self { child, stderr, address, ready_line }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub(crate) fn status_of(&self, headers: &[(&str, &str)]) -> u16 {
        let ping = wire::post_to("/mcp", headers, &wire::initialize("2025-06-18", "a"));
        self.connect().ask(&ping).status
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).expect("it can be signalled");
    }

    /// Waits for its end; what it said on stderr.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        let mut said = String::new();
        self.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        (status, said)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    until("the program ends", || child.try_wait().expect("a child"))
}
