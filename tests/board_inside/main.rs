//! The modules of the board example, called from within: its tools as whole server without sockets, its outputs on simulated hardware.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]
#![allow(dead_code, reason = "the example uses the rest")]

// Where they look for each other: below the root.
#[path = "../../examples/board/app.rs"]
mod app;
#[path = "../../examples/board/children/mod.rs"]
mod children;
#[path = "../../examples/board/commands/mod.rs"]
mod commands;
#[path = "../../examples/board/config/mod.rs"]
mod config;
#[path = "../../examples/board/control/mod.rs"]
mod control;
#[path = "../../examples/board/hardware/mod.rs"]
mod hardware;
#[path = "../../examples/board/offers.rs"]
mod offers;
#[path = "../../examples/board/overview.rs"]
mod overview;
#[path = "../../examples/board/resources.rs"]
mod resources;
#[path = "../../examples/board/sensing/mod.rs"]
mod sensing;
#[path = "../../examples/board/sources/mod.rs"]
mod sources;
#[path = "../../examples/board/tools.rs"]
mod tools;
#[path = "../../examples/board/units.rs"]
mod units;

mod controlled;
mod every_tool;
mod parts;
mod when_released;
