//! Why a question has no answer.

use core::fmt;

use crate::json::Writer;

/// What a client can do for the server, as it declares it (`ClientCapabilities`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// It tells which folders it works in (`roots`).
    Roots,
    /// It has a model (`sampling`).
    Sampling,
    /// It shows forms to its user (`elicitation`).
    Elicitation,
    /// It opens web pages for its user (`elicitation.url`, 2025-11-25 and later).
    ElicitationUrl,
}

impl Capability {
    /// Its bit, as a session id carries it.
    pub(crate) const fn bit(self) -> u16 {
        match self {
            Self::Roots => 1,
            Self::Sampling => 2,
            Self::Elicitation => 4,
            Self::ElicitationUrl => 8,
        }
    }

    /// Its name in the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Roots => "roots",
            Self::Sampling => "sampling",
            Self::Elicitation => "elicitation",
            Self::ElicitationUrl => "elicitation.url",
        }
    }

    /// Writes the `data` of a `-32021` that asks for it.
    pub(crate) fn write_required(self, w: &mut Writer<'_>) {
        w.str(r#"{"requiredCapabilities":"#);
        w.str(match self {
            Self::Roots => r#"{"roots":{}}"#,
            Self::Sampling => r#"{"sampling":{}}"#,
            Self::Elicitation => r#"{"elicitation":{"form":{}}}"#,
            Self::ElicitationUrl => r#"{"elicitation":{"url":{}}}"#,
        });
        w.str("}");
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a question to the client has no answer. `?` makes it the call's: an error of the tool that the model reads, or of the protocol for a
/// resource and a prompt. (What a user declines or cancels is an
/// answer, and no error, but where the user was to confirm.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// The client did not declare that it can answer such a question. In 2026-07-28 `?` makes it the `-32021` that the specification asks for.
    Undeclared(Capability),
    /// The client answered with an error.
    Refused,
    /// The client did not answer in the time that the server waits ([`Config::input_timeout_ms`](crate::Config::input_timeout_ms)).
    TimedOut,
    /// The client, its session or the connection is gone.
    Gone,
    /// The answer is not one: it does not fit the form, or is of another shape.
    Invalid,
    /// As many calls wait for an answer as this server lets wait.
    Full,
    /// The question, its answer, or what is to be kept until the answer comes is larger than this server holds.
    TooLarge,
    /// The user was to confirm, and said no.
    Declined,
    /// The user was to confirm, and closed the question without an answer.
    Cancelled,
    /// The user's yes was used before, or this server can't know whether it was: it was asked for by another one, before this one was started, or
    /// very long ago (2026-07-28).
    Used,
    /// There is no way to ask: the client reads no event stream, the call is one of a batch, or a part of the result was sent already.
    NoWay,
}

impl InputError {
    /// What is wrong, as a sentence; that of an undeclared capability needs its name besides.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Undeclared(Capability::Roots) => "this needs a client that declares the capability roots",
            Self::Undeclared(Capability::Sampling) => "this needs a client that declares the capability sampling",
            Self::Undeclared(Capability::Elicitation) => "this needs a client that declares the capability elicitation",
            Self::Undeclared(Capability::ElicitationUrl) => {
                "this needs a client that declares the capability elicitation.url"
            }
            Self::Refused => "the client refused to answer",
            Self::TimedOut => "the client did not answer in time",
            Self::Gone => "the client is gone",
            Self::Invalid => "the client's answer does not fit the question",
            Self::Full => "too many calls wait for their clients' answers; try again later",
            Self::TooLarge => "the question or its answer is larger than this server holds",
            Self::Declined => "the user was asked to confirm this, and said no",
            Self::Cancelled => "the user was asked to confirm this, and closed the question without an answer",
            Self::Used => {
                "the user's confirmation was used already, or was not asked for by this start of this server: call the tool anew"
            }
            Self::NoWay => {
                "the client can't be asked by this call: it must read event streams, and be asked before the result"
            }
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for InputError {}
