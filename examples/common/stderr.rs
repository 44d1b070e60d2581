//! The log of the examples: a line on stderr for each record that is as severe as was asked for. In systemd's journal each has its priority, on a
//! terminal its time and a colour, elsewhere neither.

use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rustix::fs::fstat;
use rustix::time::{ClockId, clock_gettime};

/// The variables that say what is logged where no flag does, the first of them that is set: a level, or `target=level`, or several of these with
/// commas between.
pub(crate) const LEVEL_VARIABLES: [&str; 2] = ["SMOL_MCP_LOG", "RUST_LOG"];
/// What is logged unless told otherwise.
const LEVEL_DEFAULT: LevelFilter = LevelFilter::Warn;
/// Set by systemd for a service whose stdout or stderr goes to the journal: the device and the inode of that.
const JOURNAL_VARIABLE: &str = "JOURNAL_STREAM";
/// Set by those who want no colours (<https://no-color.org>).
const NO_COLOUR_VARIABLE: &str = "NO_COLOR";
const DAY_S: i64 = 86_400;

/// A log that goes to stderr.
pub(crate) struct Stderr {
    /// What begins with this is logged at this level. The longest beginning that fits counts; the empty one fits all.
    levels: Vec<(String, LevelFilter)>,
    style: Style,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// For the journal, which has a time of its own: `<4>target: text`.
    Journal,
    /// For people who watch: `[2026-11-22T21:14:06Z WARN  target] text`.
    Terminal {
        /// The level in its colour, the rest faint.
        coloured: bool,
    },
    /// For files: `[WARN  target] text`.
    Plain,
}

impl Stderr {
    /// At the levels that the flag gave, else those of the environment; in the style that fits stderr.
    pub(crate) fn new(flag: Option<&str>) -> Self {
        let variable = LEVEL_VARIABLES.into_iter().find_map(|name| env::var(name).ok());
        Self { levels: levels(flag.or(variable.as_deref()).unwrap_or_default()), style: Style::of_stderr() }
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
        if self.enabled(record.metadata()) {
            let line = self.style.line(record, clock_gettime(ClockId::Realtime).tv_sec);
            // Nobody is left to tell when stderr is closed.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

impl Style {
    fn of_stderr() -> Self {
        let colours = env::var_os(NO_COLOUR_VARIABLE).is_none_or(|value| value.is_empty());
        if env::var_os(JOURNAL_VARIABLE).is_some_and(|stream| is_stderr(&stream)) {
            Self::Journal
        } else if io::stderr().is_terminal() {
            Self::Terminal { coloured: colours }
        } else {
            Self::Plain
        }
    }

    /// A record as it is written, in this second since 1970.
    pub(crate) fn line(self, record: &Record<'_>, unix_s: i64) -> String {
        let (level, target, said) = (record.level(), record.target(), record.args());
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            // The journal makes an entry of each line, and gives those without a priority another one.
            Self::Journal => {
                let said = format!("{target}: {said}");
                said.lines().try_for_each(|said| writeln!(line, "<{}>{said}", priority(level)))
            }
            Self::Terminal { coloured: true } => {
                let (time, colour) = (Time(unix_s), colour(level));
                writeln!(line, "\x1b[2m[{time}\x1b[0m \x1b[{colour}m{level:5}\x1b[0m \x1b[2m{target}]\x1b[0m {said}")
            }
            Self::Terminal { coloured: false } => writeln!(line, "[{} {level:5} {target}] {said}", Time(unix_s)),
            Self::Plain => writeln!(line, "[{level:5} {target}] {said}"),
        };
        line
    }
}

/// What a value of the flag or of a variable says. What is no level is not heard.
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

/// All of it is understood.
pub(crate) fn is_levels(spec: &str) -> bool {
    let is_level =
        |part: &str| part.rsplit('=').next().is_some_and(|level| level.trim().parse::<LevelFilter>().is_ok());
    spec.split(',').all(is_level)
}

/// Whether stderr is the stream of this name: a program that was started by a service may have its stderr elsewhere.
fn is_stderr(stream: &OsStr) -> bool {
    let parts = stream.to_str().and_then(|stream| stream.split_once(':'));
    let number = |text: &str| text.parse::<u64>().ok();
    let named = parts.and_then(|(device, inode)| Some((number(device)?, number(inode)?)));
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_fallible_conversions,
        reason = "their sizes differ by target"
    )]
    let is =
        fstat(io::stderr()).ok().and_then(|stat| Some((stat.st_dev.try_into().ok()?, stat.st_ino.try_into().ok()?)));
    named.is_some() && named == is
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

/// A level as terminals colour it (ECMA-48 8.3.117): red, yellow, green, blue, cyan.
fn colour(level: Level) -> u8 {
    match level {
        Level::Error => 31,
        Level::Warn => 33,
        Level::Info => 32,
        Level::Debug => 34,
        Level::Trace => 36,
    }
}

/// Seconds since 1970 as RFC 3339 has a time, in UTC: where the machine is, only its libc knows.
pub(crate) struct Time(pub(crate) i64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(DAY_S), self.0.rem_euclid(DAY_S));
        // Years begin in March here, so that the day that some lack is the last: 400 years are 146 097 days, from the first of March of 0 on.
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // From March on, five months have 153 days.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = (era * 400 + year + i64::from(month >= 10), (month + 2) % 12 + 1);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}
