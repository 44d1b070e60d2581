//! The parse of a whole head: httparse takes it apart, and what it found is indexed.

use core::mem::MaybeUninit;

use super::index::{Head, Span, Version};
use super::refusal::Refusal;
use crate::limits::HEADERS_MAX;

/// Indexes a head: `text` is all of it, up to the end of its empty line, as the scan has passed it.
///
/// # Errors
/// What httparse refuses; a target that has none of the forms served here (RFC 9112, 3.2).
pub(super) fn parse(text: &[u8], head: &mut Head) -> Result<(), Refusal> {
    // Left as the stack has it: httparse hands out only those lines that it has written.
    let mut lines = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(text, &mut lines) {
        // Two opinions about where a head ends are what smuggling lives from.
        Ok(httparse::Status::Complete(len)) if len == text.len() => {}
        Ok(_) => return Err(Refusal::Head),
        Err(error) => return Err(refusal(error, &request, text)),
    }
    let (Some(method), Some(path)) = (request.method, request.path) else {
        return Err(Refusal::Head);
    };
    head.method = Span::within(text, method.as_bytes());
    head.version = match request.version {
        Some(0) => Version::Http10,
        Some(1) => Version::Http11,
        _ => return Err(Refusal::VersionUnsupported),
    };
    target(text, method, path, head)?;
    for line in request.headers.iter() {
        head.push(text, line.name.as_bytes(), line.value)?;
    }
    Ok(())
}

/// Takes a target apart (RFC 9112, 3.2): origin-form, absolute-form, or asterisk-form.
fn target(text: &[u8], method: &str, target: &str, head: &mut Head) -> Result<(), Refusal> {
    let mut path = target;
    if let Some((secured, rest)) = strip_scheme(target) {
        head.secured = secured;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at_checked(end).ok_or(Refusal::Target)?;
        if authority.is_empty() {
            return Err(Refusal::Target);
        }
        head.authority = Some(Span::within(text, authority.as_bytes()));
        path = behind;
    } else if !target.starts_with('/') && (method, target) != ("OPTIONS", "*") {
        return Err(if method == "CONNECT" { Refusal::Tunnel } else { Refusal::Target });
    }
    let question = path.bytes().position(|byte| byte == b'?').and_then(|at| path.split_at_checked(at));
    let (path, query) = question.map_or((path, None), |(path, query)| (path, query.strip_prefix('?')));
    head.path = Span::within(text, path.as_bytes());
    head.query = query.map(|query| Span::within(text, query.as_bytes()));
    Ok(())
}

/// What is behind `http://` or `https://` in front of a target (RFC 9110, 4.2: in any case), and whether it is the latter.
fn strip_scheme(target: &str) -> Option<(bool, &str)> {
    [(false, "http://"), (true, "https://")].into_iter().find_map(|(secured, scheme)| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some((secured, rest))
    })
}

/// Says what httparse has refused. It keeps the parts that it had found before.
fn refusal(error: httparse::Error, request: &httparse::Request<'_, '_>, text: &[u8]) -> Refusal {
    match error {
        httparse::Error::Token if request.method.is_none() => Refusal::Method,
        httparse::Error::Token => Refusal::Target,
        httparse::Error::Version if names_a_version(request, text) => Refusal::VersionUnsupported,
        // NewLine: the request line goes on behind its version.
        httparse::Error::Version | httparse::Error::NewLine => Refusal::Version,
        httparse::Error::HeaderName => Refusal::HeaderName,
        httparse::Error::HeaderValue => Refusal::HeaderValue,
        httparse::Error::TooManyHeaders => Refusal::TooManyHeaders,
        httparse::Error::Status => Refusal::Head,
    }
}

/// Whether the request line ends in a version, though none that is spoken here (RFC 9112, 2.3).
fn names_a_version(request: &httparse::Request<'_, '_>, text: &[u8]) -> bool {
    let path = request.path.map(|path| Span::within(text, path.as_bytes())).unwrap_or_default();
    // Behind the path there is one space: else it is the path that would have been refused.
    matches!(
        text.get(path.end() + 1..),
        Some([b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9', b'\r', ..])
    )
}
