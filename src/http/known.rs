//! The header names that this server asks about, or knows to be no secrets: see `kept`.

use super::class::WORD;

/// Declares the known names once: the enum, its count, its texts.
macro_rules! known {
    ($($name:ident $text:literal,)*) => {
        /// A header that this server asks about, or keeps. Names are matched once, when the head is indexed.
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
    AcceptEncoding "accept-encoding",
    AcceptLanguage "accept-language",
    SecFetchMode "sec-fetch-mode",
    SecFetchSite "sec-fetch-site",
    SecFetchDest "sec-fetch-dest",
}

impl Known {
    /// How many there are.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// The known header of this name, in any case.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        // The length alone rules out nearly all of them, so no byte is compared for most names.
        let mut candidates = *OF_LENGTH.get(name.len())?;
        while candidates != 0 {
            let (known, text) = *Self::ALL.get(candidates.trailing_zeros() as usize)?;
            if is_folded(name, text.as_bytes()) {
                return Some(known);
            }
            candidates &= candidates - 1;
        }
        None
    }
}

/// Whether `name` is `lower` in any case, which is of the same length, and has no characters but small letters, digits and `-`. A machine word at
/// a time, the last of which overlaps the one before.
fn is_folded(name: &[u8], lower: &[u8]) -> bool {
    // Besides its capital, only a control character becomes a small letter, a digit or `-` so, and names have none.
    const FOLD: usize = usize::MAX / 0xff * 0x20;
    let (Some(last), Some(lower_last)) = (name.last_chunk::<WORD>(), lower.last_chunk::<WORD>()) else {
        return name.iter().zip(lower).all(|(a, b)| a | 0x20 == *b);
    };
    if usize::from_le_bytes(*last) | FOLD != usize::from_le_bytes(*lower_last) {
        return false;
    }
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, usize::from_le_bytes);
    name.chunks_exact(WORD).zip(lower.chunks_exact(WORD)).all(|(a, b)| word(a) | FOLD == word(b))
}

/// Bytes of the longest name.
const LENGTH_MAX: usize = 38;
/// The known names of each length, as a bit for each.
static OF_LENGTH: [u32; LENGTH_MAX + 1] = of_length();
const _: () = assert!(Known::COUNT <= u32::BITS as usize);

const fn of_length() -> [u32; LENGTH_MAX + 1] {
    let mut table = [0; LENGTH_MAX + 1];
    let mut at = 0;
    while at < Known::COUNT {
        // One that is longer does not compile.
        table[Known::ALL[at].1.len()] |= 1 << at;
        at += 1;
    }
    table
}
