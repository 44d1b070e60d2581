//! Response heads: bytes copied and integers written by hand, no `core::fmt`.

use super::HttpDate;
use super::accept::list;
use super::class::{TOKEN, is, skip_values};
use super::request::strip_mcp_param;
use super::status::Status;
use crate::limits::{PREFLIGHT_MAX_AGE_SECONDS, PREFLIGHT_PARAM_HEADERS_MAX};

/// The interim answer to `Expect: 100-continue` (RFC 9110, 15.2.1).
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What ends a chunked body, after the CRLF of the last chunk's data (RFC 9112, 7.1).
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Everything of a response head that varies. `ResponseHead::new` has the usual values of the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseHead<'a> {
    /// The status.
    pub(crate) status: Status,
    /// The body's type.
    pub(crate) content_type: Option<&'static str>,
    /// How the body ends.
    pub(crate) framing: Framing,
    /// Says `Connection: close`.
    pub(crate) close: bool,
    /// Says `Connection: keep-alive`, which an HTTP/1.0 client needs to hear. `close` and `UntilClose` win over it.
    pub(crate) keep_alive: bool,
    /// When it was made. None on a device that has no clock (RFC 9110, 6.6.1).
    pub(crate) date: Option<&'a HttpDate>,
    /// `Mcp-Session-Id`.
    pub(crate) session_id: Option<&'a str>,
    /// What a page of another origin may do with the response.
    pub(crate) cors: Option<Cors<'a>>,
    /// `Allow`, which a 405 must have.
    pub(crate) allow: Option<&'static str>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after_seconds: Option<u32>,
    /// `WWW-Authenticate`, which a 401 must have.
    pub(crate) www_authenticate: Option<Challenge>,
    /// What every such challenge says besides, where there is an authorization server to get a token from.
    pub(crate) resource: Option<&'a ProtectedResource>,
    /// Tells caches and proxies to pass an event stream on as it comes.
    pub(crate) event_stream: bool,
    /// The grants of a CORS preflight, on top of `cors`.
    pub(crate) preflight: Option<Preflight<'a>>,
    /// Says `Vary: Origin` also where nothing is granted, since another origin would get another answer.
    pub(crate) vary_origin: bool,
}

/// What a client must bring to be let in: a bearer token (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Challenge {
    /// What was wrong with what it brought.
    pub(crate) error: Option<&'static str>,
    /// The scopes that the token must have.
    pub(crate) scopes: &'static [&'static str],
}

/// Where a client finds out how to get a token (RFC 9728, section 5.1).
#[derive(Clone, Debug)]
pub(crate) struct ProtectedResource {
    /// The URL of the metadata.
    pub(crate) metadata: String,
    /// The scopes to ask for where the challenge names none, with a space between two.
    pub(crate) scopes: String,
}

/// How the body of a response ends (RFC 9112, 6.3). Nothing is said of it where the status has no body (204).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After this many bytes.
    Length(usize),
    /// With the last chunk. Not for an HTTP/1.0 client.
    Chunked,
    /// With the connection, whose close is announced.
    UntilClose,
    /// There is none: 204. On a status that may have a body this says `Content-Length: 0`.
    None,
}

/// A grant to one origin (WHATWG Fetch, 3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cors<'a> {
    /// The origin, exactly as the request had it; or `*`, which never comes with credentials.
    pub(crate) origin: &'a str,
    /// Whether credentials that the browser keeps may be used.
    pub(crate) credentials: bool,
}

/// What a preflight asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preflight<'a> {
    /// `Access-Control-Request-Headers`: of these, the `Mcp-Param-*` names are granted, beside the fixed list.
    pub(crate) requested_headers: &'a [u8],
    /// Grants a page on a public network the way to this private one.
    pub(crate) private_network: bool,
}

