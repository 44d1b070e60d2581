//! The log of the examples: a line on stderr for each record, no more severe than `RUST_LOG` asks for.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// The variable that says what is logged: a level, or `target=level`, or several of these with commas between.
const LEVEL_VARIABLE: &str = "RUST_LOG";
/// What is logged unless told otherwise.
const LEVEL_DEFAULT: LevelFilter = LevelFilter::Warn;
/// Set by systemd for a service whose stderr goes to the journal.
const JOURNAL_VARIABLE: &str = "JOURNAL_STREAM";

/// A log that goes to stderr.
pub(crate) struct Stderr {
    /// What begins with this is logged at this level. The longest beginning that fits counts; the empty one fits all.
    levels: Vec<(String, LevelFilter)>,
    journal: bool,
}

impl Stderr {
    /// As the environment has it.
    pub(crate) fn from_env() -> Self {
        let spec = env::var(LEVEL_VARIABLE).unwrap_or_default();
        Self { levels: levels(&spec), journal: env::var_os(JOURNAL_VARIABLE).is_some() }
    }

    /// The most that it logs of anything.
    pub(crate) fn level(&self) -> LevelFilter {
        self.levels.iter().map(|(_, level)| *level).max().unwrap_or(LEVEL_DEFAULT)
    }
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let fitting = self.levels.iter().filter(|(beginning, _)| metadata.target().starts_with(beginning.as_str()));
        let level = fitting.max_by_key(|(beginning, _)| beginning.len()).map_or(LEVEL_DEFAULT, |(_, level)| *level);
        metadata.level() <= level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let (level, target) = (record.level(), record.target());
        let mut line = String::new();
        // Writing to a String cannot fail, and nobody is left to tell when stderr is closed.
        let _ = if self.journal {
            writeln!(line, "<{}>{target}: {}", priority(level), record.args())
        } else {
            writeln!(line, "[{level:5} {target}] {}", record.args())
        };
        let _ = io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// What a value of the variable says. What is no level is not heard.
pub(crate) fn levels(spec: &str) -> Vec<(String, LevelFilter)> {
    let mut levels = vec![(String::new(), LEVEL_DEFAULT)];
    for part in spec.split(',') {
        let (target, level) = part.split_once('=').unwrap_or(("", part));
        if let Ok(level) = level.trim().parse() {
            let target = target.trim();
            levels.retain(|(known, _)| known != target);
            levels.push((target.to_owned(), level));
        }
    }
    levels
}

/// A level as syslog counts (RFC 5424 6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}
