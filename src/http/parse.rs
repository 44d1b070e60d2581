//! The parse of the request line of a whole head: httparse takes it apart (RFC 9112, 3). Header lines are indexed by the scan, which goes by the letter
//! where httparse is lenient.

use super::index::{Head, Span, Version};
use super::refusal::Refusal;
use super::request::Method;

/// CR LF.
const LINE_END: usize = 2;

/// Judges the request line of `text`, whose parts the scan has found at these places, and indexes it. The method is indexed already.
///
/// # Errors
/// What httparse refuses; a version that is not spoken here; a target that has none of the forms served here (RFC 9112, 3.2).
pub(super) fn parse(text: &[u8], target: Span, version: Span, head: &mut Head) -> Result<(), Refusal> {
    let line = text.get(..version.end().saturating_add(LINE_END)).ok_or(Refusal::Head)?;
    let mut request = httparse::Request::new(&mut []);
    match request.parse(line) {
        // There is more of the head; what there is of it so far has its parts.
        Ok(httparse::Status::Partial) => {}
        Ok(httparse::Status::Complete(_)) => return Err(Refusal::Head),
        Err(error) => return Err(refusal(error, &request, version.of(text))),
    }
    // Two opinions about where a part ends are what smuggling lives from.
    if request.method.map(str::as_bytes) != Some(head.method.of(text))
        || request.path.map(str::as_bytes) != Some(target.of(text))
    {
        return Err(Refusal::Head);
    }
    head.verb = Method::of(head.method.of(text));
    head.version = match request.version {
        Some(0) => Version::Http10,
        Some(1) => Version::Http11,
        _ => return Err(Refusal::VersionUnsupported),
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

/// Says what httparse has refused. It keeps the parts that it had found before.
#[cold]
fn refusal(error: httparse::Error, request: &httparse::Request<'_, '_>, version: &[u8]) -> Refusal {
    match error {
        httparse::Error::Token if request.method.is_none() => Refusal::Method,
        httparse::Error::Token => Refusal::Target,
        // RFC 9112, 2.3: it is one, though none that is spoken here.
        httparse::Error::Version
            if matches!(version, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']) =>
        {
            Refusal::VersionUnsupported
        }
        // NewLine: the request line goes on behind its version.
        httparse::Error::Version | httparse::Error::NewLine => Refusal::Version,
        _ => Refusal::Head,
    }
}
