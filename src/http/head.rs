//! The scan of a request head, byte by byte.
//!
//! ```text
//!   Method -SP-> Target -SP-> Version -CR-> LineEnd -LF-> FieldStart -CR-> HeadEnd -LF-> Done
//!                                                          | ^
//!                                   Name <- a token's byte-+ +-LF- FieldEnd <-CR-+
//!                                     +--:--> Space ------> Value ---------------+
//! ```
//! A state is all that is kept between reads, so no byte is looked at twice (but for a value's trailing white space)
//! and the outcome cannot depend on how the bytes were cut: a head is refused at the first byte that makes it wrong.

use super::decode::Limits;
use super::index::{Head, Span, Version};
use super::refusal::Refusal;
use crate::limits::{HEADER_NAME_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX};

/// How far a head has been scanned.
#[derive(Debug)]
pub(super) struct Scan {
    place: Place,
    /// The next byte to look at.
    at: usize,
    /// Where the part that is being scanned began.
    mark: usize,
    /// The name of the line whose value is being scanned.
    name: Span,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Method,
    Target,
    Version,
    /// The LF of the request line.
    LineEnd,
    /// The first byte of a line that is a header, or empty.
    FieldStart,
    Name,
    /// White space before a value.
    Space,
    Value,
    /// The LF of a header line.
    FieldEnd,
    /// The LF of the empty line.
    HeadEnd,
    Done,
}

impl Scan {
    /// At the first byte of a request line.
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Method,
            at: 0,
            mark: 0,
            name: Span::EMPTY,
        }
    }

    /// How many bytes have been scanned: the length of the head once it is whole.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is too long when the head may have no further byte.
    pub(super) fn too_long(&self) -> Refusal {
        if self.place == Place::Target {
            Refusal::TargetTooLong
        } else {
            Refusal::HeadTooLong
        }
    }

    /// Scans what came since, up to the end of the head (true) or of the text (false).
    ///
    /// # Errors
    /// The refusal that the first wrong byte calls for.
    pub(super) fn run(
        &mut self,
        text: &[u8],
        head: &mut Head,
        limits: &Limits,
    ) -> Result<bool, Refusal> {
        while let Some(&byte) = text.get(self.at) {
            match self.place {
                Place::Method | Place::Target | Place::Version | Place::LineEnd => {
                    self.request_line(byte, text, head, limits)?;
                }
                Place::Value if is(byte, VALUE) => {}
                _ => self.field(byte, text, head, limits)?,
            }
            self.at += 1;
            if self.place == Place::Done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A byte of the request line (RFC 9112, 3).
    fn request_line(
        &mut self,
        byte: u8,
        text: &[u8],
        head: &mut Head,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let len = self.at - self.mark;
        match (self.place, byte) {
            (Place::Method, b' ') if len > 0 => {
                head.method = Span::new(self.mark, self.at);
                self.enter(Place::Target);
            }
            (Place::Target, b' ') => {
                target(head, text, self.mark, self.at)?;
                self.enter(Place::Version);
            }
            (Place::Version, b'\r') => {
                head.version = version(text.get(self.mark..self.at).unwrap_or_default())?;
                // Asked behind the version, so that the preface of HTTP/2 (RFC 9113, 3.4) is told of that.
                if head.path.of(text) == b"*" && head.method.of(text) != b"OPTIONS" {
                    return Err(Refusal::Target);
                }
                self.enter(Place::LineEnd);
            }
            (Place::LineEnd, b'\n') => self.enter(Place::FieldStart),
            (Place::LineEnd, _) => return Err(Refusal::BareCr),
            (_, b'\n') => return Err(Refusal::BareLf),
            (Place::Method | Place::Target, b'\r') => return Err(Refusal::RequestLine),
            (Place::Method, TLS_HANDSHAKE) if len == 0 => return Err(Refusal::Tls),
            (Place::Method, _) if !is(byte, TOKEN) => return Err(Refusal::Method),
            (Place::Method, _) if len >= METHOD_BYTES_MAX => return Err(Refusal::MethodTooLong),
            (Place::Target, _) if len >= limits.target_bytes_max => {
                return Err(Refusal::TargetTooLong);
            }
            (Place::Target, _) if !is(byte, TARGET) => return Err(Refusal::Target),
            (Place::Version, _) if len >= VERSION_BYTES => return Err(Refusal::Version),
            _ => {}
        }
        Ok(())
    }

    /// A byte of a header line, or of the empty line (RFC 9112, 5).
    fn field(
        &mut self,
        byte: u8,
        text: &[u8],
        head: &mut Head,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let len = self.at - self.mark;
        match (self.place, byte) {
            (Place::FieldStart, b'\r') => self.enter(Place::HeadEnd),
            (Place::HeadEnd, b'\n') => self.enter(Place::Done),
            (Place::FieldStart, b' ' | b'\t') => return Err(Refusal::LeadingSpace),
            (Place::FieldStart, _) if is(byte, TOKEN) => {
                if head.len() >= limits.headers_max.min(HEADERS_MAX) {
                    return Err(Refusal::TooManyHeaders);
                }
                self.mark = self.at;
                self.place = Place::Name;
            }
            (Place::Name, b':') => {
                self.name = Span::new(self.mark, self.at);
                self.enter(Place::Space);
            }
            (Place::Name, b' ' | b'\t') => return Err(Refusal::SpaceBeforeColon),
            (Place::Name, b'\r') => return Err(Refusal::HeaderColon),
            (Place::Name, _) if is(byte, TOKEN) => {
                if len >= HEADER_NAME_BYTES_MAX {
                    return Err(Refusal::HeaderNameTooLong);
                }
            }
            (Place::Space, b' ' | b'\t') => self.mark = self.at + 1,
            (Place::Space, _) if is(byte, VALUE) => self.place = Place::Value,
            (Place::Space | Place::Value, b'\r') => {
                let value = text.get(self.mark..self.at).unwrap_or_default();
                let trailing = value
                    .iter()
                    .rev()
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                head.push(self.name, Span::new(self.mark, self.at - trailing), text)?;
                self.enter(Place::FieldEnd);
            }
            (Place::FieldEnd, b'\n') => self.enter(Place::FieldStart),
            (Place::FieldEnd | Place::HeadEnd, _) => return Err(Refusal::BareCr),
            (_, b'\n') => return Err(Refusal::BareLf),
            (Place::FieldStart | Place::Name, _) => return Err(Refusal::HeaderName),
            _ => return Err(Refusal::HeaderValue),
        }
        Ok(())
    }

    /// Goes on to the part that begins behind this byte.
    fn enter(&mut self, place: Place) {
        self.place = place;
        self.mark = self.at + 1;
    }
}

/// The first byte of every TLS connection (RFC 8446, 5.1). A browser or client given `https://` sends it.
const TLS_HANDSHAKE: u8 = 0x16;
/// The length of `HTTP/1.1`.
const VERSION_BYTES: usize = 8;

/// `HTTP/1.1` or `HTTP/1.0` (RFC 9112, 2.3).
fn version(text: &[u8]) -> Result<Version, Refusal> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Refusal::VersionUnsupported)
        }
        _ => Err(Refusal::Version),
    }
}

