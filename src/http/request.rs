//! Typed questions to a request head.

use super::accept::{Accept, Media, accept, list};
use super::index::{Field, Head, Version};
use super::kept::{REQUEST_LINE, bits};
use super::known::Known;

/// A request head, whole and valid. Its questions cost at most one look at the values that they are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'b> {
    head: &'b Head,
    buf: &'b [u8],
}

/// The methods that this server tells apart (RFC 9110, 9; case matters).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// Any other token.
    Other,
}

impl Method {
    /// The method of this name.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }
}

impl Head {
    /// Whether the request is one of HTTP/1.0.
    pub(super) fn is_http10(&self) -> bool {
        self.version == Version::Http10
    }
}

impl<'b> Request<'b> {
    /// `buf` is the buffer that the head was indexed in.
    pub(super) fn new(head: &'b Head, buf: &'b [u8]) -> Self {
        Self { head, buf }
    }

    /// The method.
    pub(crate) fn method(&self) -> Method {
        self.head.verb
    }

    /// The method as it was sent.
    pub(crate) fn method_text(&self) -> &'b str {
        self.head.method.text_of(self.buf)
    }

    /// The path without the query, percent-encoding left as it is. `*` for asterisk-form, `/` for an absolute-form
    /// target that ends with its authority.
    pub(crate) fn path(&self) -> &'b str {
        match self.head.path.text_of(self.buf) {
            "" => "/",
            path => path,
        }
    }

    /// The same as bytes; empty where the path is.
    pub(crate) fn path_bytes(&self) -> &'b [u8] {
        self.head.path.of(self.buf)
    }

    /// What is behind the first `?` of the target.
    pub(crate) fn query(&self) -> Option<&'b str> {
        self.head.query.map(|query| query.text_of(self.buf))
    }

    /// The value of the first query parameter of this name, percent-encoding left as it is; empty when it has no `=`.
    pub(crate) fn query_param(&self, name: &str) -> Option<&'b str> {
        self.query()?
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The authority of an absolute-form target, which stands above `Host` (RFC 9112, 3.2.2) and is to be judged as
    /// strictly: its grammar has not been looked at.
    pub(crate) fn authority(&self) -> Option<&'b str> {
        self.head.authority.map(|authority| authority.text_of(self.buf))
    }

    /// Whether the target is one of `https`, which only a gateway that ends TLS may pass on (RFC 9110, 7.4).
    pub(crate) fn is_secured(&self) -> bool {
        self.head.secured
    }

    /// The `Host` header: visible ASCII, maybe empty, its grammar not looked at. None only for HTTP/1.0.
    pub(crate) fn host(&self) -> Option<&'b str> {
        self.head.first(Known::Host).map(|field| field.value().text_of(self.buf))
    }

    /// Whether the request is one of HTTP/1.0, whose sender knows no chunks and no interim responses.
    pub(crate) fn is_http10(&self) -> bool {
        self.head.is_http10()
    }

    /// Whether the connection may serve another request (RFC 9112, 9.3).
    pub(crate) fn keep_alive(&self) -> bool {
        self.head.told.keeps_alive
    }

    /// A body comes behind the head, be it of empty chunks.
    pub(crate) fn has_body(&self) -> bool {
        let length = self.header(Known::ContentLength).unwrap_or_default();
        self.count(Known::TransferEncoding) > 0 || length.iter().any(|digit| *digit != b'0')
    }

    /// The value of a header's first line, without white space around it.
    pub(crate) fn header(&self, known: Known) -> Option<&'b [u8]> {
        self.head.first(known).map(|field| field.value().of(self.buf))
    }

    /// How many lines a header has.
    pub(crate) fn count(&self, known: Known) -> usize {
        self.head.count(known)
    }

    /// The values of all lines of a header, in the order of arrival.
    pub(crate) fn all(&self, known: Known) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let buf = self.buf;
        // A header that is not there is not looked for, one that is there once is found at once.
        self.head
            .starting_at(known)
            .iter()
            .filter(move |field| field.is(known))
            .take(self.head.count(known))
            .map(move |field| field.value().of(buf))
    }

    /// All header lines: name as sent, value without white space around it.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> + use<'b> {
        let buf = self.buf;
        let pair = move |field: &'b Field| (field.name().text_of(buf), field.value().of(buf));
        self.head.fields().iter().map(pair)
    }

    /// The `Mcp-Param-*` headers (MCP 2026-07-28, streamable HTTP): what is behind the prefix, and the value.
    pub(crate) fn mcp_params(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> + use<'b> {
        self.headers().filter_map(|(name, value)| Some((strip_mcp_param(name)?, value)))
    }

    /// Whether the body says that it is JSON: media type `application/json` in any case, whatever its parameters.
    /// None when it does not say what it is. Two `Content-Type` lines are no JSON.
    pub(crate) fn content_type_is_json(&self) -> Option<bool> {
        self.head.told.is_json
    }

    /// Whether the client accepts an answer of this type (RFC 9110, 12.5.1).
    pub(crate) fn accepts(&self, media: Media) -> Accept {
        match media {
            Media::EventStream => self.head.told.accepts_events,
            Media::Json => accept(self.all(Known::Accept), media),
        }
    }
}

impl Head {
    /// Tells what is asked of every request, of which `text` is the head.
    pub(super) fn tell(&mut self, text: &[u8]) {
        if self.has_changed(REQUEST_LINE | bits(&[Known::Connection])) {
            self.told.keeps_alive = Request::new(self, text).find_keep_alive();
        }
        if self.has_changed(bits(&[Known::ContentType])) {
            self.told.is_json = Request::new(self, text).find_json();
        }
        if self.has_changed(bits(&[Known::Accept])) {
            self.told.accepts_events = accept(Request::new(self, text).all(Known::Accept), Media::EventStream);
        }
    }
}

impl Request<'_> {
    fn find_keep_alive(&self) -> bool {
        let has =
            |option: &[u8]| self.all(Known::Connection).flat_map(list).any(|item| item.eq_ignore_ascii_case(option));
        !has(b"close") && (!self.is_http10() || has(b"keep-alive"))
    }

    fn find_json(&self) -> Option<bool> {
        let media = self.header(Known::ContentType)?.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_json = media.trim_ascii().eq_ignore_ascii_case(b"application/json");
        Some(self.count(Known::ContentType) == 1 && is_json)
    }
}

/// What a header name has behind `Mcp-Param-`, in any case; None when that is nothing.
pub(super) fn strip_mcp_param(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked("mcp-param-".len())?;
    (prefix.eq_ignore_ascii_case("mcp-param-") && !rest.is_empty()).then_some(rest)
}
