//! How much stack large arguments take.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

use std::env;
use std::process::{Command, Stdio};
use std::thread;

use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Server, ToolResult, args, heapless, tools};

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

const STACK: &str = "SMOL_MCP_TEST_STACK";

#[test]
fn child() {
    let Ok(told) = env::var(STACK) else { return };
    let (app, bytes) = told.split_once(' ').unwrap();
    let app = app.to_owned();
    let run = move || {
        let config = Config::new().calls(1).connections(4).streams(1).sessions(1);
        let long = "x".repeat(8000);
        let arguments = match app.as_str() {
            "Small1" => r#"{"a":"x"}"#.to_owned(),
            "One1" => format!(r#"{{"a":"{long}"}}"#),
            _ => format!(r#"{{"a":"{long}","b":"{long}","c":"{long}"}}"#),
        };
        let mut server = match app.as_str() {
            "Small1" => TestServer::new(Server::new("s", "1", Small1), config),
            "One1" => TestServer::new(Server::new("s", "1", One1), config),
            "Three1" => TestServer::new(Server::new("s", "1", Three1), config),
            _ => TestServer::new(Server::new("s", "1", Three3), config),
        }
        .unwrap();
        let answer = server.call_tool("t", &arguments);
        assert!(answer.contains(if app == "Small1" { "\"1\"" } else { "\"8000\"" }), "{answer}");
    };
    thread::Builder::new().stack_size(bytes.parse().unwrap()).spawn(run).unwrap().join().unwrap();
}

fn works(app: &str, bytes: usize) -> bool {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "child"]).env(STACK, format!("{app} {bytes}")).stdout(Stdio::null()).stderr(Stdio::null());
    child.status().unwrap().success()
}

fn least(app: &str) -> usize {
    let (mut fails, mut works_) = (0, 64 << 20);
    while works_ - fails > 4096 {
        let middle = usize::midpoint(fails, works_);
        if works(app, middle) { works_ = middle } else { fails = middle }
    }
    works_
}

#[test]
fn stack() {
    for app in ["Small1", "One1", "Three1", "Three3"] {
        println!("# {app}: {} kB", least(app) / 1024);
    }
}
