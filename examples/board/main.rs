//! The machine it runs on as MCP tools, from `/proc` and `/sys`, without configuration.
//!
//! ```text
//! cargo run --release --example board
//! ```
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod overview;
mod sources;
mod tools;

use std::ffi::OsStr;
use std::process::ExitCode;

use common::args::OwnFlag;
use common::{Program, oauth};
use sources::root::Root;

const PROGRAM: Program = Program {
    name: "board",
    version: env!("CARGO_PKG_VERSION"),
    about: "Offers the machine it runs on to MCP clients: what it is, how it does, its LEDs.",
    own: &[
        OwnFlag {
            name: "root",
            value: "DIR",
            help: "read DIR/proc, DIR/sys and DIR/etc instead of those of this machine",
        },
        OwnFlag {
            name: "log-to-clients",
            value: "LEVEL",
            help: "tell clients what the log says from this level on (error, warn, info, debug)",
        },
        oauth::ISSUER,
        oauth::JWKS,
        oauth::RESOURCE,
        oauth::AUDIENCE,
        oauth::SCOPE,
    ],
};

fn main() -> ExitCode {
    common::main_with(&PROGRAM, oauth::config, |args| {
        let dir = args.own("root").unwrap_or(OsStr::new("/"));
        // A directory that is not there would look like a machine that lacks everything.
        std::fs::read_dir(dir).map_err(|error| format!("--root {}: {error}", dir.display()))?;
        let server = tools::server(Root::new(dir));
        if let Some(level) = args.own("log-to-clients") {
            let expected = "--log-to-clients: expected error, warn, info or debug";
            let level = level.to_str().and_then(|level| level.parse().ok());
            common::log_to_clients(server.handle(), level.ok_or(expected)?, args.log.as_deref());
        }
        Ok(server)
    })
}
