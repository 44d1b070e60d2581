//! Session ids that carry what a session is, and prove that this server issued them.
//!
//! ```text
//! byte 0      1..3           3..8              8..20    20..36
//! 0001 rrr k  capabilities   issued, unix s    random   tag
//!      |   |  big endian     40 bits, big endian        HMAC-SHA256 of purpose, bytes 0..20
//!      |   |                                            and principal, its first 16 bytes
//!      |   transport: 0 Streamable HTTP, 1 HTTP+SSE
//!      revision, in order of time
//! ```
//! These 36 bytes are written as base64url (RFC 4648, section 5): 48 visible ASCII characters
//! without padding and with no bits left over, so a text is either exactly the one that was issued
//! or another id.

use crate::limits::{CLOCK_SET_MIN_UNIX_S, SESSION_ID_CHARS_MAX};

use super::base64url::{character, sextet};
use super::{Key, PrincipalId, Revision, equal_in_constant_time};

/// A session id whose tag was verified, or that has just been issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SessionId {
    // Not a `SessionFields`, whose padding every slot of the table would have.
    issued_unix_s: u64,
    random: [u8; RANDOM_BYTES],
    principal: PrincipalId,
    capabilities: u16,
    revision: Revision,
    transport: Transport,
}

/// What a session id tells about its session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SessionFields {
    /// The revision that was negotiated.
    pub(crate) revision: Revision,
    /// Which transport the session was opened by.
    pub(crate) transport: Transport,
    /// The capabilities that the client declared, one bit each; their meaning is the caller's.
    pub(crate) capabilities: u16,
    /// When it was issued, in unix seconds; what does not fit in 40 bits (the year 36,812) is
    /// written as the largest that does.
    pub(crate) issued_unix_s: u64,
}

/// The transports that have sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transport {
    /// Streamable HTTP: a session outlives its connections, and the table's memory of it.
    Streamable,
    /// HTTP+SSE of 2024-11-05: a session is its stream, and ends with it.
    HttpSse,
}

/// Why a text is not a session id of this server. All are answered like an id that is not known:
/// 404.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdRefusal {
    /// It has not the form of an id: another server's, or another version's.
    Malformed,
    /// The tag is not that of this key and this principal.
    Forged,
    /// It is authentic, but older than allowed.
    Expired,
}

/// An id as it is written on the wire; see [`SESSION_ID_CHARS_MAX`].
pub(crate) type IdText = heapless::String<SESSION_ID_CHARS_MAX>;

/// Bytes of the random part: 96 bits, which nobody guesses and which do not repeat in the life of a
/// device.
pub(crate) const RANDOM_BYTES: usize = 12;

impl SessionId {
    /// Issues an id: the id itself, for the table, and its text, for the client.
    ///
    /// `random` must come from the system's random source. A modern revision has no sessions: that
    /// is the caller's to know.
    pub(crate) fn issue(
        key: &Key,
        fields: SessionFields,
        principal: PrincipalId,
        random: [u8; RANDOM_BYTES],
    ) -> (Self, IdText) {
        let issued_unix_s = fields.issued_unix_s.min(ISSUED_UNIX_S_MAX);
        let id = Self::of(SessionFields { issued_unix_s, ..fields }, random, principal);
        (id, id.text(key))
    }

    /// The text of this id, signed.
    pub(crate) fn text(&self, key: &Key) -> IdText {
        let body = self.body();
        let tag = self.tag(key, &body);
        let mut bytes = [0; ID_BYTES];
        for (to, from) in bytes.iter_mut().zip(body.iter().chain(&tag)) {
            *to = *from;
        }
        encode(&bytes)
    }

    /// Reads an id that a client sent, and checks that this key signed it for this principal.
    ///
    /// Its age counts from its issue and not from its last use. So that a session in daily use does
    /// not end, a caller that keeps a table passes `u64::MAX` here, serves what the table knows,
    /// and asks [`Self::is_older_than`] before it restores what the table does not know.
    pub(crate) fn verify(
        key: &Key,
        text: &[u8],
        principal: PrincipalId,
        now_unix_s: u64,
        max_age_s: u64,
    ) -> Result<Self, IdRefusal> {
        let bytes = decode(text).ok_or(IdRefusal::Malformed)?;
        let (body, tag) = split(&bytes).ok_or(IdRefusal::Malformed)?;
        let id = Self::from_body(body, principal).ok_or(IdRefusal::Malformed)?;
        if !equal_in_constant_time(&id.tag(key, body), tag) {
            return Err(IdRefusal::Forged);
        }
        if id.is_older_than(max_age_s, now_unix_s) { Err(IdRefusal::Expired) } else { Ok(id) }
    }

