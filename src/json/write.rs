//! Writing JSON text into a buffer that may end before the text does.

use core::fmt;
use core::fmt::Write as _;

use super::strings;

/// A bounded writer of JSON text into a lent buffer. What does not fit is dropped but counted, so nothing fails: the caller looks at the end
/// whether the rendering [is complete](Writer::is_complete), and if not, sends what is there and renders the same again into the buffer, from
/// where it stopped, with [`Writer::resume`]. It must produce the same bytes each time. Commas, colons and brackets are the caller's.
pub(crate) struct Writer<'b> {
    buf: &'b mut [u8],
    written: usize,
    /// Bytes still to be dropped before the first is kept.
    skip: usize,
    total: usize,
    cut: bool,
}

impl<'b> Writer<'b> {
    /// A writer that keeps the first bytes that fit into `buf`.
    pub(crate) fn new(buf: &'b mut [u8]) -> Self {
        Self::resume(buf, 0)
    }

    /// A writer that drops the first `skip` bytes of the rendering and keeps those after them that fit into `buf`.
    pub(crate) fn resume(buf: &'b mut [u8], skip: usize) -> Self {
        Self { buf, written: 0, skip, total: 0, cut: false }
    }

    /// Leaves out so many bytes of the rendering, all of which were to be dropped.
    pub(super) fn jump(&mut self, bytes: usize) {
        self.skip = self.skip.saturating_sub(bytes);
        self.total = self.total.saturating_add(bytes);
    }

    /// The bytes as they are: punctuation, or JSON text that is known to be valid.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.total = self.total.saturating_add(bytes.len());
        let place = self.buf.get_mut(self.written..).and_then(|room| room.get_mut(..bytes.len()));
        match place {
            // As it nearly always is: all of it is to be kept, and fits.
            Some(place) if self.skip == 0 => {
                place.copy_from_slice(bytes);
                self.written += bytes.len();
            }
            _ => self.raw_in_part(bytes),
        }
        self
    }

    fn raw_in_part(&mut self, bytes: &[u8]) {
        let dropped = self.skip.min(bytes.len());
        self.skip -= dropped;
        let kept = bytes.get(dropped..).unwrap_or_default();
        let room = self.buf.get_mut(self.written..).unwrap_or_default();
        let fits = kept.len().min(room.len());
        room[..fits].copy_from_slice(&kept[..fits]); // `fits` is at most either length
        self.written += fits;
        self.cut |= fits < kept.len();
    }

    /// The text as it is.
    pub(crate) fn str(&mut self, text: &str) -> &mut Self {
        self.raw(text.as_bytes())
    }

    /// JSON text on one line: as it is, but for line breaks and the white space around them, which are never part of a string. What goes out as
    /// an event must have none.
    pub(crate) fn flat(&mut self, json: &[u8]) -> &mut Self {
        json.split(|byte| matches!(byte, b'\n' | b'\r')).fold(self, |w, line| w.raw(line.trim_ascii()))
    }

    /// The text as a JSON string, quoted and escaped.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.raw(b"\"").escaped(text).raw(b"\"")
    }

    /// The text as a part of a JSON string: escaped, without quotes.
    pub(crate) fn escaped(&mut self, text: &str) -> &mut Self {
        let mut rest = text.as_bytes();
        while let Some((run, escape, next)) = next_escape(rest) {
            self.raw(run).raw(escape.as_bytes());
            rest = next;
        }
        self.raw(rest)
    }

    /// What the arguments format to, as the inside of a JSON string.
    pub(crate) fn escaped_fmt(&mut self, arguments: fmt::Arguments<'_>) -> &mut Self {
        // Writing itself never fails.
        let _ = Escaping(self).write_fmt(arguments);
        self
    }

    /// A number.
    pub(crate) fn uint(&mut self, value: u64) -> &mut Self {
        let mut digits = [0; 20]; // u64::MAX has twenty
        let mut rest = value;
        let mut start = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or_default(); // a remainder of ten is below ten
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        self.raw(digits.get(start..).unwrap_or_default())
    }

    /// A number.
    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 {
            self.raw(b"-");
        }
        self.uint(value.unsigned_abs())
    }

    /// A number, in the shortest form that reads back as the same; `null` for what is none (NaN, the infinities). Integers get `.0`.
    pub(crate) fn float(&mut self, value: f64) -> &mut Self {
        if value.is_finite() {
            // `Debug` is the shortest form, with an exponent where that is shorter; all of its forms are JSON. Writing itself never fails.
            let _ = write!(self, "{value:?}");
            self
        } else {
            self.raw(b"null")
        }
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    /// How many bytes are in the buffer.
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// How many bytes the rendering has so far, with those that were skipped and those that did not fit.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Whether nothing was cut at the end of the buffer.
    pub(crate) fn is_complete(&self) -> bool {
        !self.cut
    }
}

/// Formats as [`Writer::raw`] writes; never fails.
impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.str(text);
        Ok(())
    }
}

/// Formats as [`Writer::escaped`] writes.
struct Escaping<'w, 'b>(&'w mut Writer<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.escaped(text);
        Ok(())
    }
}

/// Escapes as much of `text` (UTF-8) as fits into `out`, as part of a JSON string without its quotes, for text that is larger than any buffer:
/// gives how many bytes of `text` were consumed, and how many of `out` were written. An escape is never split, a character of several bytes may
/// be. With room for 6 bytes there is always progress.
pub(crate) fn escape_into(text: &[u8], out: &mut [u8]) -> (usize, usize) {
    // Escaping never shortens, so no more than this can be consumed; looking further would cost the square of a long text.
    let text = text.get(..out.len()).unwrap_or(text);
    let mut writer = Writer::new(out);
    let mut rest = text;
    loop {
        let (run, found) = match next_escape(rest) {
            Some((run, escape, next)) => (run, Some((escape, next))),
            None => (rest, None),
        };
        let room = writer.buf.len() - writer.written;
        let fits = run.len().min(room);
        writer.raw(&run[..fits]); // `fits` is at most the length
        rest = &rest[fits..]; // which begins with `run`
        match found {
            Some((escape, next)) if fits == run.len() && escape.len() <= room - fits => {
                writer.str(escape);
                rest = next;
            }
            _ => return (text.len() - rest.len(), writer.written),
        }
    }
}

/// Splits `text` before its first byte that needs an escape: the run before it, the escape, what follows it; none where no byte does.
pub(super) fn next_escape(text: &[u8]) -> Option<(&[u8], &'static str, &[u8])> {
    let (run, rest) = text.split_at(strings::skip_unescaped(text, 0)); // a position of the text or its end
    let (byte, rest) = rest.split_first()?;
    Some((run, escape(*byte), rest))
}

/// The shortest escape of a byte that needs one (RFC 8259 section 7).
fn escape(byte: u8) -> &'static str {
    match byte {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        _ => CONTROLS.get(usize::from(byte)).copied().unwrap_or_default(),
    }
}

/// The escapes of U+0000 to U+001F.
const CONTROLS: [&str; 32] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b", "\\t", "\\n",
    "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015",
    "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
];
