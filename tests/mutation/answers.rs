//! What was received, held to the letter of HTTP, of event streams, of JSON and of JSON-RPC.

use serde_json::Value;

/// A response, as far as it came.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The server will close behind it.
    pub(crate) closes: bool,
    pub(crate) events: bool,
    pub(crate) whole: bool,
    head: String,
    body: Vec<u8>,
}

const STATUSES: &[u16] = &[200, 202, 204, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 421, 431, 501, 503, 505];

/// Reads all that a connection received; what it sent tells whether a body is missing because it asked by HEAD.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(mut rest: &[u8], sent: &[u8], closed: bool) -> Result<Vec<Response>, String> {
    let may_be_head = sent.windows(5).any(|window| window == b"HEAD ");
    let mut responses = Vec::new();
    while !rest.is_empty() {
        if responses.last().is_some_and(|last: &Response| last.closes || !last.whole) {
            return Err(format!("more behind the last response: {}", rest.escape_ascii()));
        }
        let (response, behind) = response(rest, may_be_head, closed)?;
        rest = behind;
        if response.status == 100 {
            continue;
        }
        if !closed && !response.whole && !response.events {
            return Err(format!("the rest is missing: {response:?}"));
        }
        check(&response).map_err(|why| format!("{why}: {}\n{}", response.head, response.body.escape_ascii()))?;
        responses.push(response);
    }
    match responses.last() {
        Some(last) if last.closes && last.whole && !closed => Err(format!("it said that it closes: {last:?}")),
        _ => Ok(responses),
    }
}

fn response(bytes: &[u8], may_be_head: bool, closed: bool) -> Result<(Response, &[u8]), String> {
    let broken = |why: &str| format!("{why}: {}", bytes.escape_ascii());
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| broken("no head"))?;
    let head = String::from_utf8(bytes[..end].to_vec()).map_err(|_| broken("a head that is not UTF-8"))?;
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| broken("no status line"))?;
    let fields: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(": ").ok_or_else(|| broken("no header line"))).collect::<Result<_, _>>()?;
    let values =
        |name: &str| fields.iter().filter(|(field, _)| *field == name).map(|(_, value)| *value).collect::<Vec<_>>();
    let mut response = Response {
        status,
        closes: values("Connection") == ["close"],
        events: values("Content-Type") == ["text/event-stream"],
        whole: true,
        head: head.clone(),
        body: Vec::new(),
    };
    if status == 100 || status == 204 {
        return Ok((response, rest));
    }
    let behind = match (&values("Content-Length")[..], &values("Transfer-Encoding")[..]) {
        ([length], []) => {
            let length: usize = length.parse().map_err(|_| broken("a length that is no number"))?;
            if may_be_head && (rest.is_empty() || rest.starts_with(b"HTTP/1.1 ")) {
                return Ok((response, rest));
            }
            response.whole = rest.len() >= length;
            let (body, behind) = rest.split_at(length.min(rest.len()));
            response.body = body.to_vec();
            behind
        }
        ([], ["chunked"]) => unchunk(rest, &mut response).map_err(|why| broken(&why))?,
        ([], []) if response.closes => {
            response.body = rest.to_vec();
            response.whole = closed;
            b""
        }
        _ => return Err(broken("a response without an end")),
    };
    Ok((response, behind))
}

fn unchunk<'a>(mut rest: &'a [u8], response: &mut Response) -> Result<&'a [u8], String> {
    response.whole = false;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(&size, 16).map_err(|_| format!("chunk size {size:?}"))?;
        rest = &rest[end + 2..];
        let Some(data) = rest.get(..size) else { return Err("a chunk that is not whole".into()) };
        response.body.extend_from_slice(data);
        rest = rest[size..].strip_prefix(b"\r\n").ok_or("no CRLF behind a chunk")?;
        if size == 0 {
            response.whole = true;
            break;
        }
    }
    if !response.whole && !rest.is_empty() {
        return Err("half a chunk".into());
    }
    Ok(rest)
}