impl ResponseHead<'_> {
    /// A head with nothing but status and framing, on a connection that stays.
    pub(crate) const fn new(status: Status, framing: Framing) -> Self {
        Self {
            status,
            content_type: None,
            framing,
            close: false,
            keep_alive: false,
            date: None,
            session_id: None,
            cors: None,
            allow: None,
            retry_after_seconds: None,
            www_authenticate: None,
            resource: None,
            event_stream: false,
            preflight: None,
            vary_origin: false,
        }
    }

    /// Writes the head with the empty line behind it, and returns its length. None when it does not fit, or when a
    /// value holds a byte that would end its line.
    pub(crate) fn render(&self, out: &mut [u8]) -> Option<usize> {
        match self.render_usual(out) {
            Some(length) => Some(length),
            None => self.render_any(out),
        }
    }

    /// The head of most answers, which has no more than every head of a document: few copies whose lengths are known. None where there is more in it
    /// or less, or it does not fit.
    fn render_usual(&self, out: &mut [u8]) -> Option<usize> {
        let Self { status: Status::OK, content_type: Some(JSON), framing: Framing::Length(length), .. } = *self else {
            return None;
        };
        let is_more = self.close
            || self.keep_alive
            || self.session_id.is_some()
            || self.cors.is_some()
            || self.allow.is_some()
            || self.retry_after_seconds.is_some()
            || self.www_authenticate.is_some()
            || self.event_stream
            || self.vary_origin;
        let date = self.date.filter(|_| !is_more)?;
        let (start, rest) = out.split_first_chunk_mut()?;
        *start = *USUAL;
        start.get_mut(USUAL_DATE_AT..)?.first_chunk_mut().map(|place| *place = *date.text())?;
        let mut out = Out { bytes: rest, len: 0 };
        out.put_number(length)?;
        out.put(b"\r\n\r\n")?;
        Some(USUAL.len() + out.len)
    }

    /// The same of any head.
    pub(super) fn render_any(&self, out: &mut [u8]) -> Option<usize> {
        let mut out = Out { bytes: out, len: 0 };
        out.put(b"HTTP/1.1 ")?;
        out.put_number(self.status.0.into())?;
        out.put(b" ")?;
        out.put(self.status.phrase().as_bytes())?;
        out.put(b"\r\n")?;
        if let Some(date) = self.date {
            out.field(b"Date", date.text())?;
        }
        if let Some(content_type) = self.content_type {
            out.field(b"Content-Type", content_type.as_bytes())?;
        }
        self.render_framing(&mut out)?;
        if let Some(session_id) = self.session_id {
            out.field(b"Mcp-Session-Id", session_id.as_bytes())?;
        }
        if let Some(allow) = self.allow {
            out.field(b"Allow", allow.as_bytes())?;
        }
        if let Some(seconds) = self.retry_after_seconds {
            out.number_field(b"Retry-After", usize::try_from(seconds).ok()?)?;
        }
        if let Some(challenge) = self.www_authenticate {
            challenge.render(self.resource, &mut out)?;
        }
        if self.event_stream {
            out.field(b"Cache-Control", b"no-cache, no-transform")?;
            out.field(b"X-Accel-Buffering", b"no")?;
        }
        self.render_cors(&mut out)?;
        out.put(b"\r\n")?;
        Some(out.len)
    }

    fn render_framing(&self, out: &mut Out<'_>) -> Option<()> {
        if !self.status.is_bodiless() {
            match self.framing {
                Framing::Length(length) => {
                    out.number_field(b"Content-Length", length)?;
                }
                Framing::Chunked => out.field(b"Transfer-Encoding", b"chunked")?,
                Framing::UntilClose => {}
                Framing::None => out.number_field(b"Content-Length", 0)?,
            }
        }
        if self.close || self.framing == Framing::UntilClose {
            out.field(b"Connection", b"close")
        } else if self.keep_alive {
            out.field(b"Connection", b"keep-alive")
        } else {
            Some(())
        }
    }

    fn render_cors(&self, out: &mut Out<'_>) -> Option<()> {
        if let Some(cors) = self.cors {
            let any = cors.origin == "*";
            out.field(b"Access-Control-Allow-Origin", cors.origin.as_bytes())?;
            if cors.credentials && !any {
                out.field(b"Access-Control-Allow-Credentials", b"true")?;
            }
            match self.preflight {
                Some(preflight) => preflight.render(any, out)?,
                None => out.field(b"Access-Control-Expose-Headers", EXPOSED_HEADERS)?,
            }
            if any && !self.vary_origin {
                return Some(());
            }
        } else if !self.vary_origin {
            return Some(());
        }
        out.field(b"Vary", b"Origin")
    }
}

