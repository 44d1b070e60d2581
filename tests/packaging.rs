//! What the packages say of the server, against the server.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

mod support;

use std::fs;

use smol_mcp::limits::{LISTEN_BACKLOG, RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES};
use support::example::{Example, command};

/// `--print-budget` times this is the least that the unit must leave: the program's own pages, what its tools read, the commands that they run.
const MEMORY_TIMES_MIN: u64 = 2;
/// More than this is no limit any more.
const MEMORY_TIMES_MAX: u64 = 8;

fn text(name: &str) -> String {
    fs::read_to_string(format!("packaging/{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The values of a setting of a unit, in the order in which they stand there.
fn settings(unit: &str, name: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).collect()
}

fn setting(unit: &str, name: &str) -> String {
    let [value] = &settings(unit, name)[..] else { panic!("{name} is there once") };
    value.clone()
}

fn bytes(value: &str) -> u64 {
    let (number, unit) = value.split_at(value.len() - 1);
    number.parse::<u64>().unwrap()
        << ["K", "M", "G"].iter().position(|known| *known == unit).map(|at| 10 * (at + 1)).unwrap()
}

#[test]
fn the_limit_of_memory_is_that_of_the_budget() {
    let output = command("board", &["--print-budget"]).output().expect("it starts");
    let budget = String::from_utf8(output.stdout).unwrap();
    let total = budget.lines().find_map(|line| line.strip_prefix("total ")).expect("a total");
    // `8 872 332  8.5 MiB`
    let total = total.trim().split_once("  ").expect("a number of bytes").0.replace(' ', "");
    let total: u64 = total.parse().unwrap_or_else(|_| panic!("{total}"));
    let most = bytes(&setting(&text("smol-mcp-board.service"), "MemoryMax"));
    assert!((MEMORY_TIMES_MIN * total..MEMORY_TIMES_MAX * total).contains(&most), "{total} {most}");
}

/// What `[package.metadata.deb]` puts where, of the files that are in the tree.
fn packed(to: &str) -> String {
    let manifest = fs::read_to_string("Cargo.toml").expect("it is there");
    let line = manifest
        .lines()
        .find(|line| line.contains(&format!("\", \"{to}\", ")))
        .unwrap_or_else(|| panic!("{to} is packed"));
    line.split('"').nth(1).unwrap().to_owned()
}

#[test]
fn the_configuration_that_is_installed_is_the_one_that_is_used_and_it_is_right() {
    let file = packed("etc/smol-mcp/");
    let installed = format!("/etc/smol-mcp/{}", file.rsplit('/').next().unwrap());
    let start = setting(&text("smol-mcp-board.service"), "ExecStart");
    assert!(start.contains(&format!(" --config {installed} ")), "{start}");
    let manifest = fs::read_to_string("Cargo.toml").expect("it is there");
    assert!(
        manifest.lines().any(|line| line.starts_with("conf-files = ") && line.contains(&format!("\"{installed}\""))),
        "{installed}"
    );
    let output = command("board", &["--check", "--config", &file]).output().expect("it starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_services_user_has_an_account() {
    let user = setting(&text("smol-mcp-board.service"), "User");
    let accounts = text("smol-mcp-board.sysusers");
    let has = |kind: &str, name: &str| accounts.lines().any(|line| line.split_whitespace().take(2).eq([kind, name]));
    assert!(has("u", &user), "{accounts}");
    for group in setting(&text("smol-mcp-board.service"), "SupplementaryGroups")
        .split(' ')
        .filter(|group| *group != "systemd-journal")
    {
        assert!(has("g", group), "{group}: {accounts}");
    }
}

#[test]
fn the_socket_is_as_the_servers_own() {
    let socket = text("smol-mcp-board.socket");
    assert_eq!(setting(&socket, "Backlog"), LISTEN_BACKLOG.to_string());
    assert_eq!(bytes(&setting(&socket, "ReceiveBuffer")), RECEIVE_BUFFER_BYTES as u64);
    assert_eq!(bytes(&setting(&socket, "SendBuffer")), SEND_BUFFER_BYTES as u64);
    assert_eq!(setting(&socket, "NoDelay"), "true");
}

#[test]
fn what_the_network_is_told_is_true() {
    let (avahi, port) = (text("smol-mcp-board.avahi"), setting(&text("smol-mcp-board.socket"), "ListenStream"));
    assert!(avahi.contains(&format!("<port>{port}</port>")) && avahi.contains("<type>_mcp._tcp</type>"), "{avahi}");
    let record = |name: &str| {
        let (_, rest) = avahi.split_once(&format!("<txt-record>{name}=")).expect(name);
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(record("auth"), "bearer");
    let example = Example::start("board", &["--token", "t0ken"]);
    assert!(example.ready_line.ends_with(&format!("{}\n", record("path"))), "{}", example.ready_line);
    // The newest that it serves.
    let newest = smol_mcp::Revision::ALL.iter().map(|revision| revision.as_str()).max();
    assert_eq!(newest, Some(record("revision").as_str()));
}
