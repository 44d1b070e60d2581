//! What counts: tools that run the server and see what it does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::example::Example;
use crate::traffic::Kind;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Instructions in user space, of all threads.
    Instructions,
    /// Calls of the system.
    Calls,
}

/// What was counted, and the file that says more.
pub(crate) struct Counts {
    pub(crate) total: u64,
    pub(crate) file: PathBuf,
}

impl Counter {
    pub(crate) const ALL: [Self; 2] = [Self::Instructions, Self::Calls];

    /// Its name in the file of what is known.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Calls => "calls",
        }
    }

    /// The figure is that of so many requests.
    pub(crate) fn per(self) -> u64 {
        match self {
            Self::Instructions => 1,
            Self::Calls => 100,
        }
    }

    /// Ends the bench where its tool is missing.
    pub(crate) fn must_be_there(self) {
        let there = Command::new(self.tool()).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(
            there.is_ok_and(|status| status.success()),
            "{0} is missing: `apt-get install {0}` brings it",
            self.tool()
        );
    }

    /// Runs the server, sends it so many requests, ends it.
    pub(crate) fn count(self, program: &Path, kind: Kind, requests: u32) -> Counts {
        let file = program.with_file_name(format!("cost-{}-{}-{requests}", kind.name(), self.name()));
        let mut command = Command::new(self.tool());
        match self {
            Self::Instructions => {
                command.args(["-q", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", file.display()))
            }
            Self::Calls => command.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(&file),
        };
        command.arg(program).args(["--listen", "127.0.0.1:0"]).env_remove("SMOL_MCP_TOKEN").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = Example::spawn(command);
        kind.send(server.address, requests);
        self.end(&mut server);
        let said = fs::read_to_string(&file).expect("it counted");
        Counts { total: self.total(&said).unwrap_or_else(|| panic!("no total in {}", file.display())), file }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::Instructions => "valgrind",
            Self::Calls => "strace",
        }
    }

    // strace's child is the server, which alone is to be told.
    fn end(self, server: &mut Example) {
        match self {
            Self::Instructions => server.signal(Signal::TERM),
            Self::Calls => {
                let tracer = server.child.id();
                let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).unwrap();
                let id = children.split_whitespace().next().and_then(|id| id.parse().ok()).expect("it runs");
                rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
            }
        }
        let (status, _) = server.end();
        assert!(status.success(), "the server ends well: {status}");
    }

    fn total(self, said: &str) -> Option<u64> {
        match self {
            Self::Instructions => said.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok(),
            Self::Calls => said.lines().last()?.split_whitespace().next()?.parse().ok(),
        }
    }
}

/// Builds the example by this profile: `release`, or `cost`, the same with names; its path.
pub(crate) fn build(profile: &str) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--profile", profile, "--example", "minimal"]);
    assert!(cargo.status().expect("cargo runs").success(), "the example could not be built");
    // This program is target/release/deps/cost-..., the example target/PROFILE/examples/minimal.
    let here = env::current_exe().expect("this program has a path");
    here.ancestors().nth(3).expect("it lies in target").join(profile).join("examples/minimal")
}
