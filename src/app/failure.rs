//! What the handlers of resources and prompts return.

use core::fmt;
use std::io;

use super::{Capability, Done, InputError};
use crate::rpc::Code;

/// What the handler of a resource returns: proof that it answered, or why it could not.
pub type ReadResult = Result<Done, Failure>;

/// What the handler of a prompt returns: proof that it answered, or why it could not.
pub type PromptResult = Result<Done, Failure>;

/// Why a resource could not be read, or a prompt not be made: an error of the protocol, which the client shows to its user.
///
/// `?` makes one from a text, from the errors that reading a device's files brings, and by [`Failure::new`] from any other; those are internal
/// errors (`-32603`). [`Failure::not_found`] and [`Failure::invalid`] are the client's.
pub struct Failure {
    pub(crate) kind: Kind,
    reason: Reason,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The resource is not there.
    NotFound,
    /// The arguments do not fit the prompt's declaration; why is found out when it is told.
    Arguments,
    /// The parameters are wrong.
    Invalid,
    /// The client did not declare what it was to be asked for.
    Undeclared(Capability),
    /// The application could not.
    Internal,
}

enum Reason {
    Static(&'static str),
    Owned(String),
    Io(io::Error),
}

impl Failure {
    /// The application could not do it, for this reason or because of another error. It is formatted into a `String` here.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { kind: Kind::Internal, reason: Reason::Owned(message.to_string()) }
    }

    /// There is no such resource (`-32002`, in 2026-07-28 `-32602`).
    pub const fn not_found() -> Self {
        Self { kind: Kind::NotFound, reason: Reason::Static("resource not found") }
    }

    /// What the client asked for makes no sense, for this reason (`-32602`).
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self { kind: Kind::Invalid, reason: Reason::Owned(message.to_string()) }
    }

    pub(crate) const fn arguments() -> Self {
        Self { kind: Kind::Arguments, reason: Reason::Static("the arguments do not fit the prompt") }
    }

    pub(crate) const fn panicked() -> Self {
        Self {
            kind: Kind::Internal,
            reason: Reason::Static("the handler failed: it panicked. The server's log may say more"),
        }
    }

    /// The error's code in a revision.
    pub(crate) const fn code(&self, modern: bool) -> Code {
        match self.kind {
            Kind::NotFound if !modern => Code::RESOURCE_NOT_FOUND,
            Kind::NotFound | Kind::Arguments | Kind::Invalid => Code::INVALID_PARAMS,
            Kind::Undeclared(_) if modern => Code::MISSING_CAPABILITY,
            Kind::Undeclared(_) | Kind::Internal => Code::INTERNAL_ERROR,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Static(text) => f.write_str(text),
            Reason::Owned(text) => f.write_str(text),
            Reason::Io(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failure").field(&self.kind).field(&format_args!("{self}")).finish()
    }
}

impl core::error::Error for Failure {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        if let Reason::Io(error) = &self.reason { Some(error) } else { None }
    }
}

impl From<&'static str> for Failure {
    fn from(message: &'static str) -> Self {
        Self { kind: Kind::Internal, reason: Reason::Static(message) }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { kind: Kind::Internal, reason: Reason::Owned(message) }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        let kind = if let InputError::Undeclared(missing) = error { Kind::Undeclared(missing) } else { Kind::Internal };
        Self { kind, reason: Reason::Static(error.text()) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { kind: Kind::Internal, reason: Reason::Io(error) }
    }
}

macro_rules! from_displayed {
    ($($error:ty)*) => {
        $(
            impl From<$error> for Failure {
                fn from(error: $error) -> Self {
                    Self::new(error)
                }
            }
        )*
    };
}

from_displayed! {
    fmt::Error core::num::ParseIntError core::num::ParseFloatError core::num::TryFromIntError core::str::Utf8Error
    core::str::ParseBoolError std::string::FromUtf8Error
}
