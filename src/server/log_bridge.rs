//! From the crate `log` to the clients.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::handle::{Handle, Message};
use crate::limits::LOG_RECORD_BYTES_MAX;
use crate::session::LogLevel;

/// A logger for the crate `log` that tells the clients what the program logs (`notifications/message`), beside another logger or alone.
///
/// It is for the program to install, as any logger:
///
/// ```
/// # use smol_mcp::{ClientLogger, Server, tools};
/// # struct Board;
/// # tools! { impl Board {} }
/// let server = Server::new("board", "1.0.0", Board);
/// let logger: &'static ClientLogger = Box::leak(Box::new(ClientLogger::new(server.handle(), log::LevelFilter::Info)));
/// log::set_logger(logger).unwrap();
/// log::set_max_level(log::LevelFilter::Info);
/// ```
///
/// - Records reach the clients of the revisions up to 2025-11-25 that have a stream open, and whose level lets them through; 2026-07-28 has no
///   messages but those of a call ([`Call::log`](crate::Call::log)). The logger's name is the record's target, the data its text, of which
///   the first [`LOG_RECORD_BYTES_MAX`] bytes are told.
/// - It never blocks: when too many wait to be sent already, a record is dropped, and [counted](Self::dropped).
/// - Records of this crate, and of the crates that move its bytes, are not told to clients: to tell them would make further ones.
/// - All clients read them, so they must hold no secrets.
pub struct ClientLogger {
    handle: Handle,
    level: LevelFilter,
    beside: Option<Box<dyn Log>>,
    dropped: AtomicU32,
}

/// The crates whose records would come again with each that is told.
const OWN: [&str; 5] = ["smol_mcp", "smol", "async_io", "async_channel", "polling"];

thread_local! {
    /// This thread is telling a record: what is logged meanwhile is a consequence of that.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

impl ClientLogger {
    /// Tells clients of records of this level and of more severe ones.
    pub const fn new(handle: Handle, level: LevelFilter) -> Self {
        Self { handle, level, beside: None, dropped: AtomicU32::new(0) }
    }

    /// Hands every record to this logger too, whatever its level; it decides for itself which it takes.
    #[must_use]
    pub fn beside(mut self, logger: Box<dyn Log>) -> Self {
        self.beside = Some(logger);
        self
    }

    /// How many records were not told, because too many waited already. The number begins anew after 4 billion.
    pub fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn is_told(&self, metadata: &Metadata<'_>) -> bool {
        let of = metadata.target().split("::").next().unwrap_or_default();
        metadata.level() <= self.level && !OWN.contains(&of)
    }

    fn tell(&self, record: &Record<'_>) {
        let Some(_telling) = Telling::begin() else { return };
        let mut text = Text(heapless::String::new());
        // An error only means that it was cut.
        let _ = write!(text, "{}", record.args());
        let message = || Message::text(level(record.level()), Some(record.target()), &text.0);
        if !self.handle.has_room_for_records() || self.handle.broadcast(message()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A record is being told, until this is dropped: also by the panic of what it shows.
struct Telling;

impl Telling {
    fn begin() -> Option<Self> {
        // A thread that ends tells nothing more.
        let within = TELLING.try_with(|telling| telling.replace(true)).unwrap_or(true);
        (!within).then_some(Self)
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let _ = TELLING.try_with(|telling| telling.set(false));
    }
}

impl Log for ClientLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.is_told(metadata) || self.beside.as_ref().is_some_and(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(logger) = &self.beside {
            logger.log(record);
        }
        if self.is_told(record.metadata()) {
            self.tell(record);
        }
    }

    fn flush(&self) {
        if let Some(logger) = &self.beside {
            logger.flush();
        }
    }
}

const fn level(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warning,
        Level::Info => LogLevel::Info,
        Level::Debug | Level::Trace => LogLevel::Debug,
    }
}

/// A record's text, cut.
struct Text(heapless::String<LOG_RECORD_BYTES_MAX>);

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.push_str(text).is_ok() {
            return Ok(());
        }
        text.chars().try_for_each(|char| self.0.push(char)).map_err(|_| fmt::Error)
    }
}
