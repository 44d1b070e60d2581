//! The machine it runs on as MCP tools, from `/proc` and `/sys`, without configuration.
//!
//! ```text
//! cargo run --release --example board
//! ```
#![forbid(unsafe_code)]

mod app;
mod check;
mod children;
mod commands;
#[path = "../common/mod.rs"]
mod common;
mod config;
mod control;
mod hardware;
mod offers;
mod overview;
mod resources;
mod sensing;
mod sources;
mod tools;
mod units;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use common::args::{Args, OwnFlag};
use common::{Program, oauth};
use config::{Config, Problems};
use sources::root::Root;

const PROGRAM: Program = Program {
    name: "board",
    version: env!("CARGO_PKG_VERSION"),
    about: "Offers the machine it runs on to MCP clients: what it is, how it does, its LEDs.",
    own: &[
        OwnFlag {
            name: "config",
            value: "FILE",
            help: "offer what this file allows to change too (README, \"The board\");\nwithout one, only what reads",
        },
        OwnFlag { name: "check", value: "", help: "say what is wrong with that file, or what it offers, and end" },
        OwnFlag {
            name: "simulate",
            value: "",
            help: "play the GPIO chips, I2C buses and PWM channels of that file; its LEDs are\nleft out then, unless --root names a folder for them",
        },
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
    let args = match common::args_or_exit(&PROGRAM) {
        Ok(args) => args,
        Err(code) => return code,
    };
    if args.own("check").is_some() {
        return check(&args);
    }
    common::run(&PROGRAM, &args, oauth::config, |args| {
        common::begin_timers();
        let root = root(args)?;
        let config = config(args, &root)?;
        let (server, beside) = app::board(root, config);
        if let Some(level) = args.own("log-to-clients") {
            let expected = "--log-to-clients: expected error, warn, info or debug";
            let level = level.to_str().and_then(|level| level.parse().ok());
            common::log_to_clients(server.handle(), level.ok_or(expected)?, args.log.as_deref());
        }
        Ok((server, beside.keep()))
    })
}

/// Where the machine's files are.
fn root(args: &Args) -> Result<Root, String> {
    let dir = args.own("root").unwrap_or(OsStr::new("/"));
    // A directory that is not there would look like a machine that lacks everything.
    std::fs::read_dir(dir).map_err(|error| format!("--root {}: {error}", dir.display()))?;
    Ok(Root::new(dir))
}

/// What may be changed, and by whom.
fn config(args: &Args, root: &Root) -> Result<Config, String> {
    let Some(file) = args.own("config").map(Path::new) else { return Ok(Config::default()) };
    let mut config = config::read(file).map_err(|problems| problems.to_string())?;
    config.simulate = args.own("simulate").is_some();
    let name = || file.display().to_string();
    let same = check::same_lines(&config, root);
    if !same.is_empty() {
        return Err(Problems { file: name(), list: same }.to_string());
    }
    let mut list = config.leave_out_what_is_real(root.is_live());
    if args.token_file.is_none() && args.own("oauth-issuer").is_none() {
        list.extend(check::doors(&config));
    }
    if !list.is_empty() {
        list.sort();
        common::complain(&PROGRAM, &Problems { file: name(), list });
    }
    Ok(config)
}

/// Says what is wrong with the configuration, or what it offers, and ends (`--check`).
fn check(args: &Args) -> ExitCode {
    let file = args.own("config").ok_or_else(|| "--check needs --config FILE".to_owned());
    let checked = file.and_then(|file| {
        let root = root(args)?;
        let config = config(args, &root)?;
        Ok((file.display().to_string(), root, config))
    });
    match checked {
        Ok((file, root, config)) => {
            let lacks = check::machine(&config, &root, file);
            common::complain(&PROGRAM, &lacks);
            common::say(&check::offered(&config, &offers::tools(root, config.clone())));
            ExitCode::SUCCESS
        }
        Err(error) => {
            common::complain(&PROGRAM, &error);
            ExitCode::FAILURE
        }
    }
}
