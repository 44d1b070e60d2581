//! A server inside an application that has an executor, a state, work and a signal handler of its own: a thermostat that regulates a
//! room each second, and that clients may read and set.
//!
//! ```text
//! cargo run --release --example embed
//! ```
//! All of it runs on one thread, so the state is shared by `Rc<RefCell<..>>`. What the server adds to the application is marked.
#![forbid(unsafe_code)]

mod common;

use std::cell::RefCell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use common::Program;
use smol::{LocalExecutor, Timer};
use smol_mcp::{Call, Handle, LogLevel, Message, Server, ToolResult, args, tools};

const PROGRAM: Program = Program {
    name: "embed",
    version: env!("CARGO_PKG_VERSION"),
    about: "A thermostat with an executor of its own, in which an MCP server runs beside the regulation.",
    own: &[],
};

/// How often the room is measured.
const PERIOD: Duration = Duration::from_secs(1);
/// How far the room may be from the target before the heating is switched, in °C.
const HYSTERESIS: f64 = 0.3;

// --- The application, which knows nothing of MCP ---

/// The room and its heating.
struct Room {
    celsius: f64,
    target: f64,
    heating: bool,
}

impl Room {
    /// A second passes. True when the heating was switched.
    fn second(&mut self) -> bool {
        self.celsius += if self.heating { 0.05 } else { -0.02 };
        let wanted = match self.celsius - self.target {
            above if above > HYSTERESIS => false,
            above if above < -HYSTERESIS => true,
            _ => self.heating,
        };
        std::mem::replace(&mut self.heating, wanted) != wanted
    }
}

// --- What clients see of it ---

struct Thermostat {
    room: Rc<RefCell<Room>>,
}

args! {
    struct SetTarget {
        /// The temperature that the room shall have, in °C.
        #[range(5.0..=30.0)]
        celsius: f64,
    }
}

tools! {
    impl Thermostat {
        /// The room's temperature, its target, and whether the heating is on.
        #[read_only]
        async fn room(&self, call: &mut Call<'_>) -> ToolResult {
            // Copied out: a borrow must not be held over an `await`, or the regulation would find the room borrowed.
            let Room { celsius, target, heating } = *self.room.borrow();
            let heating = if heating { "on" } else { "off" };
            call.reply(format_args!("{celsius:.1} °C, target {target:.1} °C, heating {heating}")).await
        }

        /// Sets the temperature that the room shall have. The heating follows within a second.
        #[idempotent]
        async fn set_target(&self, call: &mut Call<'_>, args: SetTarget) -> ToolResult {
            self.room.borrow_mut().target = args.celsius;
            call.reply(format_args!("the target is now {:.1} °C", args.celsius)).await
        }
    }
}

/// The application's own work. It tells clients when something notable happens, and never waits for them.
async fn regulate(room: Rc<RefCell<Room>>, clients: Handle) {
    loop {
        Timer::after(PERIOD).await;
        let switched = room.borrow_mut().second();
        if switched {
            let Room { celsius, heating, .. } = *room.borrow();
            let text = format!("{celsius:.1} °C: heating {}", if heating { "on" } else { "off" });
            // Full or ended is no reason to let the room grow cold.
            if let Err(error) = clients.broadcast(Message::text(LogLevel::Info, Some("thermostat"), &text)) {
                log::warn!("the clients were not told: {error}");
            }
        }
    }
}

fn run(args: &common::Args) -> io::Result<()> {
    let room = Rc::new(RefCell::new(Room { celsius: 19.0, target: 20.0, heating: false }));

    // 1. Listen. What can fail, fails here: a wrong setting, a port that is taken.
    let app = Thermostat { room: room.clone() };
    let server = Server::new("thermostat", env!("CARGO_PKG_VERSION"), app);
    let config = common::config(args);
    if args.print_budget {
        common::print_budget(&server, &config);
        return Ok(());
    }
    let server = server.bind(config)?;
    if let Some(address) = server.local_addr() {
        common::ready_line(address);
    }
    // 2. A handle for whoever has something to tell the clients; it may go to other threads too.
    let clients = server.handle();

    let executor = LocalExecutor::new();
    executor.spawn(regulate(room, clients.clone())).detach();
    // 3. The server is one future, for the application's executor.
    let serving = executor.spawn(server.run());

    smol::block_on(executor.run(async {
        let signal = common::signals(args.token_file.is_some().then(|| clients.clone()))?.await?;
        log::info!("{signal}");
        // 4. Running calls may end and streams are closed, within 2 s; then the future is done.
        clients.shutdown();
        serving.await
    }))
}

fn main() -> ExitCode {
    let args = match common::args_or_exit(&PROGRAM) {
        Ok(args) => args,
        Err(code) => return code,
    };
    common::log_to_stderr(args.log.as_deref());
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            common::complain(&PROGRAM, &error);
            ExitCode::FAILURE
        }
    }
}
