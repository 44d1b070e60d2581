//! The machine it runs on as MCP tools, from `/proc` and `/sys`, without configuration.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)] // until the tools are attached
mod sources;

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use common::Program;
use common::args::OwnFlag;
use sources::processes::{Order, Wanted};
use sources::root::{Lack, Root};

const PROGRAM: Program = Program {
    name: "board",
    version: env!("CARGO_PKG_VERSION"),
    about: "Offers the machine it runs on to MCP clients: what it is, how it does, its LEDs.",
    own: &[OwnFlag {
        name: "root",
        value: "DIR",
        help: "read DIR/proc, DIR/sys and DIR/etc instead of those of this machine",
    }],
};

fn main() -> ExitCode {
    let args = match common::args_or_exit(&PROGRAM) {
        Ok(args) => args,
        Err(code) => return code,
    };
    common::log_to_stderr();
    let root = Root::new(args.own("root").unwrap_or(OsStr::new("/")));
    // A reader that went away is no failure.
    let _ = smol::block_on(print_all(&root));
    ExitCode::SUCCESS
}

/// Prints every report.
async fn print_all(root: &Root) -> io::Result<()> {
    let before = sources::processes::sample(root);
    show("Machine", Ok(sources::host::read(root)))?;
    show("Memory", sources::memory::read(root))?;
    show("Disks", sources::disks::read(root))?;
    show("Network", sources::network::read(root))?;
    show("Temperatures", sources::temperatures::read(root))?;
    show("Other sensors", sources::sensors::read(root))?;
    show("LEDs", sources::leds::read(root))?;
    let by = |by| Wanted { by, count: 5, commands: false };
    show(
        "Processes by memory",
        before.as_ref().map(|now| sources::processes::since_start(root, now, by(Order::Memory))).map_err(Lack::clone),
    )?;
    smol::Timer::after(Duration::from_secs(1)).await;
    let now = sources::processes::sample(root);
    let both =
        before.and_then(|before| now.map(|now| sources::processes::compare(root, &before, &now, by(Order::Cpu))));
    show("Processes by CPU", both)
}

fn show(title: &str, report: Result<impl Display, Lack>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match report {
        Ok(report) => write!(out, "# {title}\n{report}\n"),
        Err(lack) => write!(out, "# {title}\n{lack}\n\n"),
    }
}
