// The modules of the board example, below the root of a test, where they look for each other (`include!`).
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
