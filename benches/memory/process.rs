//! The server in a process of its own, and what the kernel says about it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The memory counts as settled when it has not changed for this long.
const QUIET: Duration = Duration::from_millis(700);

/// A running server.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

/// What `/proc/PID/smaps_rollup` says, in kB.
#[allow(clippy::struct_field_names, reason = "which end in their unit")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) resident_kb: u64,
    pub(crate) private_dirty_kb: u64,
    /// What ends with the process: this, and what it alone has of its file. The rest is libc's, which others have too.
    pub(crate) private_kb: u64,
}

/// Builds the example as it is built here, with the system's libc beside it; its path.
pub(crate) fn build_minimal() -> PathBuf {
    build(&[], &[], "release")
}

/// Builds the example as a board gets it, with all that it needs in one file; its path.
pub(crate) fn build_static_minimal() -> PathBuf {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output().expect("rustc runs").stdout;
    let said = String::from_utf8(said).expect("UTF-8");
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says for which machine it is");
    build(&["--target", host], &[("RUSTFLAGS", "-C target-feature=+crt-static")], &format!("{host}/release"))
}

fn build(flags: &[&str], settings: &[(&str, &str)], folder: &str) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--example", "minimal"]).args(flags).envs(settings.iter().copied());
    assert!(cargo.status().expect("cargo runs").success(), "the example could not be built");
    let program = built(folder);
    // Pages of a file that is not on the disk yet would count as dirty.
    fs::File::open(&program).and_then(|file| file.sync_all()).expect("the example is written out");
    program
}

impl Process {
    /// Starts the example, as it is built here, with these flags, on a free port.
    pub(crate) fn start(flags: &[String]) -> Self {
        Self::start_program(&built("release"), flags)
    }

    /// The same of this program.
    pub(crate) fn start_program(program: &Path, flags: &[String]) -> Self {
        let server = Self::launch(Command::new(program).args(flags));
        thread::sleep(QUIET);
        server
    }

    /// What this command starts, on a free port, as soon as it says where it listens.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let command = command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/mcp"));
        let address = address.expect("it says where it listens").parse().unwrap();
        Self { child, address }
    }

    /// Its memory now.
    pub(crate) fn memory(&self) -> Memory {
        let text = fs::read_to_string(self.proc("smaps_rollup")).unwrap();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let private_dirty_kb = field("Private_Dirty:");
        Memory { resident_kb: field("Rss:"), private_dirty_kb, private_kb: private_dirty_kb + field("Private_Clean:") }
    }

    /// Its memory once it does not change.
    pub(crate) fn settled(&self) -> Memory {
        loop {
            let before = self.memory();
            thread::sleep(QUIET);
            if self.memory() == before {
                return before;
            }
        }
    }

    /// How many files it has open.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// Waits until it has so many files open, or a while.
    pub(crate) fn settle_files(&self, files: usize) {
        for _ in 0..100 {
            if self.files() <= files {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(self.proc("task")).unwrap().count()
    }

    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

// This program is target/release/deps/memory-..., the example target/FOLDER/examples/minimal.
fn built(folder: &str) -> PathBuf {
    let here = env::current_exe().expect("this program has a path");
    here.ancestors().nth(3).expect("it lies in target").join(folder).join("examples/minimal")
}
