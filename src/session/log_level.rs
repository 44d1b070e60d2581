//! The severities of log messages.

use core::fmt;

/// How severe a log message is: the names of RFC 5424, section 6.2.1, as `logging/setLevel` and
/// `notifications/message` spell them.
///
/// The order runs from the least to the most severe, so that a message is sent if `message >=
/// wanted`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LogLevel {
    /// Details for debugging.
    Debug,
    /// What goes on, in general.
    Info,
    /// Normal, but worth noticing.
    Notice,
    /// Something that may become an error.
    Warning,
    /// Something failed.
    Error,
    /// A part of the device failed.
    Critical,
    /// Somebody has to act at once.
    Alert,
    /// The device can't be used.
    Emergency,
}

impl LogLevel {
    /// Every level, least severe first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The name on the wire, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }

    /// The level of that name; names are case-sensitive. `None` for any other text, which is
    /// answered with -32602.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().as_bytes() == name)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
