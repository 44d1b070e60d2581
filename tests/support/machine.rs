//! The board example as a program, on a machine that is a folder of files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::client::{Client, Session};
use super::example::{Example, command};
use super::wire;

/// A board that runs, and a client's session with it.
pub(crate) struct Machine {
    pub(crate) example: Example,
    pub(crate) client: Client,
    session: Session,
    pub(crate) dir: Folder,
}

/// The folder of a test: `root` is the machine, `bin` its programs.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// One with these files in `root`, a path and a content each.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(dir.path("root")).unwrap();
        fs::create_dir_all(dir.path("bin")).unwrap();
        for (path, text) in files {
            dir.write(path, text);
        }
        dir
    }

    /// The path of something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Changes a file of the machine in one step, as the kernel's files change.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let whole = self.path("root").join(path);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        replace(&whole, text);
    }

    /// Makes a program of its own.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        let whole = self.path("bin").join(name);
        replace(&whole, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&whole, Permissions::from_mode(0o755)).unwrap();
        whole
    }
}

fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

impl Machine {
    /// Starts the program with this configuration. Its `PATH` is `bin` alone.
    pub(crate) fn start(dir: Folder, config: &str) -> Self {
        Self::start_by(dir, config, |_| {})
    }

    /// The same, with a change to how it is started.
    pub(crate) fn start_by(dir: Folder, config: &str, change: impl FnOnce(&mut Command)) -> Self {
        fs::write(dir.path("board.toml"), config).unwrap();
        let (root, file) = (dir.path("root"), dir.path("board.toml"));
        let flags = ["--root", root.to_str().unwrap(), "--config", file.to_str().unwrap()];
        let mut command = command("board", &[&["--listen", "127.0.0.1:0"], &flags[..]].concat());
        command.env("PATH", dir.path("bin"));
        change(&mut command);
        let example = Example::spawn(command);
        let mut client = example.connect();
        let session = client.initialize("2025-11-25", "a test");
        Self { example, client, session, dir }
    }

    /// The result of a request.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.client.ask(&self.session.post(&wire::request(1, method, params))).json()
    }

    /// Calls a tool: whether it failed, and its text.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"));
        (result["isError"].as_bool().unwrap(), text.to_owned())
    }

    /// Reads a resource of JSON.
    pub(crate) fn read(&mut self, uri: &str) -> Value {
        let answer = self.ask("resources/read", &json!({"uri": uri}));
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"));
        serde_json::from_str(text).unwrap()
    }

    /// Subscribes to resources, and gives the stream on which their changes come.
    pub(crate) fn subscribe(&mut self, uris: &[&str]) -> Client {
        for uri in uris {
            let answer = self.ask("resources/subscribe", &json!({"uri": uri}));
            assert!(answer["result"].is_object(), "{answer}");
        }
        let mut stream = self.example.connect();
        assert_eq!(stream.open(&self.session.get()).status, 200);
        stream
    }
}

/// The URI of the resource that has changed.
pub(crate) fn updated(stream: &mut Client) -> String {
    let message = stream.message();
    assert_eq!(message["method"], "notifications/resources/updated", "{message}");
    message["params"]["uri"].as_str().unwrap().to_owned()
}
