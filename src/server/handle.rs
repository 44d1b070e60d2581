//! The way to a running server from anywhere: any thread, any executor.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use async_channel::{Receiver, Sender, TrySendError};

use super::audit::AuditEntry;
use super::clients::ClientInfo;
use super::socket::Duplex;
use super::stats::Stats;
use crate::app::message_params;
use crate::guard::{self, Token};
use crate::hub::Audience;
use crate::json::{self, Writer};
use crate::limits::{
    AUDIT_ENTRIES_MAX, CLIENTS_LISTED_MAX, COMMANDS_BESIDE_LOG, COMMANDS_MAX, MESSAGE_PARAMS_BYTES_MAX,
    SUBSCRIBED_URI_BYTES_MAX, SUBSCRIBED_URIS_MAX,
};
use crate::session::LogLevel;

pub(super) const TOOLS_CHANGED: u32 = 1;
pub(super) const SHUTDOWN: u32 = 2;
pub(super) const RESOURCES_CHANGED: u32 = 4;
pub(super) const PROMPTS_CHANGED: u32 = 8;
pub(super) const RELOAD: u32 = 16;

/// The way to a running server: announces changes, sends messages, lists the clients, shuts down.
///
/// Usable from any thread, cheap to clone, bounded: changes that are announced faster than they are sent are one change,
/// and messages wait in a queue of [`COMMANDS_MAX`].
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    commands: Sender<Command>,
}

struct Shared {
    flags: AtomicU32,
    engine: Mutex<Option<Waker>>,
    /// What found the queue full since the engine last asked: connections, and all else.
    lost_connections: AtomicU32,
    lost_events: AtomicU32,
}

/// The engine's end.
pub(super) struct Commands {
    shared: Arc<Shared>,
    receiver: Receiver<Command>,
}

/// What takes more than a flag.
pub(super) enum Command {
    Message { audience: Audience, level: LogLevel, params: String },
    ResourceUpdated(String),
    Clients { list: Vec<ClientInfo>, reply: Sender<Vec<ClientInfo>> },
    Stats { reply: Sender<Stats> },
    Audit { list: Vec<AuditEntry>, reply: Sender<Vec<AuditEntry>> },
    Watched { list: Vec<String>, reply: Sender<Vec<String>> },
    Connect { io: Box<dyn Duplex>, peer: Option<IpAddr>, local: Option<SocketAddr> },
    Tokens(Vec<Token>),
    Tick { now_ms: u64, unix_s: Option<u64> },
}

/// A message of the application to its clients: `notifications/message`.
#[derive(Clone, Debug)]
pub struct Message {
    level: LogLevel,
    params: String,
}

impl Message {
    /// A message whose data is a text. `logger` names the part of the application that speaks, where there are several.
    pub fn text(level: LogLevel, logger: Option<&str>, text: &str) -> Self {
        Self::build(level, logger, |w| {
            w.string(text);
        })
    }

    /// A message whose data is any JSON value.
    ///
    /// # Errors
    /// `InvalidData` when `json` is not exactly one JSON value.
    pub fn json(level: LogLevel, logger: Option<&str>, json: &str) -> io::Result<Self> {
        let checked = json::validate(json.as_bytes());
        checked.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("not JSON: {error}")))?;
        // A line break between its tokens would end the event that carries it.
        let one_line: String = json.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
        Ok(Self::build(level, logger, |w| {
            w.str(&one_line);
        }))
    }

    fn build(level: LogLevel, logger: Option<&str>, data: impl Fn(&mut Writer<'_>)) -> Self {
        let render = |w: &mut Writer<'_>| message_params(w, level, logger, &data);
        let mut measure = Writer::new(&mut []);
        render(&mut measure);
        let mut params = vec![0; measure.total()];
        render(&mut Writer::new(&mut params));
        Self { level, params: String::from_utf8(params).unwrap_or_default() }
    }
}

impl Handle {
    /// A handle, and the end that the engine listens to.
    pub(super) fn new() -> (Handle, Commands) {
        let (commands, receiver) = async_channel::bounded(COMMANDS_MAX);
        let shared = Arc::new(Shared {
            flags: AtomicU32::new(0),
            engine: Mutex::new(None),
            lost_connections: AtomicU32::new(0),
            lost_events: AtomicU32::new(0),
        });
        (Handle { shared: shared.clone(), commands }, Commands { shared, receiver })
    }

    /// Announces that the list of tools, or what is in it, changed: `notifications/tools/list_changed` goes to every
    /// client that listens, of every revision. Never waits, and never fails.
    pub fn tools_changed(&self) {
        self.flag(TOOLS_CHANGED);
    }

