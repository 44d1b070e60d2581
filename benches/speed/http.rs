//! An answer of HTTP/1.1, as it comes in.

/// The bytes of one answer until it is whole.
#[derive(Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    body: Option<Body>,
}

/// Where the body ends, as far as that is known.
enum Body {
    /// Here.
    At(usize),
    /// With the chunk of no bytes; the next chunk begins here.
    Chunked(usize),
    /// With the connection.
    Open,
}

impl Answer {
    /// Takes these bytes, all of one answer; whether it is whole.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        if self.body.is_none() {
            self.body = find(&self.bytes, b"\r\n\r\n").map(|end| body(&self.bytes[..end + 2], end + 4));
        }
        match &mut self.body {
            None | Some(Body::Open) => false,
            Some(Body::At(end)) => {
                assert!(self.bytes.len() <= *end, "there is more than one answer");
                self.bytes.len() == *end
            }
            Some(Body::Chunked(next)) => chunks_end(&self.bytes, next),
        }
    }

    /// All of it so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its status; 0 while there is none.
    pub(crate) fn status(&self) -> u16 {
        let digits = self.bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.bytes[..find(&self.bytes, b"\r\n\r\n")? + 2], name)
    }

    /// Makes room for the next one.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.body = None;
    }
}

/// Where `what` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = std::str::from_utf8(head).expect("a head is ASCII").split("\r\n");
    let mut values = lines.filter_map(|line| line.split_once(':'));
    values.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn body(head: &[u8], start: usize) -> Body {
    if let Some(length) = header(head, "content-length") {
        Body::At(start + length.parse::<usize>().expect("a length"))
    } else if header(head, "transfer-encoding").is_some() {
        Body::Chunked(start)
    } else {
        Body::Open
    }
}

fn chunks_end(bytes: &[u8], next: &mut usize) -> bool {
    while let Some(line) = bytes.get(*next..).and_then(|rest| find(&rest[..rest.len().min(32)], b"\r\n")) {
        let size = std::str::from_utf8(&bytes[*next..*next + line]).expect("a size is ASCII");
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        *next += line + 2 + size + 2;
        if size == 0 {
            assert!(bytes.len() <= *next, "there is more than one answer");
            return bytes.len() == *next;
        }
    }
    false
}