// That body and status are those of each other.
fn check(response: &Response) -> Result<(), String> {
    let Response { status, whole, .. } = *response;
    let text = std::str::from_utf8(&response.body).map_err(|_| "a body that is not UTF-8".to_owned());
    // The only fault of a server that can be told in a status: the application's check of who comes in broke.
    let is_the_checks = || status == 500 && text.as_ref().is_ok_and(|text| text.contains("who comes in"));
    if !STATUSES.contains(&status) && !is_the_checks() {
        return Err(format!("no status of ours: {status}"));
    }
    if status == 202 || status == 204 {
        // 2024-11-05's clients are told so in words.
        return if matches!(&response.body[..], b"" | b"Accepted") { Ok(()) } else { Err("a body".into()) };
    }
    if status == 503 && !response.head.contains("Retry-After: ") {
        return Err("503 without Retry-After".into());
    }
    if response.events {
        return if status == 200 { events(text?) } else { Err("a stream that is refused".into()) };
    }
    if response.head.contains("Content-Type: text/plain") {
        return if status == 200 && matches!(&response.body[..], b"ok\n" | b"") { Ok(()) } else { Err("plain".into()) };
    }
    if !response.head.contains("Content-Type: application/json") {
        // A DELETE.
        return if status == 200 && response.body.is_empty() { Ok(()) } else { Err("of no type".into()) };
    }
    // What was asked for by HEAD has no body, and what a broken tool wrote may have no end.
    if response.body.is_empty() || !whole {
        return Ok(());
    }
    let messages = json(text?)?;
    if status >= 400 && messages.iter().any(|message| message.get("error").is_none()) {
        return Err("refused, and no error".into());
    }
    messages.iter().try_for_each(|message| match message.get("error") {
        Some(Value::String(_)) if status >= 400 => Ok(()),
        // The metadata of a protected resource.
        None if status == 200 && message["resource"].is_string() && message["authorization_servers"].is_array() => {
            Ok(())
        }
        _ => rpc(message, status < 400),
    })
}

// Whole events; their data are messages.
fn events(text: &str) -> Result<(), String> {
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err("half an event".into());
    }
    for event in text.split("\n\n") {
        let is = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        for line in event.lines() {
            let known = ["event:", "data:", "id:", "retry:", ":"].iter().any(|name| line.starts_with(name));
            if !known || line.contains('\r') {
                return Err(format!("a line of no event: {line:?}"));
            }
        }
        if event.lines().filter(|line| line.starts_with("data:")).count() > 1 {
            return Err(format!("data of several lines: {event:?}"));
        }
        match (is("event"), is("data")) {
            (_, None | Some("")) => {}
            (Some("endpoint"), Some(path)) if path.starts_with('/') => {}
            (None | Some("message"), Some(data)) => json(data)?.iter().try_for_each(|message| rpc(message, true))?,
            _ => return Err(format!("an event: {event:?}")),
        }
    }
    Ok(())
}

// The messages of a body.
fn json(text: &str) -> Result<Vec<Value>, String> {
    // By its grammar: a number that no double can hold is echoed all the same.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| format!("not JSON ({error})"))?;
    match serde_json::from_str(text) {
        Ok(Value::Array(messages)) if !messages.is_empty() => Ok(messages),
        Ok(message) => Ok(vec![message]),
        Err(error) if error.to_string().contains("out of range") => Ok(Vec::new()),
        Err(error) => Err(format!("JSON that can't be read ({error})")),
    }
}

fn rpc(message: &Value, requests_too: bool) -> Result<(), String> {
    let has = |name: &str| message.get(name).is_some();
    let id = message.get("id");
    let right = match (has("result"), message.get("error"), message.get("method")) {
        (true, None, None) => matches!(id, Some(Value::String(_) | Value::Number(_))) && message["result"].is_object(),
        (false, Some(error), None) => {
            error["code"].is_i64()
                && error["message"].is_string()
                && matches!(id, Some(Value::String(_) | Value::Number(_) | Value::Null))
        }
        (false, None, Some(Value::String(_))) => requests_too,
        _ => false,
    };
    if right && message["jsonrpc"] == "2.0" { Ok(()) } else { Err(format!("no message of JSON-RPC: {message}")) }
}
