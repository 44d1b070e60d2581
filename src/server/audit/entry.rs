//! One entry of the audit ring.

use core::fmt;
use core::net::IpAddr;

use crate::guard::Household;
use crate::http;
use crate::limits::{CLOCK_SET_MIN_UNIX_S, PRINCIPAL_NAME_BYTES_MAX};

/// One of the last calls, tasks or refusals of a server, as its audit ring keeps it. It has neither arguments nor results, and no token.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub(super) number: u64,
    pub(super) unix_s: u64,
    pub(super) uptime_ms: u64,
    pub(super) who: heapless::String<PRINCIPAL_NAME_BYTES_MAX>,
    pub(super) household: Option<Household>,
    pub(super) method: &'static str,
    pub(super) target: &'static str,
    pub(super) outcome: AuditOutcome,
    pub(super) took_ms: u32,
    pub(super) times: u32,
}

/// How a call, or a request, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditOutcome {
    /// Its handler came to its end.
    Finished,
    /// Its handler asked its client, which is to come again with the answer (2026-07-28). It may have acted before, by
    /// [`once`](crate::Call::once).
    Asked,
    /// Its handler returned an error.
    Failed,
    /// Its handler panicked.
    Panicked,
    /// Its handler was dropped for its time.
    TimedOut,
    /// Its client cancelled it.
    Cancelled,
    /// Its client's connection ended.
    Abandoned,
    /// Of a task: the server ended it, which was shut down, or whose owner may not come in any more.
    Ended,
    /// It brought no token, or a wrong one, or the application's own check let it not in.
    RefusedCredentials,
    /// It lacked a scope.
    RefusedScope,
    /// It came too often.
    RefusedRate,
}

impl AuditOutcome {
    /// Its name, as the resource has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Asked => "asked",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed out",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::Ended => "ended",
            Self::RefusedCredentials => "refused: credentials",
            Self::RefusedScope => "refused: scope",
            Self::RefusedRate => "refused: rate",
        }
    }

    /// It did not come to a handler.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::RefusedCredentials | Self::RefusedScope | Self::RefusedRate)
    }
}

impl AuditEntry {
    /// Its number: they are counted from the start of the server, and those between two that are there were pushed out, or are one with a later one.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When it ended, in seconds since 1970; `None` where the device did not know the time.
    pub const fn unix_s(&self) -> Option<u64> {
        if self.unix_s < CLOCK_SET_MIN_UNIX_S { None } else { Some(self.unix_s) }
    }

    /// When it ended, in milliseconds since the start of the server.
    pub const fn uptime_ms(&self) -> u64 {
        self.uptime_ms
    }

    /// On whose behalf it was made: the name of a token, or whom the application's own check named. `None`: nobody, or a token without a name.
    pub fn who(&self) -> Option<&str> {
        Some(self.who.as_str()).filter(|who| !who.is_empty())
    }

    /// Where it came from; of an IPv6 address only the network (the first 64 bits). `None` for tasks, and where there is no address.
    pub fn address(&self) -> Option<IpAddr> {
        self.household.map(Household::address)
    }

    /// What was asked for: `tools/call`, `resources/read`, `prompts/get`; `task` for what ran as one. Empty for a refusal before anything was read.
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The name of the tool or of the prompt, or the URI or the template of the resource; empty where it is not known.
    pub const fn target(&self) -> &'static str {
        self.target
    }

    /// How it ended.
    pub const fn outcome(&self) -> AuditOutcome {
        self.outcome
    }

    /// How long it took, in milliseconds; 0 for a refusal.
    pub const fn took_ms(&self) -> u32 {
        self.took_ms
    }

    /// How often: refusals of the same kind, of the same peer, are one entry, which tells when the last one was.
    pub const fn times(&self) -> u32 {
        self.times
    }

    // Whether another refusal is the same once more.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.outcome, self.household, self.method, self.target)
            == (other.outcome, other.household, other.method, other.target)
            && self.who == other.who
    }
}

/// As JSON.
impl fmt::Display for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"number":{},"time":"#, self.number)?;
        match self.unix_s() {
            Some(unix_s) => {
                let time = http::iso_time(unix_s);
                write!(f, r#""{}""#, str::from_utf8(&time).unwrap_or_default())?;
            }
            None => f.write_str("null")?,
        }
        write!(f, r#","uptimeMs":{},"who":{},"address":"#, self.uptime_ms, Quoted(self.who()))?;
        match self.address() {
            Some(address) => write!(f, r#""{address}""#)?,
            None => f.write_str("null")?,
        }
        let some = |text: &'static str| Quoted(Some(text).filter(|text| !text.is_empty()));
        write!(f, r#","method":{},"target":{}"#, some(self.method), some(self.target))?;
        let (outcome, took_ms, times) = (self.outcome.name(), self.took_ms, self.times);
        write!(f, r#","outcome":"{outcome}","tookMs":{took_ms},"times":{times}}}"#)
    }
}

// A JSON string, or `null`.
struct Quoted<'t>(Option<&'t str>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(text) = self.0 else { return f.write_str("null") };
        f.write_str("\"")?;
        for char in text.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                // Names have none; the name of a resource might.
                char if char.is_ascii_control() => write!(f, "\\u{:04x}", u32::from(char))?,
                char => write!(f, "{char}")?,
            }
        }
        f.write_str("\"")
    }
}
