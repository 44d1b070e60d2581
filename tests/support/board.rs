//! The board example with a configuration, and a client of it.

use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Answer, Client, Session};
use super::example::{Example, command};
use super::wire;

/// The board example, which serves what a configuration allows.
pub(crate) struct Board {
    pub(crate) example: Example,
    /// A client of 2025-11-25.
    pub(crate) client: Client,
    pub(crate) session: Session,
    // The configuration's file is there as long as the program.
    _dir: TempDir,
}

/// The example's command line with this configuration in a file, and more flags.
pub(crate) fn configured(config: &str, flags: &[&str]) -> (Command, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("board.toml");
    std::fs::write(&file, config).expect("a file");
    let file = file.to_str().expect("UTF-8");
    (command("board", &[&["--config", file], flags].concat()), dir)
}

/// What `--check` says of a configuration: whether all is well, the lines about it without the folder of the file, and what is offered.
pub(crate) fn check(config: &str, flags: &[&str]) -> (bool, Vec<String>, String) {
    let (mut command, dir) = configured(config, &[&["--check"], flags].concat());
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let folder = format!("board: {}/", dir.path().display());
    let line = |line: &str| line.strip_prefix(&folder).unwrap_or(line).to_owned();
    (output.status.success(), text(output.stderr).lines().map(line).collect(), text(output.stdout))
}

impl Board {
    /// Starts it on a free port.
    pub(crate) fn start(config: &str, flags: &[&str]) -> Self {
        let (mut command, dir) = configured(config, &[&["--listen", "127.0.0.1:0"], flags].concat());
        command.env("RUST_LOG", "info");
        let example = Example::spawn(command);
        let mut client = example.connect();
        let session = client.initialize("2025-11-25", "a test");
        Self { example, client, session, _dir: dir }
    }

    /// Calls a tool; whether it fails, and its text.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
        told(&self.client.ask(&self.session.post(&wire::call(1, tool, arguments))))
    }

    /// Calls a tool that must do it; its text.
    pub(crate) fn done(&mut self, tool: &str, arguments: &Value) -> String {
        let (failed, text) = self.call(tool, arguments);
        assert!(!failed, "{tool} {arguments}: {text}");
        text
    }

    /// Calls a tool that must refuse with these words.
    pub(crate) fn refused(&mut self, tool: &str, arguments: &Value, words: &str) {
        let (failed, text) = self.call(tool, arguments);
        assert!(failed && text.contains(words), "{tool} {arguments}: {text}");
    }

    /// Whether a line is active.
    pub(crate) fn is_active(&mut self, line: &str) -> bool {
        let text = self.done("gpio_read", &json!({ "name": line }));
        let state = text.strip_prefix(line).expect("the line's name first");
        assert!([": active", ": inactive"].contains(&state), "{text}");
        state == ": active"
    }

    /// The names of the tools that are listed.
    pub(crate) fn tools(&mut self) -> Vec<String> {
        let listed = self.client.ask(&self.session.post(&wire::request(1, "tools/list", &json!({})))).json();
        let tools = listed["result"]["tools"].as_array().expect("tools");
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Ends it by a signal; what it logged.
    pub(crate) fn end(mut self, signal: Signal) -> String {
        self.example.signal(signal);
        let (status, said) = self.example.end();
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }
}

/// Whether a tool's result is a failure, and its text.
pub(crate) fn told(answer: &Answer) -> (bool, String) {
    let json = answer.json();
    let failed = json["result"]["isError"].as_bool().unwrap_or_else(|| panic!("no result: {answer:?}"));
    (failed, answer.text())
}
