//! The texts, read: sections of steps, and what `$(name)` stands for.

use std::collections::HashMap;
use std::net::IpAddr;

use smol_mcp::{Config, Issuer, OAuth, Token};

/// At most this many cuts are made in one conversation, evenly chosen, if its file has no `option cuts`.
const CUTS_MAX_DEFAULT: usize = 150;

/// What `$(name)` stands for.
pub(crate) type Names = HashMap<String, String>;

/// A file of conversations.
pub(crate) struct Script {
    /// `option` lines: name and value.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) names: Names,
    pub(crate) sections: Vec<Section>,
    /// At most this many cuts are made in one conversation, evenly chosen.
    pub(crate) cuts_max: usize,
}

/// One conversation.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) steps: Vec<Step>,
}

/// A block of a conversation.
pub(crate) struct Step {
    /// The line of its head, from 1.
    pub(crate) line: usize,
    /// The lines of its text, from and up to (exclusive), from 0.
    pub(crate) lines: (usize, usize),
    pub(crate) what: What,
    pub(crate) text: String,
}

/// What a block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Let(String),
    Send { who: String, how: How },
    Receive { who: String },
    Advance(u64),
    From(String, IpAddr),
    HalfClose(String),
    Break(String),
    Room(String, usize),
    Tokens(Vec<String>),
    ToolsChanged,
    ResourcesChanged,
    PromptsChanged,
    ResourceUpdated(String),
    Broadcast(String, String),
    Shutdown,
    Restart,
    Ended,
}

/// How the text of a send is to be read and fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Cut,
    Whole,
    Raw,
}

impl Script {
    /// Reads a file, after what is common to all.
    pub(crate) fn parse(common: &str, text: &str) -> Self {
        let mut script =
            Self { options: Vec::new(), names: Names::new(), sections: Vec::new(), cuts_max: CUTS_MAX_DEFAULT };
        script.read(common);
        script.read(text);
        script
    }

    fn read(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while let Some(&line) = lines.get(at) {
            at += 1;
            if let Some(title) = line.strip_prefix("=== ") {
                self.sections.push(Section { title: title.to_owned(), steps: Vec::new() });
            }
            let Some(head) = line.strip_prefix("--- ") else { continue };
            let begin = at;
            while lines.get(at).is_some_and(|line| !line.starts_with("--- ") && !line.starts_with("=== ")) {
                at += 1;
            }
            let mut end = at;
            while end > begin && lines[end - 1].is_empty() {
                end -= 1;
            }
            self.block(head, begin, end, &lines);
        }
    }

    fn block(&mut self, head: &str, begin: usize, end: usize, lines: &[&str]) {
        let words: Vec<&str> = head.split(' ').collect();
        let rest = |from: usize| words.get(from..).unwrap_or_default().join(" ");
        let text = lines[begin..end].join("\n");
        match words[0] {
            "option" if words[1] == "cuts" => self.cuts_max = rest(2).parse().unwrap(),
            "option" => self.options.push((words[1].to_owned(), rest(2))),
            "define" => drop(self.names.insert(words[1].to_owned(), text)),
            "let" if self.sections.is_empty() => drop(self.names.insert(words[1].to_owned(), rest(2))),
            _ => {
                let what = what(&words).unwrap_or_else(|| panic!("line {begin}: what does `--- {head}` mean?"));
                let text = if let What::Let(_) = what { rest(2) } else { text };
                let section = self.sections.last_mut().expect("a section begins with `=== ` and its title");
                section.steps.push(Step { line: begin, lines: (begin, end), what, text });
            }
        }
    }

    /// How the servers of this file are set up. Small by default: they are made by the thousand.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::default().connections(8).calls(3).sessions(4).body_bytes(4096);
        for (name, value) in &self.options {
            let number = || value.parse::<usize>().unwrap();
            config = match name.as_str() {
                "app" => config,
                "token" => config.token(value),
                "access" => config.access(access(value)),
                "oauth" => config.oauth(oauth(value)),
                "allow-origin" => config.allow_origin(value),
                "allow-host" => config.allow_host(value),
                "public-base" => config.public_base(value),
                "connections" => config.connections(number()),
                "calls" => config.calls(number()),
                "streams" => config.streams(number()),
                "sessions" => config.sessions(number()),
                "body-bytes" => config.body_bytes(number()),
                "tasks" => config.tasks(number()),
                "task-timeout" => config.task_timeout_ms(number() as u64),
                "task-ttl" => config.task_ttl_ms(number() as u64),
                "tool-timeout" => config.tool_timeout_ms(number() as u64),
                "idle-timeout" => config.idle_timeout_ms(number() as u64),
                "inputs" => config.inputs(number()),
                "input-timeout" => config.input_timeout_ms(number() as u64),
                "requests-per-address" => of_rate(value, |count, seconds| config.requests_per_address(count, seconds)),
                "requests-per-principal" => {
                    of_rate(value, |count, seconds| config.requests_per_principal(count, seconds))
                }
                "wrong-tokens" => of_rate(value, |count, seconds| config.wrong_tokens_per_address(count, seconds)),
                "audit" => config.audit(number()),
                "trusted-proxy" => config.trusted_proxy(value),
                "http-sse" => config.http_sse(value == "on"),
                "lenient-version-header" => config.lenient_version_header(value == "on"),
                _ => panic!("there is no option {name}"),
            };
        }
        config
    }
}

// `10/60`: 10 in 60 seconds.
fn of_rate(value: &str, set: impl FnOnce(u32, u32) -> Config) -> Config {
    let (count, seconds) = value.split_once('/').expect("10/60");
    set(count.parse().unwrap(), seconds.parse().unwrap())
}

