//! What a server sent, held to the letter of HTTP/1.1, whatever was asked.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::table::{self, Expected};

/// A whole response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Takes the first response from bytes, and says how many it has; none while it is not whole. `is_head`: HEAD asked for it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn take(bytes: &[u8], is_head: bool) -> Result<Option<(Self, usize)>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "a head that is not UTF-8")?;
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status: Option<u16> =
            first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..4)?.trim_end().parse().ok());
        let status = status.ok_or_else(|| format!("no status line: {first:?}"))?;
        let fields = lines.map(|line| match line.split_once(": ") {
            Some((name, value)) if name.bytes().all(is_token) && value == value.trim() => {
                Ok((name.to_owned(), value.to_owned()))
            }
            _ => Err(format!("no header line: {line:?}")),
        });
        let mut answer = Self { status, fields: fields.collect::<Result<_, _>>()?, body: String::new() };
        let behind = end + 4;
        let rest = &bytes[behind..];
        let is_bodiless = is_head || status < 200 || status == 204;
        let used = match (answer.field("Content-Length"), answer.field("Transfer-Encoding")) {
            (None, None) if is_bodiless => Some(0),
            (Some(length), None) if status >= 200 && status != 204 => {
                let length: usize = length.parse().map_err(|_| format!("no length: {length}"))?;
                let used = if is_head { 0 } else { length };
                answer.set_body(rest.get(..used))?.then_some(used)
            }
            (None, Some("chunked")) if is_head => Some(0),
            (None, Some("chunked")) if !is_bodiless => answer.chunked(rest)?,
            (length, coding) => return Err(format!("no framing: {status} with {length:?} and {coding:?}: {first}")),
        };
        let Some(used) = used else { return Ok(None) };
        answer.check(is_head).map_err(|why| format!("{why}: {answer:?}"))?;
        Ok(Some((answer, behind + used)))
    }

    /// The value of a header that is there once, or not at all.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values =
            self.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    /// The body, which is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The server closes behind it.
    pub(crate) fn closes(&self) -> bool {
        self.field("Connection") == Some("close")
    }

    fn set_body(&mut self, body: Option<&[u8]>) -> Result<bool, String> {
        let Some(body) = body else { return Ok(false) };
        self.body = String::from_utf8(body.to_vec()).map_err(|_| "a body that is not UTF-8")?;
        Ok(true)
    }

    // How many bytes a chunked body has; none while it is not whole.
    fn chunked(&mut self, rest: &[u8]) -> Result<Option<usize>, String> {
        let (mut at, mut body) = (0, Vec::new());
        loop {
            let Some(end) = rest[at..].windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
            let size = std::str::from_utf8(&rest[at..at + end]).map_err(|_| "no chunk size")?;
            let size = usize::from_str_radix(size, 16).map_err(|_| format!("no chunk size: {size}"))?;
            at += end + 2;
            let Some(data) = rest.get(at..at + size + 2) else { return Ok(None) };
            let data = data.strip_suffix(b"\r\n").ok_or("no CRLF behind a chunk")?;
            body.extend_from_slice(data);
            at += size + 2;
            if size == 0 {
                self.set_body(Some(&body))?;
                return Ok(Some(at));
            }
        }
    }

    // What holds for every response of this server: RFC 9110, 6.6.1, 9.3.2, 10.2.1, 11.6.1, 15.5.6; and that refusals are JSON that tells why.
    fn check(&self, is_head: bool) -> Result<(), String> {
        let Self { status, ref body, .. } = *self;
        let has = |name: &str| self.field(name).is_some();
        if status == 100 {
            return if self.fields.is_empty() { Ok(()) } else { Err("100 with fields".into()) };
        }
        if !has("Date") && status < 500 {
            return Err("no Date, and there is a clock".into());
        }
        if status == 405 && !has("Allow")
            || status == 401 && !has("WWW-Authenticate")
            || status == 503 && !has("Retry-After")
        {
            return Err("a header that this status must have is missing".into());
        }
        if self.field("Connection").is_some_and(|option| !["close", "keep-alive"].contains(&option)) {
            return Err("an odd Connection".into());
        }
        let is_json = self.field("Content-Type") == Some("application/json");
        if is_json && !is_head && serde_json::from_str::<IgnoredAny>(body).is_err() {
            return Err("a body that is not JSON".into());
        }
        if status >= 400 && !is_head && !(is_json && self.json().get("error").is_some()) {
            return Err("a refusal that does not say why".into());
        }
        Ok(())
    }
}

