//! The revisions of the protocol.

use core::fmt;

/// A revision of the Model Context Protocol.
///
/// The order of the variants is the order in time, so that `revision >= Revision::V2025_06_18`
/// reads as it is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Revision {
    /// 2024-11-05, the first one; its own transport is HTTP+SSE.
    V2024_11_05,
    /// 2025-03-26, which brought Streamable HTTP, and the only one with JSON-RPC batches.
    V2025_03_26,
    /// 2025-06-18, which brought the `MCP-Protocol-Version` header and elicitation.
    V2025_06_18,
    /// 2025-11-25, the last one that begins with `initialize`.
    V2025_11_25,
    /// 2026-07-28, which has neither sessions nor a handshake.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The newest revision that begins with `initialize`: the answer to a client that asks for one
    /// we do not know.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// The name on the wire, such as `2025-11-25`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of that name; names are case-sensitive and exact. `None` for any other text.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str().as_bytes() == name)
    }

    /// Whether the revision is of the stateless era, which began with 2026-07-28.
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }

    /// Whether a client of this revision may come back for events that it missed (`Last-Event-ID`): those with Streamable
    /// HTTP and sessions.
    pub(crate) const fn is_resumable(self) -> bool {
        !matches!(self, Self::V2024_11_05 | Self::V2026_07_28)
    }

    /// Whether a client of this revision knows an event that has an id and no data.
    pub(crate) const fn is_primed(self) -> bool {
        matches!(self, Self::V2025_11_25)
    }

    /// The revision to answer `initialize` with, for the `protocolVersion` that was asked for
    /// (lifecycle, "Version Negotiation"): the same one if it is known, else
    /// [`Self::LATEST_LEGACY`]; never a modern one, because clients give up at a handshake that is
    /// answered with a revision without handshakes.
    pub fn for_initialize(requested: &[u8]) -> Self {
        Self::parse(requested).filter(|revision| !revision.is_modern()).unwrap_or(Self::LATEST_LEGACY)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