/// Takes a target apart (RFC 9112, 3.2): origin-form, absolute-form, or asterisk-form.
fn target(head: &mut Head, text: &[u8], start: usize, end: usize) -> Result<(), Refusal> {
    let target = text.get(start..end).unwrap_or_default();
    let mut path = start;
    if let Some(scheme) = scheme_bytes(target) {
        let rest = target.get(scheme..).unwrap_or_default();
        let authority = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?'))
            .unwrap_or(rest.len());
        if authority == 0 {
            return Err(Refusal::Target);
        }
        path = start + scheme + authority;
        head.authority = Some(Span::new(start + scheme, path));
    } else if target != b"*" && !target.starts_with(b"/") {
        return Err(Refusal::Target);
    }
    let rest = text.get(path..end).unwrap_or_default();
    let path_end = path
        + rest
            .iter()
            .position(|byte| *byte == b'?')
            .unwrap_or(rest.len());
    head.path = Span::new(path, path_end);
    head.query = (path_end < end).then(|| Span::new(path_end + 1, end));
    Ok(())
}

/// The length of `http://` or `https://` in front of a target (RFC 9110, 4.2: in any case).
fn scheme_bytes(target: &[u8]) -> Option<usize> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| {
            target
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .map(<[u8]>::len)
}

/// A byte of a token (RFC 9110, 5.6.2).
pub(super) const TOKEN: u8 = 1;
/// A byte of a target: visible ASCII but `#`, whose fragment is never sent (RFC 9112, 3.2).
pub(super) const TARGET: u8 = 2;
/// A byte of a header value: visible, space, tab, or beyond ASCII (RFC 9110, 5.5).
pub(super) const VALUE: u8 = 4;

/// Whether a byte is of a class.
pub(super) const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// The classes of every byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let token = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        let target = byte.is_ascii_graphic() && byte != b'#';
        let value = byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() || byte >= 0x80;
        table[byte as usize] =
            (token as u8 * TOKEN) | (target as u8 * TARGET) | (value as u8 * VALUE);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}