/// `name:token`, `name:token:scope,scope`, `name:token:scope,scope:S`: until S seconds after the beginning.
pub(crate) fn access(text: &str) -> Token {
    let mut parts = text.split(':');
    let (name, token) = (parts.next().unwrap(), parts.next().unwrap());
    let mut token = Token::new(token).name(name);
    if let Some(scopes) = parts.next().filter(|scopes| *scopes != "*") {
        token = token.scopes(scopes.split(',').filter(|scope| !scope.is_empty()));
    }
    let end = parts.next().map(|end| smol_mcp::limits::CLOCK_SET_MIN_UNIX_S + end.parse::<u64>().unwrap());
    end.into_iter().fold(token, Token::expires)
}

/// `resource issuer`, `resource issuer scope,scope`, `resource issuer scope,scope scope`: those that are asked for first. With one secret.
fn oauth(text: &str) -> OAuth {
    let mut words = text.split(' ');
    let (resource, issuer) = (words.next().unwrap(), words.next().unwrap());
    let oauth = OAuth::new(resource).issuer(Issuer::new(issuer).hs256("a secret of 32 bytes, at the least"));
    let oauth = words.next().into_iter().fold(oauth, |oauth, scopes| oauth.scopes(scopes.split(',')));
    words.next().into_iter().fold(oauth, |oauth, scopes| oauth.first_scopes(scopes.split(',')))
}

impl Section {
    /// The places to cut at, as many as the longest send has, or an even choice of them.
    pub(crate) fn cuts(&self, names: &Names, most: usize) -> impl Iterator<Item = usize> {
        let length = |step: &Step| match &step.what {
            What::Send { how: How::Whole, .. } => 0,
            // Line ends are longer on the wire, and session ids longer than their names.
            What::Send { .. } => expand(&step.text, names).len() + step.text.lines().count() + 48,
            _ => 0,
        };
        let places = self.steps.iter().map(length).max().unwrap_or(0);
        (0..places).step_by(places.div_ceil(most).max(1))
    }
}

fn what(words: &[&str]) -> Option<What> {
    let word = |at: usize| words.get(at).map(|word| (*word).to_owned());
    Some(match (words[0], words.get(1).copied()) {
        ("let", Some(name)) => What::Let(name.to_owned()),
        ("advance", Some(milliseconds)) => What::Advance(milliseconds.parse().ok()?),
        ("from", Some(address)) => What::From(word(2)?, address.parse().ok()?),
        ("half-close", Some(who)) => What::HalfClose(who.to_owned()),
        ("break", Some(who)) => What::Break(who.to_owned()),
        ("room", Some(who)) => What::Room(who.to_owned(), word(2)?.parse().ok()?),
        ("tokens", _) => What::Tokens(words[1..].iter().map(|word| (*word).to_owned()).collect()),
        ("tools-changed", None) => What::ToolsChanged,
        ("resources-changed", None) => What::ResourcesChanged,
        ("prompts-changed", None) => What::PromptsChanged,
        ("resource-updated", Some(uri)) => What::ResourceUpdated(uri.to_owned()),
        ("broadcast", Some(level)) => What::Broadcast(level.to_owned(), words[2..].join(" ")),
        ("shutdown", None) => What::Shutdown,
        ("restart", None) => What::Restart,
        ("ended", None) => What::Ended,
        (who, Some("receives")) => What::Receive { who: who.to_owned() },
        (who, Some("sends")) => {
            let how = match word(2).as_deref() {
                None => How::Cut,
                Some("whole") => How::Whole,
                Some("raw") => How::Raw,
                Some(_) => return None,
            };
            What::Send { who: who.to_owned(), how }
        }
        _ => return None,
    })
}

/// Replaces each `$(name)` that is known, and what those hold.
pub(crate) fn expand(text: &str, names: &Names) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(") {
        out.push_str(before);
        let (name, behind) = after.split_once(')').expect("`$(` is closed by `)`");
        match (name.strip_prefix("repeat "), names.get(name)) {
            (Some(what), _) => {
                let (times, what) = what.split_once(' ').expect("$(repeat 3 text)");
                out.push_str(&what.repeat(times.parse().unwrap()));
            }
            (None, Some(meaning)) => out.push_str(&expand(meaning, names)),
            (None, None) => {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
        }
        rest = behind;
    }
    out + rest
}

/// The bytes of a send, and the methods of its requests.
pub(crate) fn bytes(text: &str, how: How) -> (Vec<u8>, Vec<String>) {
    if how == How::Raw {
        let bytes = unescape(&text.replace('\n', ""));
        let method = String::from_utf8_lossy(&bytes).split(' ').next().unwrap_or_default().to_owned();
        return (bytes, vec![method]);
    }
    let (mut bytes, mut methods) = (Vec::new(), Vec::new());
    for request in text.split("\n~~~\n") {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        for line in head.lines() {
            let computed = line.to_ascii_lowercase().starts_with("content-length:") && line.ends_with('@');
            let filled = if computed { line.replace('@', &body.len().to_string()) } else { line.to_owned() };
            bytes.extend_from_slice(filled.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_bytes());
        methods.push(request.split(' ').next().unwrap_or_default().to_owned());
    }
    (bytes, methods)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        bytes.push(match chars.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('\\') => b'\\',
            Some('x') => u8::from_str_radix(&chars.by_ref().take(2).collect::<String>(), 16).unwrap(),
            other => panic!("\\{other:?} is no escape"),
        });
    }
    bytes
}
