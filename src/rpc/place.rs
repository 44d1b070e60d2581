//! The names of the members that the protocol asks about, told by their bytes.

/// Which member of a message it is, by its name and the place where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The message itself.
    Message,
    /// None that is asked about.
    Other,
    /// The same, in `_meta`.
    MetaOther,
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Name,
    Uri,
    Arguments,
    TaskId,
    Cursor,
    RequestState,
    InputResponses,
    Level,
    RequestId,
    Notifications,
    ProtocolVersion,
    ClientInfo,
    Meta,
    ProgressToken,
    MetaVersion,
    MetaCapabilities,
    MetaClientInfo,
    MetaLogLevel,
}

/// What the keys of the 2026-07-28 envelope begin with.
const PREFIX: &[u8] = b"io.modelcontextprotocol/";

/// The one of these names that a text begins with, and the length with the quote behind it. Each is compared with a constant, some of the first of
/// which are what nearly every message has.
macro_rules! one_of {
    ($text:ident, $($literal:literal => $name:ident),* $(,)?) => {
        $(if $text.starts_with(concat!($literal, "\"").as_bytes()) {
            Some((Place::$name, $literal.len() + 1))
        } else)* {
            None
        }
    };
}

impl Place {
    /// The name of a member of this object, where `text`, which follows its opening quote, begins with one that is asked about and the closing
    /// quote; and the length of both.
    #[inline]
    pub(super) fn of_member(self, text: &[u8]) -> Option<(Self, usize)> {
        match self {
            Self::Message => Self::of_message(text),
            Self::Params => Self::of_params(text),
            Self::Meta => Self::of_meta(text),
            _ => None,
        }
    }

    #[inline]
    fn of_message(text: &[u8]) -> Option<(Self, usize)> {
        one_of!(text,
            "jsonrpc" => Jsonrpc,
            "id" => Id,
            "method" => Method,
            "params" => Params,
            "result" => Result,
            "error" => Error,
        )
    }

    #[inline]
    fn of_params(text: &[u8]) -> Option<(Self, usize)> {
        one_of!(text,
            "name" => Name,
            "arguments" => Arguments,
            "_meta" => Meta,
            "uri" => Uri,
            "taskId" => TaskId,
            "cursor" => Cursor,
            "requestState" => RequestState,
            "inputResponses" => InputResponses,
            "level" => Level,
            "requestId" => RequestId,
            "notifications" => Notifications,
            "protocolVersion" => ProtocolVersion,
            "clientInfo" => ClientInfo,
        )
    }

    #[inline]
    fn of_meta(text: &[u8]) -> Option<(Self, usize)> {
        match text.strip_prefix(PREFIX) {
            Some(text) => {
                let (name, length) = one_of!(text,
                    "protocolVersion" => MetaVersion,
                    "clientInfo" => MetaClientInfo,
                    "clientCapabilities" => MetaCapabilities,
                    "logLevel" => MetaLogLevel,
                )?;
                Some((name, PREFIX.len() + length))
            }
            None => one_of!(text, "progressToken" => ProgressToken),
        }
    }
}
