//! An example in a process of its own, and what the kernel says of its memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::client::Client;
use crate::support::example::program;
use crate::support::until;

/// The memory counts as settled when it has not changed for this long.
const QUIET: Duration = Duration::from_millis(300);

/// An example that runs; it is killed when the test is over.
pub(crate) struct Process {
    child: Child,
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts an example on a free port.
    pub(crate) fn start(name: &'static str) -> Self {
        Self::start_with(name, &[])
    }

    /// The same, with flags.
    pub(crate) fn start_with(name: &'static str, flags: &[&str]) -> Self {
        // Pages of a file that is not on the disk yet would count as dirty.
        fs::File::open(program(name)).and_then(|file| file.sync_all()).expect("the example is written out");
        let mut child = command(name, &[&["--listen", "127.0.0.1:0"], flags].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/mcp"));
        let address = address.expect("it says where it listens").parse().unwrap();
        Self { child, name, address }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Bytes of its memory that are its own and were written to, once they don't change.
    pub(crate) fn private_dirty(&self) -> u64 {
        let mut before = 0;
        until("its memory settles", || {
            thread::sleep(QUIET);
            let now = self.memory();
            let settled = std::mem::replace(&mut before, now) == now;
            settled.then_some(now)
        })
    }

    fn memory(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).expect("a line for it");
        line.trim().strip_suffix(" kB").expect("in kB").parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program that ends by itself says: its status, stdout and stderr.
pub(crate) fn run(name: &str, flags: &[&str]) -> (Option<i32>, String, String) {
    let output = command(name, flags).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The part of the process in the table that a program prints.
pub(crate) struct Budget {
    rows: Vec<(String, u64)>,
    /// Its sum.
    pub(crate) process: u64,
}

impl Budget {
    /// What an example with these flags prints.
    pub(crate) fn of(name: &str, flags: &[&str]) -> Self {
        let (status, table, stderr) = run(name, &[&["--print-budget"], flags].concat());
        assert_eq!((status, stderr.as_str()), (Some(0), ""));
        let number = |text: &str| text.replace(' ', "").parse::<u64>().expect("a number");
        // The columns stand apart by two blanks at least; the digits' groups by one.
        let columns = |line: &str| -> Vec<String> {
            line.split("  ").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        let mut rows: Vec<_> = table.lines().skip(1).map_while(|line| line.strip_prefix("  ")).map(columns).collect();
        let sum = rows.pop().expect("a sum");
        let process = number(&sum[1]);
        let rows: Vec<_> = rows.into_iter().map(|row| (row[0].clone(), number(&row[3]))).collect();
        assert_eq!(rows.iter().map(|(_, bytes)| bytes).sum::<u64>(), process, "{table}");
        Self { rows, process }
    }

    /// The bytes of a row.
    pub(crate) fn row(&self, name: &str) -> u64 {
        self.rows.iter().find(|(row, _)| row == name).expect("a row of this name").1
    }
}

fn command(name: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(flags).env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
    command.stdin(Stdio::null());
    command
}
