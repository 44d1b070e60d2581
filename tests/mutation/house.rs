//! A server, the clients that stay, and a case after the other.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic;
use std::sync::Once;

use smol_mcp::limits::{AUTHORIZE_TIMEOUT_MS, TICK_MS, TRANSFER_PRESSED_MS};
use smol_mcp::testing::{TestConnection, TestServer};

use super::corpus::{ALL_OVER_MS, Book, UNIX_S};
use super::framing::End;
use super::judge::{Talk, Verdict, shown};
use super::mutate::mutate;
use super::random::Random;
use crate::{run, script};

/// Clients whose connections stay open over the next cases.
const STAY_MAX: usize = 2;
/// Words of answers that are remembered, to stand where a request has to repeat one.
const WORDS_MAX: usize = 64;

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// A server under test.
pub(crate) struct House<'b> {
    server: TestServer,
    book: &'b Book,
    books: &'b [Book],
    random: Random,
    sessions: Vec<String>,
    words: Vec<String>,
    stay: Vec<Client>,
    /// What the last client sent that went.
    last: String,
}

struct Client {
    connection: TestConnection,
    sent: Vec<u8>,
    received: Vec<u8>,
    /// It broke off or closed its direction: what came may be less than all.
    gone: bool,
}

impl<'b> House<'b> {
    /// A server as the book wants it, with sessions of each revision.
    pub(crate) fn open(book: &'b Book, books: &'b [Book], random: Random) -> Self {
        let mut server = run::start(&book.script);
        server.set_unix_time(UNIX_S);
        count_panics();
        let mut house =
            Self { server, book, books, random, sessions: vec![], words: vec![], stay: vec![], last: String::new() };
        for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            let able = r#""capabilities":{"sampling":{},"elicitation":{},"roots":{}}"#;
            let params =
                format!(r#"{{"protocolVersion":"{revision}",{able},"clientInfo":{{"name":"m","version":"1"}}}}"#);
            let body = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{params}}}"#);
            let request = house.post("", &body);
            let (_, answer) = house.ask(&request);
            let id = answer.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: "));
            let id = id.unwrap_or_else(|| panic!("{}: no session: {answer}", book.name));
            house.sessions.push(id.to_owned());
        }
        if book.option("http-sse") != Some("off") {
            house.open_http_sse();
        }
        house
    }

    // The stream of 2024-11-05 and its session, as one of the clients that stay.
    fn open_http_sse(&mut self) {
        let mut client = self.connect();
        let request =
            format!("GET /sse HTTP/1.1\r\nHost: localhost\r\n{}Accept: text/event-stream\r\n\r\n", self.token());
        self.server.send(&client.connection, request.as_bytes());
        client.sent.extend_from_slice(request.as_bytes());
        self.receive(&mut client);
        let text = String::from_utf8_lossy(&client.received).into_owned();
        let (_, id) = text.split_once("?sessionId=").expect("an endpoint");
        self.sessions.push(id.lines().next().unwrap_or_default().to_owned());
        self.stay.push(client);
    }

    /// Some requests, changed, on a connection of their own; then a good one on another.
    pub(crate) fn case(&mut self, tally: &mut BTreeMap<String, u64>) {
        let stays = !self.stay.is_empty() && self.random.once_in(4);
        let mut client = if stays { self.stay.remove(0) } else { self.connect() };
        for _ in 0..=self.random.below(3) {
            let (one, other) = (self.request(), self.request());
            let bytes = mutate(&mut self.random, &one, &other);
            self.feed(&mut client, &bytes);
        }
        if self.random.once_in(8) {
            client.gone = true;
            if self.random.once_in(2) {
                client.connection.half_close();
            } else {
                client.connection.break_off();
            }
            self.server.run();
        }
        if self.random.once_in(8) {
            let milliseconds = [600, 5_500, 16_000][self.random.below(3)];
            self.server.advance(milliseconds);
        }
        if self.book.option("app") == Some("checked") {
            // A check that does not answer holds what comes behind it, for a time.
            self.server.advance(AUTHORIZE_TIMEOUT_MS + 500);
        }
        self.receive(&mut client);
        self.judge(&client, tally);
        self.learn(&client.received);
        if !client.gone && !client.connection.is_closed() && self.stay.len() < STAY_MAX && self.random.once_in(3) {
            self.stay.push(client);
        } else {
            self.last = format!("{}: {}", self.book.name, client.sent.escape_ascii());
            drop(client);
            self.server.run();
        }
        self.good(tally);
    }

    /// When all have gone and all calls are over, everything is served.
    pub(crate) fn close(mut self) {
        for mut client in std::mem::take(&mut self.stay) {
            self.receive(&mut client);
            self.judge(&client, &mut BTreeMap::new());
        }
        self.server.run();
        self.server.advance(ALL_OVER_MS);
        for _ in 0..3 {
            assert_eq!(self.lists_tools(), Ok(()));
        }
        assert_eq!(PANICS.get(), 0, "something panicked");
    }

    fn connect(&mut self) -> Client {
        Client { connection: self.server.connect(), sent: vec![], received: vec![], gone: false }
    }

    // One of this book's requests, or of another's, with what only the server could tell filled in.
    fn request(&mut self) -> Vec<u8> {
        let books = self.books;
        let book = if self.random.once_in(4) { &books[self.random.below(books.len())] } else { self.book };
        let (text, how) = &book.requests[self.random.below(book.requests.len())];
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("$(") {
            let (name, behind) = after.split_once(')').expect("`$(` is closed by `)`");
            filled.push_str(before);
            let from = if name.contains("task") || self.random.once_in(8) { &self.words } else { &self.sessions };
            let known = if from.is_empty() { &self.sessions } else { from };
            filled.push_str(&known[self.random.below(known.len())]);
            rest = behind;
        }
        script::bytes(&(filled + rest), *how).0
    }

    // In pieces of some size, which may differ.
    fn feed(&mut self, client: &mut Client, bytes: &[u8]) {
        let size = [1, 7, 64, 1024, usize::MAX][self.random.below(5)];
        let mut rest = bytes;
        while !rest.is_empty() && !client.connection.is_closed() {
            let piece = if size == 1 { 1 } else { 1 + self.random.below(size.min(rest.len())) };
            let (now, later) = rest.split_at(if size == usize::MAX { rest.len() } else { piece });
            self.server.send(&client.connection, now);
            client.sent.extend_from_slice(now);
            rest = later;
        }
        self.receive(client);
    }

    fn receive(&mut self, client: &mut Client) {
        loop {
            let bytes = self.server.receive(&client.connection);
            if bytes.is_empty() {
                return;
            }
            client.received.extend(bytes);
        }
    }

    fn judge(&mut self, client: &Client, tally: &mut BTreeMap<String, u64>) {
        let Client { connection, sent, received, gone } = client;
        let told = || format!("server of {}.txt\n{}", self.book.name, shown(sent, received));
        assert_eq!(PANICS.get(), 0, "something panicked; {}", told());
        let talk = Talk { sent, received, closed: connection.is_closed(), gone: *gone };
        let Verdict { responses, reading } = talk.judge().unwrap_or_else(|why| panic!("{why}; {}", told()));
        let mut count = |what: &str| *tally.entry(what.to_owned()).or_default() += 1;
        for response in &responses {
            count(&response.status.to_string());
        }
        responses.iter().filter(|response| response.events).for_each(|_| count("events"));
        count(match reading.end {
            End::Doubt => "in doubt",
            _ if responses.len() == reading.requests => "served all",
            _ => "served some",
        });
    }

    // Ids of sessions, tasks and events, and whatever looks like one.
    fn learn(&mut self, received: &[u8]) {
        let text = String::from_utf8_lossy(received);
        let words = text.split(|char: char| !char.is_ascii_alphanumeric() && !"-_.".contains(char));
        for word in
            words.filter(|word| (16..200).contains(&word.len()) && word.bytes().any(|byte| byte.is_ascii_digit()))
        {
            if self.words.len() >= WORDS_MAX {
                self.words.remove(0);
            }
            self.words.push(word.to_owned());
        }
    }

    // A good request is answered at once. Where calls that wait for ever and clients who stopped in the middle of a body have taken
    // every buffer, it is answered as soon as one of the latter has lost its own; and when the calls are over, everything is served.
    fn good(&mut self, tally: &mut BTreeMap<String, u64>) {
        let (connection, mut answer) = self.modern("good", "server/discover");
        if answer.is_empty() {
            *tally.entry("late".to_owned()).or_default() += 1;
            self.server.advance(TRANSFER_PRESSED_MS + 2 * u64::from(TICK_MS));
            answer = String::from_utf8(self.server.receive(&connection)).unwrap();
        }
        let right = answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""id":"good","result":{"#);
        assert!(right, "a good request is not answered: {answer:?}; {} stay; the last: {}", self.stay.len(), self.last);
        drop(connection);
        if self.lists_tools().is_err() {
            self.stay.clear();
            self.server.advance(ALL_OVER_MS);
            assert_eq!(self.lists_tools(), Ok(()), "calls are over, and there is no room");
        }
    }

    fn lists_tools(&mut self) -> Result<(), String> {
        let (_, answer) = self.modern("list", "tools/list");
        let has_none = self.book.option("app") == Some("mute") && answer.contains("method not found");
        if has_none || answer.contains(r#""result":{"#) && answer.contains(r#""tools":["#) {
            Ok(())
        } else {
            Err(answer)
        }
    }

    fn modern(&mut self, id: &str, method: &str) -> (TestConnection, String) {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let body = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{{"_meta":{meta}}}}}"#);
        let headers = format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n");
        let request = self.post(&headers, &body);
        self.ask(&request)
    }

    fn post(&self, headers: &str, body: &str) -> Vec<u8> {
        let (token, length) = (self.token(), body.len());
        format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\n{token}Content-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    // The header with the token, where one is asked for.
    fn token(&self) -> String {
        self.book.token().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default()
    }

    fn ask(&mut self, request: &[u8]) -> (TestConnection, String) {
        let connection = self.server.connect();
        self.server.send(&connection, request);
        let answer = String::from_utf8(self.server.receive(&connection)).unwrap();
        (connection, answer)
    }
}

// Those of this thread, but for the tool and the check that are made to.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"on purpose") {
                PANICS.set(PANICS.get() + 1);
            }
            hook(info);
        }));
    });
    PANICS.set(0);
}