    /// Announces that the list of resources changed: `notifications/resources/list_changed`. Never waits, and never fails.
    pub fn resources_changed(&self) {
        self.flag(RESOURCES_CHANGED);
    }

    /// Announces that the list of prompts changed: `notifications/prompts/list_changed`. Never waits, and never fails.
    pub fn prompts_changed(&self) {
        self.flag(PROMPTS_CHANGED);
    }

    /// Tells every client that is subscribed to this URI that the resource changed: `notifications/resources/updated`. Changes that follow
    /// each other faster than they are sent are one change.
    ///
    /// # Errors
    /// `WouldBlock` when [`COMMANDS_MAX`] wait already, `NotConnected` when the server has ended.
    pub fn resource_updated(&self, uri: impl Into<String>) -> io::Result<()> {
        let uri = uri.into();
        // Nobody can be subscribed to a longer one, and it must not take the queue's memory.
        if uri.len() > SUBSCRIBED_URI_BYTES_MAX {
            return Ok(());
        }
        self.command(Command::ResourceUpdated(uri))
    }

    /// The URIs of resources about which somebody would hear now: each that a client with an open stream is subscribed to, once. For who measures only
    /// what somebody wants to know. At most [`SUBSCRIBED_URIS_MAX`] of them.
    ///
    /// # Errors
    /// `NotConnected` when the server has ended.
    pub async fn watched_uris(&self) -> io::Result<Vec<String>> {
        let (reply, answer) = async_channel::bounded(1);
        // The list's memory is the caller's.
        let command = Command::Watched { list: Vec::with_capacity(SUBSCRIBED_URIS_MAX), reply };
        self.commands.send(command).await.map_err(|_| ended())?;
        self.wake();
        answer.recv().await.map_err(|_| ended())
    }

    /// Sends a message to every client of an older revision (up to 2025-11-25) that has a stream open and whose log level
    /// lets it through, each once. (2026-07-28 has no such messages: its clients only get what they asked for.)
    ///
    /// # Errors
    /// `InvalidInput` when it is larger than [`MESSAGE_PARAMS_BYTES_MAX`], `WouldBlock` when [`COMMANDS_MAX`] wait
    /// already, `NotConnected` when the server has ended.
    pub fn broadcast(&self, message: Message) -> io::Result<()> {
        self.message(Audience::All, message)
    }

    /// Sends a message to one client, by its number in [`clients`](Self::clients). One that is gone, or has no stream,
    /// gets nothing.
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    pub fn send(&self, client: u64, message: Message) -> io::Result<()> {
        self.message(Audience::Client(client), message)
    }

    /// The connected clients: who, which revision, since when. At most `most` of them.
    ///
    /// # Errors
    /// `NotConnected` when the server has ended.
    pub async fn clients(&self, most: usize) -> io::Result<Vec<ClientInfo>> {
        let (reply, answer) = async_channel::bounded(1);
        // The list's memory is the caller's.
        let command = Command::Clients { list: Vec::with_capacity(most.min(CLIENTS_LISTED_MAX)), reply };
        self.commands.send(command).await.map_err(|_| ended())?;
        self.wake();
        answer.recv().await.map_err(|_| ended())
    }

    /// Reads the file of tokens again ([`Config::token_file`](crate::Config::token_file)). Who may not come in any more loses its sessions and
    /// streams at once, the others notice nothing. What is wrong with the file is logged, and then the tokens stay as they are. Never waits, and
    /// never fails.
    pub fn reload(&self) {
        self.flag(RELOAD);
    }

    /// Takes these tokens in the place of those that came from the program ([`Config::token`](crate::Config::token),
    /// [`Config::access`](crate::Config::access)), with the same effect as [`reload`](Self::reload); those of a file stay. A server that asked
    /// nobody asks from now on; with no tokens at all, it lets nobody in.
    ///
    /// # Errors
    /// `InvalidInput` when one of them is wrong, `WouldBlock` when [`COMMANDS_MAX`] commands wait already, `NotConnected` when the server has
    /// ended.
    pub fn reload_tokens(&self, tokens: impl IntoIterator<Item = Token>) -> io::Result<()> {
        let tokens: Vec<Token> = tokens.into_iter().collect();
        guard::check_tokens(&tokens).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        self.command(Command::Tokens(tokens))
    }

