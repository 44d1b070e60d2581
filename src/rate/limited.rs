//! What is told to those who come too often.

use core::fmt;

use super::Rate;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Requests of an address.
    Address,
    /// Requests of a principal.
    Principal,
    /// Wrong tokens of an address.
    WrongTokens,
    /// Calls of a tool.
    Tool,
}

/// Somebody came too often. Its text says of which limit, what that is, and when to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) limit: Limit,
    pub(crate) rate: Rate,
    /// Seconds until it would be let through, at least one.
    pub(crate) wait_s: u32,
}

impl Limit {
    /// The setting that says how often.
    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Address => "requests_per_address",
            Self::Principal => "requests_per_principal",
            Self::WrongTokens => "wrong_tokens_per_address",
            Self::Tool => "rate",
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, rate: Rate { count, seconds }, wait_s } = self;
        f.write_str(match limit {
            Limit::Address => "too many requests from your address",
            Limit::Principal => "too many requests from you",
            Limit::WrongTokens => "too many wrong tokens from your address",
            Limit::Tool => "this tool was called too often",
        })?;
        write!(f, ": at most {count} in {seconds} s")?;
        if *limit != Limit::Tool {
            write!(f, " ({})", limit.setting())?;
        }
        write!(f, "; try again in {wait_s} s")
    }
}
