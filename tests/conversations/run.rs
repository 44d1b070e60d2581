//! Holds a conversation with a server of its own.

use std::collections::HashMap;

use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Handle, LogLevel, Message, Server};

use super::asking::Asking;
use super::away::Away;
use super::chores::Chores;
use super::danger::Danger;
use super::fixture::App;
use super::guarded::{self, Guarded};
use super::library::Library;
use super::relay::Relay;
use super::script::{How, Names, Script, Section, Step, What, access, bytes, expand};
use super::speaker;
use super::transcript::{Transcript, compare};

/// How the sends of a conversation are fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Whole,
    Bytes,
    /// Each in two parts; the first has this many bytes and one more (beyond the end, it begins again).
    Cut(usize),
}

struct Talk<'s> {
    script: &'s Script,
    way: Way,
    server: TestServer,
    clients: HashMap<String, Client>,
    names: Names,
    stopping: bool,
}

struct Client {
    connection: TestConnection,
    transcript: Transcript,
}

/// Holds a conversation. The error says what went otherwise.
pub(crate) fn hold(script: &Script, section: &Section, way: Way) -> Result<(), String> {
    let mut talk = Talk::new(script, way);
    for step in &section.steps {
        talk.step(step).map_err(|why| format!("line {}: {why}", step.line))?;
    }
    talk.finish()
}

/// The text of the file with what was received, where nothing or (`all`) something else is expected.
pub(crate) fn update(script: &Script, text: &str, all: bool) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut replaced = Vec::new();
    for section in &script.sections {
        let mut talk = Talk::new(script, Way::Whole);
        for step in &section.steps {
            if let What::Receive { who } = &step.what {
                let received = talk.receive(who);
                let differs = compare(&step.text, &received, &mut talk.names).is_err();
                if differs && (all || step.text.is_empty()) {
                    replaced.push((step.lines, talk.named(received.trim_end())));
                }
            } else if let Err(why) = talk.step(step) {
                eprintln!("line {}: {why}", step.line);
            }
        }
    }
    for ((begin, end), text) in replaced.into_iter().rev() {
        lines.splice(begin..end, text.lines().map(str::to_owned));
    }
    lines.join("\n") + "\n"
}

impl<'s> Talk<'s> {
    fn new(script: &'s Script, way: Way) -> Self {
        let server = start(script);
        Self { script, way, server, clients: HashMap::new(), names: script.names.clone(), stopping: false }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.what {
            What::Let(name) => drop(self.names.insert(name.clone(), expand(&step.text, &self.names))),
            What::Send { who, how } => self.send(who, *how, &step.text)?,
            What::Receive { who } => {
                let received = self.receive(who);
                compare(&step.text, &received, &mut self.names)?;
            }
            What::Advance(milliseconds) => self.server.advance(*milliseconds),
            What::From(who, address) => {
                let connection = self.server.connect_from(*address);
                self.clients.insert(who.clone(), Client { connection, transcript: Transcript::default() });
            }
            What::HalfClose(who) => self.client(who).connection.half_close(),
            What::Break(who) => drop(self.clients.remove(who)),
            What::Room(who, bytes) => self.client(who).connection.set_room(*bytes),
            What::Tokens(tokens) => {
                let tokens = tokens.iter().map(|token| access(token));
                self.handle().reload_tokens(tokens).map_err(|error| error.to_string())?;
            }
            What::ToolsChanged => self.handle().tools_changed(),
            What::ResourcesChanged => self.handle().resources_changed(),
            What::PromptsChanged => self.handle().prompts_changed(),
            What::ResourceUpdated(uri) => {
                self.handle().resource_updated(uri.as_str()).map_err(|error| error.to_string())?;
            }
            What::Broadcast(level, text) => {
                let level = LogLevel::parse(level.as_bytes()).expect("a level");
                let text = expand(text, &self.names);
                self.handle().broadcast(Message::text(level, None, &text)).map_err(|error| error.to_string())?;
            }
            What::Shutdown => {
                self.stopping = true;
                self.handle().shutdown();
            }
            What::Restart => {
                self.clients.clear();
                self.server = start(self.script);
            }
            What::Ended if self.server.run() => return Err("the server has not ended".into()),
            What::Ended => {}
        }
        self.server.run();
        Ok(())
    }

    fn handle(&self) -> Handle {
        self.server.handle().clone()
    }

    fn client(&mut self, who: &str) -> &mut Client {
        let server = &mut self.server;
        let connect = || Client { connection: server.connect(), transcript: Transcript::default() };
        self.clients.entry(who.to_owned()).or_insert_with(connect)
    }

