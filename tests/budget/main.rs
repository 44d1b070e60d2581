//! The memory budget that a program prints, held against the memory that the kernel says it has when all of its capacities are used up.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod process;

use serde_json::{Value, json};
use smol_mcp::limits::{
    BODY_BYTES_DEFAULT, CALLS_DEFAULT, CONNECTIONS_DEFAULT, RUNTIME_BYTES, SESSIONS_DEFAULT, STREAMS_DEFAULT,
};

use process::{Budget, Process, run};
use support::client::Client;
use support::example::emulated;
use support::wire;

/// Tasks of `everything`.
const TASKS: usize = 64;
/// Changes that fill the ring of events.
const CHANGES: usize = 3_000;

#[test]
fn minimal_stays_within_its_budget() {
    let house = Process::start("minimal");
    fill_ring(&house);
    let held = full(&house, json!({"name": "echo", "arguments": {"text": "x".repeat(16_000)}}));
    judge(&house, &["commands of the application", "questions to clients"]);
    drop(held);
}

#[test]
fn board_stays_within_its_budget() {
    let house = Process::start("board");
    let held = full(&house, json!({"name": "processes", "arguments": {"count": 50, "commands": true}}));
    judge(&house, &["commands of the application", "questions to clients", "event ring"]);
    drop(held);
}

#[test]
fn everything_stays_within_its_budget() {
    let house = Process::start("everything");
    fill_ring(&house);
    fill_tasks(&house);
    let held = full(&house, json!({"name": "echo", "arguments": {"text": "x".repeat(16_000)}}));
    judge(&house, &["commands of the application"]);
    drop(held);
}

#[test]
fn every_example_prints_it() {
    for name in ["board", "embed", "everything", "minimal"] {
        let default = Budget::of(name, &[]);
        assert!(default.row("futures of calls, with the handlers'") > 0, "{name}");
        let larger = Budget::of(name, &["--body-bytes", "1M", "--calls", "16", "--max-memory", "1k"]);
        assert_eq!(larger.row("request buffers") / 17, (1 << 20) + 8192 + 64, "{name}");
        assert!(larger.process > default.process + (16 << 20), "{name}");
    }
}

#[test]
fn what_is_too_much_does_not_start() {
    let (status, stdout, stderr) = run("minimal", &["--listen", "127.0.0.1:0", "--max-memory", "6M"]);
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.starts_with("minimal: max_memory: the budget of "), "{stderr}");
    assert!(stderr.contains(" is above 6.0 MiB; lower connections from 64 ("), "{stderr}");
    // What it says is enough.
    let advice = stderr.trim().rsplit_once(" to ").expect("a number").1;
    Process::start_with("minimal", &["--max-memory", "6M", "--connections", advice]);
}

// Compares what the kernel says with what the program said, but for the rows that no client can fill from outside.
fn judge(house: &Process, unused: &[&str]) {
    if emulated() {
        println!("left out: the memory of {} is the emulator's here", house.name);
        return;
    }
    let budget = Budget::of(house.name, &[]);
    let memory = house.private_dirty();
    let used = budget.process - unused.iter().map(|row| budget.row(row)).sum::<u64>();
    // A program that is not optimised has a larger file, and larger frames on its stacks.
    let runtime = RUNTIME_BYTES as u64 * if cfg!(debug_assertions) { 2 } else { 1 };
    let name = house.name;
    println!("# {name}: {memory} bytes private and dirty; {used} of the budget's {} are used", budget.process);
    assert!(memory <= used + runtime, "{name}: {memory} of {used}, and {runtime} for the program");
    // Or else the sum would be idle talk.
    assert!(memory >= budget.process / 2, "{name}: only {memory} of {}", budget.process);
}

// As many of everything as there can be: sessions, streams, idle connections; and in each request buffer a body that lacks its last byte, after
// an answer that filled the transmit buffer.
fn full(house: &Process, call: Value) -> Vec<Client> {
    for n in 0..SESSIONS_DEFAULT {
        let mut client = house.connect();
        client.ask(&wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", &format!("{n:0>32}"))));
    }
    let mut held = Vec::new();
    for n in 0..STREAMS_DEFAULT {
        let mut client = house.connect();
        assert_eq!(client.open(&wire::listen(&format!("{n:0>32}"), &format!("{n:0>60}"))).status, 200);
        held.push(client);
    }
    for _ in 0..CONNECTIONS_DEFAULT - STREAMS_DEFAULT - CALLS_DEFAULT - 1 {
        let mut client = house.connect();
        assert_eq!(client.ask(&wire::modern("d", "server/discover", json!({}))).status, 200);
        held.push(client);
    }
    let mut calls: Vec<Client> = (0..CALLS_DEFAULT).map(|_| house.connect()).collect();
    let whole = large(call);
    let (begin, end) = whole.split_at(whole.len() - 1);
    send_all(&mut calls, begin);
    send_all(&mut calls, end);
    for client in &mut calls {
        assert_eq!(client.answer().status, 200);
    }
    // Once more, and now they stay where they are; the reserve takes an answer to a question that nobody asked.
    send_all(&mut calls, begin);
    let mut reserve = house.connect();
    let answer = json!({"jsonrpc": "2.0", "id": "smol-0-0", "result": {"padding": padding(0)}}).to_string();
    let answer = wire::post_to("/mcp", &[("MCP-Protocol-Version", wire::MODERN)], &answer);
    reserve.send(&answer[..answer.len() - 1]);
    calls.push(reserve);
    held.append(&mut calls);
    held
}

fn send_all(clients: &mut [Client], text: &str) {
    for client in clients {
        client.send(text);
    }
}

// A call whose body is as large as it may be.
fn large(mut call: Value) -> String {
    let short = wire::modern("c", "tools/call", call.clone());
    call["padding"] = padding(short.len()).into();
    wire::modern("c", "tools/call", call)
}

fn padding(short: usize) -> String {
    "p".repeat(BODY_BYTES_DEFAULT - short - 256)
}

fn fill_ring(house: &Process) {
    let mut client = house.connect();
    let notify = wire::modern_call("n", "notify", &json!({}));
    for _ in 0..CHANGES {
        assert_eq!(client.ask(&notify).status, 200);
    }
}

fn fill_tasks(house: &Process) {
    let mut client = house.connect();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": wire::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let arguments = json!({"seconds": 600.0, "label": "l".repeat(900)});
    let params = json!({"name": "slow_compute", "arguments": arguments, "_meta": meta, "padding": "p".repeat(14_000)});
    let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "slow_compute")];
    let call = wire::post_to("/mcp", &headers, &wire::request("t", "tools/call", &params));
    for _ in 0..TASKS {
        let answer = client.ask(&call).json();
        assert!(answer["result"]["taskId"].is_string(), "{answer}");
    }
}
