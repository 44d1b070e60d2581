//! The request line of a whole head: its parts, which the scan has found, are judged together (RFC 9112, 3).

use super::index::{Head, Span, Version};
use super::refusal::Refusal;
use super::request::Method;

/// Judges the request line of `text`, whose parts are these, and indexes it. The method is indexed already.
///
/// # Errors
/// A method or target of no bytes; a version that is not spoken here; a target that has none of the forms served here (RFC 9112, 3.2).
pub(super) fn parse(text: &[u8], target: Span, version: Span, head: &mut Head) -> Result<(), Refusal> {
    if head.method == Span::EMPTY {
        return Err(Refusal::Method);
    }
    head.told = Method::of(head.method.of(text));
    if target.start() == target.end() {
        return Err(Refusal::Target);
    }
    head.version = match version.of(text) {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        // RFC 9112, 2.3: it is one, though none that is spoken here.
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(Refusal::VersionUnsupported),
        _ => return Err(Refusal::Version),
    };
    let mut path = target;
    if target.of(text).first() != Some(&b'/') {
        path = not_origin_form(text, target, head)?;
    }
    let question = path.of(text).iter().position(|byte| *byte == b'?').map(|at| path.start() + at);
    head.path = Span::new(path.start(), question.unwrap_or(path.end()));
    head.query = question.map(|at| Span::new(at + 1, path.end()));
    Ok(())
}

/// A target in absolute-form, of which the path is left, or in asterisk-form (RFC 9112, 3.2).
#[cold]
fn not_origin_form(text: &[u8], target: Span, head: &mut Head) -> Result<Span, Refusal> {
    let (method, whole) = (head.method.of(text), target.of(text));
    let Some((secured, rest)) = strip_scheme(whole) else {
        return match (method, whole) {
            (b"OPTIONS", b"*") => Ok(target),
            (b"CONNECT", _) => Err(Refusal::Tunnel),
            _ => Err(Refusal::Target),
        };
    };
    let start = target.end() - rest.len();
    let end = start + rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    if end == start {
        return Err(Refusal::Target);
    }
    head.secured = secured;
    head.authority = Some(Span::new(start, end));
    Ok(Span::new(end, target.end()))
}

/// What is behind `http://` or `https://` in front of a target (RFC 9110, 4.2: in any case), and whether it is the latter.
fn strip_scheme(target: &[u8]) -> Option<(bool, &[u8])> {
    [(false, "http://"), (true, "https://")].into_iter().find_map(|(secured, scheme)| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some((secured, rest))
    })
}
