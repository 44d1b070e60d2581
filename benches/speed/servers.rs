//! The servers, and how each is started for a workload.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Process};
use crate::records::Setting;
use crate::wire::Revision;
use crate::workload::{Kind, Workload};

/// Where the rivals are, and where they are built.
const RIVALS: &str = "benches/rivals";

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Server {
    /// The kernel alone.
    Floor,
    /// The library.
    Ours,
    /// hyper's hello.
    Hyper,
    /// rmcp's own.
    Rmcp,
}

impl Server {
    /// In the order in which they take turns.
    pub(crate) const ALL: [Self; 4] = [Self::Floor, Self::Ours, Self::Hyper, Self::Rmcp];

    /// Those that need nothing of others.
    pub(crate) const OURS: [Self; 2] = [Self::Floor, Self::Ours];

    /// What the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "raw epoll",
            Self::Ours => "smol-mcp",
            Self::Hyper => "hyper hello",
            Self::Rmcp => "rmcp 3.9",
        }
    }

    /// It is a server of MCP, and not one that plays a record.
    pub(crate) fn speaks_mcp(self) -> bool {
        matches!(self, Self::Ours | Self::Rmcp)
    }

    /// It can do this.
    pub(crate) fn takes(self, workload: &Workload) -> bool {
        self != Self::Hyper || !matches!(workload.kind, Kind::Open | Kind::Fanout)
    }
}

/// The programs.
pub(crate) struct Programs {
    minimal: PathBuf,
    this: PathBuf,
    rivals: PathBuf,
}

impl Programs {
    /// Builds what these need and is not built yet.
    pub(crate) fn build(servers: &[Server]) -> Self {
        let minimal = process::build_minimal();
        let this = env::current_exe().expect("this program has a path");
        let target = target().join("rivals");
        let rivals = target.join("release");
        let mut programs = vec![this.clone()];
        if servers.iter().any(|server| matches!(server, Server::Hyper | Server::Rmcp)) {
            let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--quiet", "--release", "--locked"]).current_dir(RIVALS);
            let status = cargo.env("CARGO_TARGET_DIR", &target).status();
            assert!(status.expect("cargo runs").success(), "the rivals could not be built");
            programs.extend([rivals.join("hello"), rivals.join("echo")]);
        }
        // Pages of a file that is not on the disk yet would count as dirty.
        for program in programs {
            fs::File::open(&program).and_then(|file| file.sync_all()).expect("a program is written out");
        }
        Self { minimal, this, rivals }
    }

    /// Starts this server for this workload, below the command `under` if there is one.
    pub(crate) fn start(&self, server: Server, workload: &Workload, setting: &Setting, under: &[&str]) -> Process {
        let (program, flags) = self.line(server, workload, setting);
        let mut words = under.iter().map(|word| OsString::from(*word)).chain([program.into_os_string()]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(flags);
        Process::launch(&mut command)
    }

    fn line(&self, server: Server, workload: &Workload, setting: &Setting) -> (PathBuf, Vec<OsString>) {
        let own = |what: &str| vec!["--serve".into(), what.into()];
        match server {
            Server::Floor => {
                let rules = setting.rules.iter().flat_map(|rule| [OsString::from("--rule"), rule.into()]);
                (self.this.clone(), own("floor").into_iter().chain(rules).collect())
            }
            Server::Ours if matches!(workload.kind, Kind::Big | Kind::List) => (self.this.clone(), own("app")),
            Server::Ours => (self.minimal.clone(), capacities(workload)),
            Server::Hyper => {
                (self.rivals.join("hello"), vec!["--answer".into(), setting.answer.clone().into_os_string()])
            }
            Server::Rmcp => {
                let stateless = (workload.revision == Revision::Modern).then(|| "--stateless".into());
                let tools = (workload.kind == Kind::List).then(|| ["--tools".into(), "50".into()]);
                (self.rivals.join("echo"), stateless.into_iter().chain(tools.into_iter().flatten()).collect())
            }
        }
    }
}

/// Where cargo builds: this program is target/release/deps/speed-...
pub(crate) fn target() -> PathBuf {
    let here = env::current_exe().expect("this program has a path");
    here.ancestors().nth(3).map(Path::to_path_buf).expect("it lies in target")
}

// What `minimal` needs for so many clients, where that is more than it has by itself.
fn capacities(workload: &Workload) -> Vec<OsString> {
    let clients = workload.clients;
    let streams = if matches!(workload.kind, Kind::Open | Kind::Fanout) { clients } else { 0 };
    let sessions = if workload.revision == Revision::Session { clients } else { 0 };
    let capacities = [("--connections", clients + 16, 64), ("--streams", streams, 32), ("--sessions", sessions, 64)];
    let more = capacities.into_iter().filter(|(_, wanted, default)| wanted > default);
    more.flat_map(|(flag, wanted, _)| [OsString::from(flag), wanted.to_string().into()]).collect()
}
