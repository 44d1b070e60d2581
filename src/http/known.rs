//! The header names that this server asks about.

/// Declares the known names once: the enum, its count, its texts.
macro_rules! known {
    ($($name:ident $text:literal,)*) => {
        /// A header that this server asks about. Names are matched once, when the head is indexed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Known {
            $(
                #[doc = concat!("`", $text, "`")]
                $name,
            )*
        }

        impl Known {
            /// All of them, in the order of their numbers, with their texts in lower case.
            pub(super) const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, $text),)*];
        }
    };
}

known! {
    Host "host",
    ContentLength "content-length",
    TransferEncoding "transfer-encoding",
    Connection "connection",
    Expect "expect",
    Accept "accept",
    ContentType "content-type",
    ContentEncoding "content-encoding",
    Origin "origin",
    Authorization "authorization",
    LastEventId "last-event-id",
    McpSessionId "mcp-session-id",
    McpProtocolVersion "mcp-protocol-version",
    McpMethod "mcp-method",
    McpName "mcp-name",
    AccessControlRequestMethod "access-control-request-method",
    AccessControlRequestHeaders "access-control-request-headers",
    AccessControlRequestPrivateNetwork "access-control-request-private-network",
    Forwarded "forwarded",
    XForwardedFor "x-forwarded-for",
    UserAgent "user-agent",
}

impl Known {
    /// How many there are.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// The known header of this name, in any case.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        // The length alone rules out nearly all of them, so no byte is compared for most names.
        Self::ALL
            .iter()
            .find(|(_, text)| text.len() == name.len() && text.as_bytes().eq_ignore_ascii_case(name))
            .map(|&(known, _)| known)
    }
}