impl Challenge {
    #[cold]
    fn render(self, resource: Option<&ProtectedResource>, out: &mut Out<'_>) -> Option<()> {
        out.put(b"WWW-Authenticate: Bearer")?;
        let mut before: &[u8] = b" ";
        if let Some(error) = self.error {
            out.parameter(&mut before, b"error", &mut [error].into_iter())?;
        }
        let asked = resource.map(|resource| &*resource.scopes).filter(|_| self.scopes.is_empty());
        let mut scopes = self.scopes.iter().copied().chain(asked).filter(|scopes| !scopes.is_empty()).peekable();
        if scopes.peek().is_some() {
            out.parameter(&mut before, b"scope", &mut scopes)?;
        }
        if let Some(resource) = resource {
            out.parameter(&mut before, b"resource_metadata", &mut [&*resource.metadata].into_iter())?;
        }
        out.put(b"\r\n")
    }
}

impl Preflight<'_> {
    fn render(self, any: bool, out: &mut Out<'_>) -> Option<()> {
        out.field(b"Access-Control-Allow-Methods", b"GET, POST, DELETE, OPTIONS")?;
        // All headers where all origins are granted; the list is for `Authorization`, which `*` does not cover, and older browsers.
        out.put(if any { b"Access-Control-Allow-Headers: *, " } else { b"Access-Control-Allow-Headers: " })?;
        out.put(ALLOWED_HEADERS)?;
        for name in list(self.requested_headers).filter(|name| is_mcp_param(name)).take(PREFLIGHT_PARAM_HEADERS_MAX) {
            out.put(b", ")?;
            out.put(name)?;
        }
        out.put(b"\r\n")?;
        out.number_field(b"Access-Control-Max-Age", usize::try_from(PREFLIGHT_MAX_AGE_SECONDS).ok()?)?;
        if self.private_network {
            out.field(b"Access-Control-Allow-Private-Network", b"true")?;
        }
        Some(())
    }
}

/// The type of what is not an event stream.
const JSON: &str = "application/json";
/// The head of most answers up to its length, and where in it the date stands.
const USUAL: &[u8; 102] =
    b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: ";
const USUAL_DATE_AT: usize = b"HTTP/1.1 200 OK\r\nDate: ".len();

/// The request headers that clients of MCP in a browser send. `*` would not cover `Authorization`.
const ALLOWED_HEADERS: &[u8] = b"Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, \
    Mcp-Method, Mcp-Name, Last-Event-ID";

/// The response headers that a page may read.
const EXPOSED_HEADERS: &[u8] = b"Mcp-Session-Id, WWW-Authenticate, Retry-After";

/// Whether a requested header name is a token that begins with `Mcp-Param-`.
fn is_mcp_param(name: &[u8]) -> bool {
    name.iter().all(|byte| is(*byte, TOKEN))
        && core::str::from_utf8(name).is_ok_and(|name| strip_mcp_param(name).is_some())
}

/// The caller's buffer, and how much of it is written.
struct Out<'o> {
    bytes: &'o mut [u8],
    len: usize,
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.bytes.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    fn put_number(&mut self, mut value: usize) -> Option<()> {
        let digits = value.checked_ilog10().map_or(1, |log| log as usize + 1);
        let end = self.len.checked_add(digits)?;
        for place in self.bytes.get_mut(self.len..end)?.iter_mut().rev() {
            // A remainder of ten fits a byte.
            *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
        self.len = end;
        Some(())
    }

    /// A header line. A value that could end it is refused, wherever it came from: no response can be split.
    fn field(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        self.put(name)?;
        self.put(b": ")?;
        self.put_value(value)?;
        self.put(b"\r\n")
    }

    fn put_value(&mut self, value: &[u8]) -> Option<()> {
        if skip_values(value, 0) == value.len() { self.put(value) } else { None }
    }

    /// A parameter of a challenge: `name="value value"`, with `before` in front.
    fn parameter(&mut self, before: &mut &[u8], name: &[u8], values: &mut dyn Iterator<Item = &str>) -> Option<()> {
        self.put(core::mem::replace(before, b", "))?;
        self.put(name)?;
        self.put(b"=")?;
        for (at, value) in values.enumerate() {
            self.put(if at == 0 { b"\"" } else { b" " })?;
            self.put_value(value.as_bytes())?;
        }
        self.put(b"\"")
    }

    fn number_field(&mut self, name: &[u8], value: usize) -> Option<()> {
        self.put(name)?;
        self.put(b": ")?;
        self.put_number(value)?;
        self.put(b"\r\n")
    }
}