    /// What the server holds now, and what has happened since it started: see [`Stats`]. The answer comes from the server's thread, so that a
    /// tool which blocks that holds it up.
    ///
    /// ```no_run
    /// # use smol_mcp::{Server, tools};
    /// # struct Board;
    /// # tools! { impl Board {} }
    /// let handle = Server::new("board", "1.0.0", Board).handle();
    /// std::thread::spawn(move || {
    ///     let stats = smol_mcp::block_on(handle.stats()).unwrap();
    ///     println!("{} of {} connections, {} refused", stats.connections.now, stats.connections.capacity, stats.refused.house);
    /// });
    /// ```
    ///
    /// # Errors
    /// `NotConnected` when the server has ended.
    pub async fn stats(&self) -> io::Result<Stats> {
        let (reply, answer) = async_channel::bounded(1);
        self.commands.send(Command::Stats { reply }).await.map_err(|_| ended())?;
        self.wake();
        answer.recv().await.map_err(|_| ended())
    }

    /// The last calls, tasks and refusals, newest first, at most `most` of them: those that [`Config::audit`](crate::Config::audit) keeps, or none.
    ///
    /// # Errors
    /// `NotConnected` when the server has ended.
    pub async fn audit(&self, most: usize) -> io::Result<Vec<AuditEntry>> {
        let (reply, answer) = async_channel::bounded(1);
        // The list's memory is the caller's.
        let command = Command::Audit { list: Vec::with_capacity(most.min(AUDIT_ENTRIES_MAX)), reply };
        self.commands.send(command).await.map_err(|_| ended())?;
        self.wake();
        answer.recv().await.map_err(|_| ended())
    }

    /// Ends the server: no new work is taken, streams end, running calls have a moment to finish, and who has asked or connected by then is told: by a
    /// 503 or the end of the connection (of those that wait to be accepted, at most 64 more). Never waits; the future of `serve` tells when it is
    /// done, within 2 s.
    pub fn shutdown(&self) {
        self.flag(SHUTDOWN);
    }

    /// Serves a connection that the application has accepted: a TLS stream, a Unix socket, a pipe. `peer` and `local` are
    /// its addresses, where it has any: Host and Origin are held against `local`.
    ///
    /// Dropped when [`COMMANDS_MAX`] commands wait already, or the server has ended.
    pub fn connect(&self, io: Box<dyn Duplex>, peer: Option<IpAddr>, local: Option<SocketAddr>) {
        // A connection that can't be taken is closed by being dropped.
        if let Err(TrySendError::Full(_)) = self.commands.try_send(Command::Connect { io, peer, local }) {
            self.shared.lost_connections.fetch_add(1, Ordering::Relaxed);
        }
        self.wake();
    }

    /// The queue is not as full as log records may make it.
    pub(super) fn has_room_for_records(&self) -> bool {
        let has_room = self.commands.len() + COMMANDS_BESIDE_LOG < COMMANDS_MAX;
        if !has_room {
            self.shared.lost_events.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    // A test's clock has come to this, and its calendar, where it has one.
    pub(super) fn tick(&self, now_ms: u64, unix_s: Option<u64>) {
        drop(self.commands.try_send(Command::Tick { now_ms, unix_s }));
        self.wake();
    }

    fn message(&self, audience: Audience, message: Message) -> io::Result<()> {
        let Message { level, params } = message;
        if params.len() > MESSAGE_PARAMS_BYTES_MAX {
            let text = format!("a message of {} bytes; at most {MESSAGE_PARAMS_BYTES_MAX} are taken", params.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.command(Command::Message { audience, level, params })
    }

    fn command(&self, command: Command) -> io::Result<()> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => {
                self.shared.lost_events.fetch_add(1, Ordering::Relaxed);
                io::Error::new(io::ErrorKind::WouldBlock, "the queue of messages is full")
            }
            TrySendError::Closed(_) => ended(),
        })?;
        self.wake();
        Ok(())
    }

    fn flag(&self, flag: u32) {
        self.shared.flags.fetch_or(flag, Ordering::AcqRel);
        self.wake();
    }

    fn wake(&self) {
        let engine = self.shared.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*engine {
            waker.wake_by_ref();
        }
    }
}

impl Commands {
    /// From now on handles wake this.
    pub(super) fn attach(&self, waker: Waker) {
        *self.shared.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// The flags that were raised since the last time.
    pub(super) fn flags(&self) -> u32 {
        self.shared.flags.swap(0, Ordering::AcqRel)
    }

    /// What found the queue full since the last time: connections, and messages and changes.
    pub(super) fn lost(&self) -> (u32, u32) {
        let shared = &self.shared;
        (shared.lost_connections.swap(0, Ordering::Relaxed), shared.lost_events.swap(0, Ordering::Relaxed))
    }

    /// The next command.
    pub(super) fn next(&self) -> Option<Command> {
        self.receiver.try_recv().ok()
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        // Who waits for an answer, and what was to be served, must not stay in the queue.
        self.receiver.close();
        while self.receiver.try_recv().is_ok() {}
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the server has ended")
}
