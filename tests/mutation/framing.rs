//! A second reading of what was sent, by other means than the server's: how many requests it holds, and whether it is beyond
//! doubt where they end (RFC 9112, 2.2, 5.1, 6.1, 6.3, 7.1).

/// What a connection's bytes hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Whole requests, in front of what `end` tells of.
    pub(crate) requests: usize,
    pub(crate) end: End,
}

/// What is behind the whole requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Nothing,
    /// The beginning of a request.
    Part,
    /// Nobody can say where the next one ends.
    Doubt,
}

/// Reads the bytes of a connection.
pub(crate) fn read(bytes: &[u8]) -> Reading {
    let (mut rest, mut requests) = (bytes, 0);
    loop {
        let before = rest.len();
        while let Some(behind) = rest.strip_prefix(b"\r\n") {
            rest = behind;
        }
        if rest.is_empty() {
            // Too many empty lines are refused.
            return Reading { requests, end: if before == 0 { End::Nothing } else { End::Part } };
        }
        match request(rest) {
            Ok(behind) => rest = behind,
            Err(end) => return Reading { requests, end },
        }
        requests += 1;
    }
}

// What is behind the first request.
fn request(bytes: &[u8]) -> Result<&[u8], End> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(End::Part)?;
    let (head, rest) = (&bytes[..head_end], &bytes[head_end + 4..]);
    let head = head.iter().map(|byte| char::from(*byte)).collect::<String>();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    if head.replace("\r\n", "").contains(['\r', '\n', '\0']) || first.split(' ').count() != 3 {
        return Err(End::Doubt);
    }
    let (mut lengths, mut codings) = (Vec::new(), Vec::new());
    for line in lines {
        // A name that nothing is folded into, and no blank before the colon.
        let (name, value) = line.split_once(':').ok_or(End::Doubt)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(End::Doubt);
        }
        let value = value.trim_matches([' ', '\t']).to_owned();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => lengths.push(value),
            "transfer-encoding" => codings.push(value.to_ascii_lowercase()),
            _ => {}
        }
    }
    match (&lengths[..], &codings[..]) {
        ([], []) => Ok(rest),
        ([length], []) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            let length = length.parse().unwrap_or(usize::MAX);
            rest.get(length..).ok_or(End::Part)
        }
        ([], [coding]) if coding == "chunked" && first.ends_with("HTTP/1.1") => chunks(rest),
        _ => Err(End::Doubt),
    }
}

// What is behind the last chunk and its trailers.
fn chunks(mut rest: &[u8]) -> Result<&[u8], End> {
    loop {
        let (line, behind) = line(rest)?;
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        if size.is_empty() || size.len() > 16 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err(End::Doubt);
        }
        let size = usize::from_str_radix(&String::from_utf8_lossy(size), 16).unwrap_or(usize::MAX);
        rest = behind;
        if size == 0 {
            break;
        }
        rest = rest.get(size..).ok_or(End::Part)?;
        rest = match rest {
            [b'\r', b'\n', behind @ ..] => behind,
            [] | [b'\r'] => return Err(End::Part),
            _ => return Err(End::Doubt),
        };
    }
    loop {
        let (trailer, behind) = line(rest)?;
        rest = behind;
        if trailer.is_empty() {
            return Ok(rest);
        }
        if !trailer.contains(&b':') {
            return Err(End::Doubt);
        }
    }
}

fn line(rest: &[u8]) -> Result<(&[u8], &[u8]), End> {
    let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
        // A line feed alone, or a return with something else behind it, ends no line.
        return Err(if rest.contains(&b'\n') { End::Doubt } else { End::Part });
    };
    if rest[..end].iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(End::Doubt);
    }
    Ok((&rest[..end], &rest[end + 2..]))
}

#[test]
fn it_reads() {
    let read = |text: &str| {
        let Reading { requests, end } = read(text.as_bytes());
        (requests, end)
    };
    assert_eq!(read("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"), (1, End::Part));
    assert_eq!(read("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\n"), (2, End::Nothing));
    assert_eq!(read("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"), (0, End::Doubt));
    assert_eq!(read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n"), (1, End::Nothing));
    assert_eq!(read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"), (0, End::Doubt));
    assert_eq!(read("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), (0, End::Doubt));
    assert_eq!(read("GET / HTTP/1.1\r\n folded: x\r\n\r\n"), (0, End::Doubt));
}
