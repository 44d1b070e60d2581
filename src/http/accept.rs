//! Content negotiation, as far as two media types need it (RFC 9110, 12.4.2 and 12.5.1).

/// The types of answer that this server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`
    Json,
    /// `text/event-stream`
    EventStream,
}

/// How a client stands to a type of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// It names the type.
    Yes,
    /// It names `*/*` or the type's family (`text/*`), or says nothing at all.
    Any,
    /// It names other types only, or this one with `q=0`.
    No,
}

impl Media {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Json => b"application/json",
            Self::EventStream => b"text/event-stream",
        }
    }

    const fn family(self) -> &'static [u8] {
        match self {
            Self::Json => b"application/*",
            Self::EventStream => b"text/*",
        }
    }
}

/// Judges all `Accept` lines of a request. The most specific range that matches decides; of equal ones, any with
/// `q` above 0. Parameters of a range are ignored, and so is a `q` that is none.
pub(super) fn accept<'b>(values: impl Iterator<Item = &'b [u8]>, media: Media) -> Accept {
    // By how specific the range is: None until there was one, then whether it is welcome.
    let (mut exact, mut family, mut any) = (None, None, None);
    let mut silent = true;
    for range in values.flat_map(list) {
        silent = false;
        let mut parts = split_outside_quotes(range, b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let place = if name.eq_ignore_ascii_case(media.text()) {
            &mut exact
        } else if name.eq_ignore_ascii_case(media.family()) {
            &mut family
        } else if name == b"*/*" {
            &mut any
        } else {
            continue;
        };
        let welcome = !parts.any(is_q_zero);
        *place = Some(welcome || *place == Some(true));
    }
    match (exact, family.or(any)) {
        (Some(true), _) => Accept::Yes,
        (None, Some(true)) => Accept::Any,
        (None, None) if silent => Accept::Any,
        _ => Accept::No,
    }
}

/// The elements of a comma-separated list without the empty ones (RFC 9110, 5.6.1.2).
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_outside_quotes(value, b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

/// Whether a parameter is `q=0`, also written `q=0.000`.
fn is_q_zero(parameter: &[u8]) -> bool {
    match parameter.trim_ascii() {
        [b'q' | b'Q', b'=', b'0', rest @ ..] => match rest {
            [] => true,
            [b'.', digits @ ..] => digits.iter().all(|digit| *digit == b'0'),
            _ => false,
        },
        _ => false,
    }
}

/// Splits at a separator that is not inside a quoted string (RFC 9110, 5.6.4).
fn split_outside_quotes(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let has_quotes = text.contains(&b'"');
    text.split(move |byte| {
        if !has_quotes {
            return *byte == separator;
        }
        if escaped {
            escaped = false;
        } else if quoted && *byte == b'\\' {
            escaped = true;
        } else if *byte == b'"' {
            quoted = !quoted;
        }
        !quoted && *byte == separator
    })
}