/// What came on a connection so far, beside what must come.
pub(crate) struct Came<'e> {
    expected: &'e Expected,
    pub(crate) answers: Vec<Answer>,
    bytes: Vec<u8>,
}

impl<'e> Came<'e> {
    pub(crate) fn new(expected: &'e Expected) -> Self {
        Self { expected, answers: Vec::new(), bytes: Vec::new() }
    }

    /// Takes bytes that came. Says whether all answers are there: those that must be, and that to the good request, where one comes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<bool, String> {
        self.bytes.extend_from_slice(bytes);
        loop {
            let is_head = self.expected.answers.get(self.answers.len()).is_some_and(|answer| answer.is_head);
            let Some((answer, used)) = Answer::take(&self.bytes, is_head)? else { break };
            self.bytes.drain(..used);
            // Whether there is one depends on how soon the body comes; `house.rs` looks at them.
            if answer.status != 100 {
                self.answers.push(answer);
            }
        }
        Ok(self.answers.len() > self.expected.answers.len())
    }

    /// Judges all that came; `closed`: the connection ended.
    pub(crate) fn judge(&self, closed: bool, is_good: impl Fn(&Answer) -> bool) -> Result<(), String> {
        let told = |why: &str| format!("{why}; came: {:?}{}", self.answers, self.bytes.escape_ascii());
        if !self.bytes.is_empty() {
            return Err(told("half an answer"));
        }
        let expected = &self.expected.answers;
        let good = self.answers.get(expected.len());
        if self.answers.len() < expected.len() {
            return Err(told(&format!("{} answers are missing", expected.len() - self.answers.len())));
        }
        for (answer, expected) in self.answers.iter().zip(expected) {
            answer.must_be(expected).map_err(|why| told(&why))?;
        }
        let closing = self.answers.iter().position(Answer::closes);
        match self.expected.then {
            _ if self.answers.len() > expected.len() + 1 => Err(told("more is answered than was asked")),
            table::Then::Open if closed || closing.is_some() => Err(told("it closes")),
            table::Then::Open if !good.is_some_and(is_good) => Err(told("the request behind is not answered")),
            table::Then::Close if good.is_some() => Err(told("what is behind was looked at")),
            table::Then::Close if !closed => Err(told("it does not close")),
            table::Then::Close if closing != expected.len().checked_sub(1) => {
                Err(told("the last one, and no other, says that it closes"))
            }
            table::Then::Wait if good.is_some() => Err(told("more is answered than was sent")),
            _ => Ok(()),
        }
    }
}

impl Answer {
    /// Whether it is what is expected.
    ///
    /// # Errors
    /// What is otherwise.
    pub(crate) fn must_be(&self, expected: &table::Answer) -> Result<(), String> {
        if self.status != expected.status {
            return Err(format!("{} instead of {}", self.status, expected.status));
        }
        for (name, value) in &expected.fields {
            let right = match (value.as_str(), self.field(name)) {
                ("", None) | ("*", Some(_)) => true,
                (value, came) => came == Some(value),
            };
            if !right {
                return Err(format!("{name} must be {value:?}"));
            }
        }
        if let Some(part) = expected.parts.iter().find(|part| !self.body.contains(*part)) {
            return Err(format!("the body must hold {part:?}"));
        }
        if let Some(code) = expected.code.filter(|code| self.json()["error"]["code"] != *code) {
            return Err(format!("the code must be {code}"));
        }
        Ok(())
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}