    /// Whether more than `max_age_s` seconds went by since the id was issued.
    ///
    /// Boards without a battery start in 1970 until they learn the time. An id issued before that
    /// has no age, and one issued "in the future" (the clock went back) is new.
    pub(crate) fn is_older_than(&self, max_age_s: u64, now_unix_s: u64) -> bool {
        let issued = self.issued_unix_s;
        issued >= CLOCK_SET_MIN_UNIX_S && now_unix_s.saturating_sub(issued) > max_age_s
    }

    /// What the id tells about its session.
    pub(crate) const fn fields(&self) -> SessionFields {
        let Self { issued_unix_s, capabilities, revision, transport, .. } = *self;
        SessionFields { revision, transport, capabilities, issued_unix_s }
    }

    /// Whose it is.
    pub(crate) const fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// The random part, by which ids are told apart.
    pub(crate) const fn random(&self) -> [u8; RANDOM_BYTES] {
        self.random
    }

    fn tag(&self, key: &Key, body: &[u8; BODY_BYTES]) -> [u8; TAG_BYTES] {
        key.tag(PURPOSE, &[body, self.principal.as_bytes()])
    }

    fn body(&self) -> [u8; BODY_BYTES] {
        let SessionFields { revision, transport, capabilities, issued_unix_s } = self.fields();
        let kind = match transport {
            Transport::Streamable => 0,
            Transport::HttpSse => 1,
        };
        let first = FORMAT | revision_code(revision) << 1 | kind;
        let [caps0, caps1] = capabilities.to_be_bytes();
        // `issue` and `from_body` hold it to 40 bits.
        let [_, _, _, s0, s1, s2, s3, s4] = issued_unix_s.to_be_bytes();
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11] = self.random;
        [first, caps0, caps1, s0, s1, s2, s3, s4, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11]
    }

    fn from_body(body: &[u8; BODY_BYTES], principal: PrincipalId) -> Option<Self> {
        let [first, caps0, caps1, s0, s1, s2, s3, s4, random @ ..] = *body;
        if first & 0xf0 != FORMAT {
            return None;
        }
        let revision = *Revision::ALL.get(usize::from(first >> 1 & 0b111))?;
        let transport = if first & 1 == 0 { Transport::Streamable } else { Transport::HttpSse };
        let fields = SessionFields {
            revision,
            transport,
            capabilities: u16::from_be_bytes([caps0, caps1]),
            issued_unix_s: u64::from_be_bytes([0, 0, 0, s0, s1, s2, s3, s4]),
        };
        Some(Self::of(fields, random, principal))
    }

    fn of(fields: SessionFields, random: [u8; RANDOM_BYTES], principal: PrincipalId) -> Self {
        let SessionFields { revision, transport, capabilities, issued_unix_s } = fields;
        Self { issued_unix_s, random, principal, capabilities, revision, transport }
    }
}

const PURPOSE: &[u8] = b"smol-mcp session id";
/// The upper half of the first byte: the version of this format.
const FORMAT: u8 = 0x10;
const BODY_BYTES: usize = 1 + 2 + 5 + RANDOM_BYTES;
const TAG_BYTES: usize = 16;
const ID_BYTES: usize = BODY_BYTES + TAG_BYTES;
pub(super) const ID_CHARS: usize = ID_BYTES / 3 * 4;
const ISSUED_UNIX_S_MAX: u64 = (1 << 40) - 1;

// Whole groups only: then base64 has no padding, and no bits that could be changed without changing
// a byte.
const _: () = assert!(ID_BYTES.is_multiple_of(3) && ID_CHARS <= SESSION_ID_CHARS_MAX);

fn revision_code(revision: Revision) -> u8 {
    match revision {
        Revision::V2024_11_05 => 0,
        Revision::V2025_03_26 => 1,
        Revision::V2025_06_18 => 2,
        Revision::V2025_11_25 => 3,
        Revision::V2026_07_28 => 4,
    }
}

fn split(bytes: &[u8; ID_BYTES]) -> Option<(&[u8; BODY_BYTES], &[u8; TAG_BYTES])> {
    let (body, tag) = bytes.split_first_chunk()?;
    Some((body, tag.first_chunk()?))
}

fn encode(bytes: &[u8; ID_BYTES]) -> IdText {
    let mut text = IdText::new();
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            let sextet = (bits >> shift & 0x3f) as u8;
            // There is room: the assertion above holds the length to the capacity.
            let _ = text.push(char::from(character(sextet)));
        }
    }
    text
}

fn decode(text: &[u8]) -> Option<[u8; ID_BYTES]> {
    let text: &[u8; ID_CHARS] = text.try_into().ok()?;
    let mut bytes = [0; ID_BYTES];
    for (group, out) in text.chunks_exact(4).zip(bytes.chunks_exact_mut(3)) {
        let mut bits = 0_u32;
        for character in group {
            bits = bits << 6 | u32::from(sextet(*character)?);
        }
        let [_, a, b, c] = bits.to_be_bytes();
        out.copy_from_slice(&[a, b, c]);
    }
    Some(bytes)
}