    fn send(&mut self, who: &str, how: How, text: &str) -> Result<(), String> {
        let text = expand(text, &self.names);
        if let Some((_, name)) = text.split_once("$(") {
            return Err(format!("nobody knows $({}", name.chars().take(20).collect::<String>()));
        }
        let (bytes, methods) = bytes(&text, how);
        let client = self.client(who);
        client.transcript.methods.extend(methods);
        let way = if how == How::Whole { Way::Whole } else { self.way };
        let client = self.clients.get(who).expect("it is connected");
        let parts: Vec<&[u8]> = match way {
            Way::Whole => vec![&bytes],
            Way::Bytes => bytes.chunks(1).collect(),
            Way::Cut(at) => {
                let (one, other) = bytes.split_at(if bytes.len() < 2 { 0 } else { 1 + at % (bytes.len() - 1) });
                vec![one, other]
            }
        };
        for part in parts {
            self.server.send(&client.connection, part);
        }
        Ok(())
    }

    fn receive(&mut self, who: &str) -> String {
        self.client(who);
        let client = self.clients.get_mut(who).expect("it is connected");
        loop {
            let bytes = self.server.receive(&client.connection);
            if bytes.is_empty() {
                break;
            }
            client.transcript.feed(&bytes);
        }
        if client.connection.is_closed() {
            client.transcript.close();
        }
        client.transcript.take()
    }

    // Nothing was sent that nobody asked for; and when all have gone, all slots are free and the server serves.
    fn finish(mut self) -> Result<(), String> {
        let mut names: Vec<String> = self.clients.keys().cloned().collect();
        names.sort();
        for name in names {
            let more = self.receive(&name);
            if !more.is_empty() {
                return Err(format!("at the end {name} received more:\n{more}"));
            }
        }
        if self.stopping || matches!(self.way, Way::Cut(_)) {
            return Ok(());
        }
        self.clients.clear();
        self.server.run();
        // Calls whose clients of older revisions went may go on until their time is over.
        self.server.advance(3_000);
        self.server.call_tool("release", "{}");
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let connections: Vec<TestConnection> = (0..3).map(|_| self.server.connect()).collect();
        for connection in &connections {
            self.server.send(connection, &request[..5]);
        }
        for connection in &connections {
            self.server.send(connection, &request[5..]);
            let answer = self.server.receive(connection);
            if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
                return Err(format!("afterwards /healthz says {:?}", String::from_utf8_lossy(&answer)));
            }
        }
        Ok(())
    }

    // The received text, with names for what varies.
    fn named(&mut self, text: &str) -> String {
        let is_id = |text: &str| {
            text.len() == 48 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let words = text.split(|char: char| !char.is_ascii_alphanumeric() && !"-_".contains(char));
        for id in words.filter(|word| is_id(word)) {
            if !self.names.values().any(|known| known == id) {
                let free = ["session", "other", "third"].into_iter().find(|name| !self.names.contains_key(*name));
                self.names.insert(free.unwrap_or("more").to_owned(), id.to_owned());
            }
        }
        let mut text = text.to_owned();
        let mut meanings: Vec<(String, String)> =
            self.names.iter().map(|(name, meaning)| (name.clone(), expand(meaning, &self.names))).collect();
        meanings.retain(|(_, meaning)| meaning.len() > 24);
        meanings.sort_by_key(|(_, meaning)| std::cmp::Reverse(meaning.len()));
        for (name, meaning) in meanings {
            text = text.replace(&meaning, &format!("$({name})"));
        }
        text
    }
}

/// A server as the file wants it.
pub(crate) fn start(script: &Script) -> TestServer {
    super::fixture::quiet();
    let config = script.config();
    let key = [7; 32];
    let app = script.options.iter().rev().find(|(name, _)| name == "app").map_or("fixture", |(_, value)| value);
    let started = match app {
        "library" => {
            let server = Server::new("talk", "1", Library).session_key(key);
            TestServer::new(server.resources().prompts(), config)
        }
        "asking" => {
            let server = Server::new("talk", "1", Asking::default()).session_key(key);
            TestServer::new(server.resources().prompts(), config)
        }
        "away" => TestServer::new(Server::new("talk", "1", Away::default()).session_key(key), config),
        "chores" => TestServer::new(Server::new("talk", "1", Chores::default()).session_key(key), config),
        "danger" => TestServer::new(Server::new("talk", "1", Danger::default()).session_key(key), config),
        "guarded" => {
            let server = Server::new("talk", "1", Guarded::default()).session_key(key);
            TestServer::new(server.resources().prompts(), config)
        }
        "checked" => TestServer::new(guarded::checked().session_key(key), config),
        "relay" => TestServer::new(Server::new("talk", "1", Relay).session_key(key), config),
        "speaker" => TestServer::new(speaker::server().session_key(key), config),
        "mute" => TestServer::new(speaker::mute().session_key(key), config),
        _ => TestServer::new(Server::new("talk", "1", App::default()).session_key(key), config),
    };
    started.expect("the options are right")
}
