//! How much stack large arguments take: a thread that overflows it ends its process, so each try has one of its own.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

mod support;

use std::env;
use std::process::{Command, Stdio};
use std::thread;

use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Server, ToolResult, args, heapless, tools};
use support::example::own_program;

args! {
    struct One { a: heapless::String<8192> }
    struct Three { a: heapless::String<8192>, b: heapless::String<8192>, c: heapless::String<8192> }
    struct Small { a: heapless::String<16> }
}

macro_rules! app {
    ($App:ident $($name:ident: $Args:ty),*) => {
        struct $App;
        tools! {
            impl $App {
                $(
                    /// Counts.
                    #[read_only]
                    async fn $name(&self, call: &mut Call<'_>, args: $Args) -> ToolResult {
                        call.reply(args.a.len()).await
                    }
                )*
            }
        }
    };
}
app!(Small1 t: Small);
app!(One1 t: One);
app!(Three1 t: Three);
app!(Three3 t: Three, u: Three, v: Three);

/// In the child: what it tries, and with how much stack.
const STACK: &str = "SMOL_MCP_TEST_STACK";
/// What threads of Rust have, in bytes.
const THREAD: usize = 2 << 20;
/// Bytes of the stack for each byte of the arguments, while they are read. In a release build there are fewer copies.
const FACTOR_MAX: usize = if cfg!(debug_assertions) { 48 } else { 24 };
/// Bytes of the stack for a call that has next to none.
const SMALL_MAX: usize = if cfg!(debug_assertions) { 256 << 10 } else { 64 << 10 };

#[test]
fn child() {
    let Ok(told) = env::var(STACK) else { return };
    let (app, bytes) = told.split_once(' ').unwrap();
    let app = app.to_owned();
    let run = move || {
        let config = Config::new().calls(1).connections(4).streams(1).sessions(1);
        let long = "x".repeat(8192);
        let arguments = match app.as_str() {
            "Small1" => r#"{"a":"x"}"#.to_owned(),
            "One1" => format!(r#"{{"a":"{long}"}}"#),
            _ => format!(r#"{{"a":"{long}","b":"{long}","c":"{long}"}}"#),
        };
        let server = match app.as_str() {
            "Small1" => TestServer::new(Server::new("stack", "1", Small1), config),
            "One1" => TestServer::new(Server::new("stack", "1", One1), config),
            "Three1" => TestServer::new(Server::new("stack", "1", Three1), config),
            _ => TestServer::new(Server::new("stack", "1", Three3), config),
        };
        let answer = server.unwrap().call_tool("t", &arguments);
        assert!(answer.contains(if app == "Small1" { "\"1\"" } else { "\"8192\"" }), "{answer}");
    };
    thread::Builder::new().stack_size(bytes.parse().unwrap()).spawn(run).unwrap().join().unwrap();
}

fn suffices(app: &str, bytes: usize) -> bool {
    let mut child = Command::new(own_program());
    child.args(["--exact", "child"]).env(STACK, format!("{app} {bytes}")).stdout(Stdio::null()).stderr(Stdio::null());
    child.status().unwrap().success()
}

// The least that suffices, to the page.
fn least(app: &str) -> usize {
    let (mut too_little, mut enough) = (0, 4 * THREAD);
    assert!(suffices(app, enough));
    while enough - too_little > 4096 {
        let middle = usize::midpoint(too_little, enough);
        *if suffices(app, middle) { &mut enough } else { &mut too_little } = middle;
    }
    enough
}

#[test]
fn three_tools_with_three_texts_of_eight_kilobytes_fit_a_thread() {
    assert!(suffices("Three3", THREAD));
}

#[test]
fn arguments_take_no_more_of_the_stack_than_is_documented() {
    let small = least("Small1");
    println!("# a small argument: {} kB", small / 1024);
    assert!(small <= SMALL_MAX, "{small} bytes");
    for (app, bytes) in [("One1", size_of::<One>()), ("Three1", size_of::<Three>())] {
        let least = least(app);
        let factor = (least - small).div_ceil(bytes);
        println!("# {app}, {bytes} bytes: {} kB of stack, {factor} for each byte", least / 1024);
        assert!(factor <= FACTOR_MAX, "{app}: {factor} bytes of stack for each of the arguments");
    }
    println!("# two more such tools: {} kB", (least("Three3") - least("Three1")) / 1024);
}
