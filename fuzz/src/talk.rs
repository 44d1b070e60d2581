//! A talk of a few clients with a server, as bytes that a fuzzer can change: which server of the conversations it is, then steps.
//!
//! ```text
//! BOOK (0xFF STEP BYTES)*
//! ```
//! STEP: the low three bits say what is done, the next two on which connection, the last three how much.
//! 0xFE in BYTES stands for the id of the session that was opened last.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use smol_mcp::limits::AUTHORIZE_TIMEOUT_MS;
use smol_mcp::testing::{TestConnection, TestServer};

use crate::corpus::{self, Book, UNIX_S};
use crate::judge::{Talk, shown};
use crate::run;
use crate::script::{self, What, expand};

/// Separates the steps; no byte of HTTP's heads or of UTF-8.
const NEXT: u8 = 0xff;
/// Stands for a session's id.
const SESSION: u8 = 0xfe;
/// Connections at once: fewer than the smallest server has.
const CLIENTS: usize = 3;
/// More steps tell nothing more.
const STEPS_MAX: usize = 64;
/// Calls, questions and tasks are over by then, in these servers.
const ALL_OVER_MS: u64 = corpus::ALL_OVER_MS;

#[derive(Default)]
struct Client {
    connection: Option<TestConnection>,
    sent: Vec<u8>,
    received: Vec<u8>,
    gone: bool,
}

/// Holds a talk; what must hold of any is asserted.
pub fn hold(data: &[u8]) {
    let mut steps = data.split(|byte| *byte == NEXT);
    let Some(&[book, ..]) = steps.next() else { return };
    let book = &books()[usize::from(book) % books().len()];
    let mut server = run::start(&book.script);
    server.set_unix_time(UNIX_S);
    let mut clients: [Client; CLIENTS] = Default::default();
    let mut session = Vec::new();
    for step in steps.take(STEPS_MAX) {
        let Some((&code, bytes)) = step.split_first() else { continue };
        let client = &mut clients[usize::from(code >> 3 & 3) % CLIENTS];
        take(&mut server, client, code, bytes, &session);
        for client in &mut clients {
            client.receive(&mut server);
            if let Some(id) = session_id(&client.received) {
                session = id;
            }
        }
    }
    if book.option("app") == Some("checked") {
        // A check that does not answer holds what comes behind it, for a time.
        server.advance(AUTHORIZE_TIMEOUT_MS + 500);
        clients.iter_mut().for_each(|client| client.receive(&mut server));
    }
    clients.iter_mut().for_each(Client::end);
    drop(clients);
    server.run();
    server.advance(ALL_OVER_MS);
    good(&mut server, book);
}

fn take(server: &mut TestServer, client: &mut Client, code: u8, bytes: &[u8], session: &[u8]) {
    let much = usize::from(code >> 5) + 1;
    match code & 7 {
        5 => server.advance(much as u64 * 700),
        6 if much < 4 => client.end(),
        6 => {
            if let Some(connection) = &client.connection {
                if much < 6 {
                    connection.half_close()
                } else {
                    connection.break_off()
                }
                client.gone = true;
                server.run();
            }
        }
        7 => server.handle().tools_changed(),
        way => {
            let bytes: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| if *byte == SESSION { session } else { std::slice::from_ref(byte) })
                .copied()
                .collect();
            let size = if way < 3 { bytes.len().max(1) } else { much * much };
            let connection = client.connection.get_or_insert_with(|| server.connect());
            for piece in bytes.chunks(size) {
                if connection.is_closed() || client.gone {
                    break;
                }
                server.send(connection, piece);
                client.sent.extend_from_slice(piece);
            }
        }
    }
}

impl Client {
    fn receive(&mut self, server: &mut TestServer) {
        let Some(connection) = &self.connection else { return };
        loop {
            let bytes = server.receive(connection);
            if bytes.is_empty() {
                return;
            }
            self.received.extend(bytes);
        }
    }

    // It goes, and what was said is judged.
    fn end(&mut self) {
        let Self { connection, sent, received, gone } = std::mem::take(self);
        let Some(connection) = connection else { return };
        let talk = Talk { sent: &sent, received: &received, closed: connection.is_closed(), gone };
        if let Err(why) = talk.judge() {
            panic!("{why}\n{}", shown(&sent, &received));
        }
    }
}

// All have gone, and all is over: a good request is answered.
fn good(server: &mut TestServer, book: &Book) {
    let token = book.token().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = concat!(
        r#"{"jsonrpc":"2.0","id":"good","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/"#,
        r#"protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
    );
    let headers = format!("{token}MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\n");
    let connection = server.connect();
    server.send(&connection, &crate::post(&headers, body.as_bytes()));
    let answer = String::from_utf8(server.receive(&connection)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""id":"good","result""#), "{answer:?}");
}

fn session_id(received: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(received);
    let line = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("Mcp-Session-Id: ").or(Some(line.split_once("?sessionId=")?.1)));
    line.map(|id| id.as_bytes().to_vec())
}

fn books() -> &'static [Book] {
    static BOOKS: OnceLock<Vec<Book>> = OnceLock::new();
    BOOKS.get_or_init(|| {
        std::panic::set_hook(Box::new(|info| {
            // A panic in a tool is caught by the server: only the one that is made on purpose may be.
            if info.payload().downcast_ref() != Some(&"on purpose") {
                eprintln!("{info}");
                std::process::abort();
            }
        }));
        corpus::books(project())
    })
}

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Writes what the fuzzer begins with: the conversations, as talks, and their requests and bodies.
///
/// # Errors
/// A file can't be written.
pub fn write_seeds(folder: &Path) -> std::io::Result<usize> {
    let place = |target: &str| -> std::io::Result<PathBuf> {
        let place = folder.join(target);
        std::fs::create_dir_all(&place)?;
        Ok(place)
    };
    let (talks, wires, messages) = (place("endpoint")?, place("wire")?, place("message")?);
    let mut written = 0;
    let books = books();
    for (index, book) in books.iter().enumerate() {
        for (number, section) in book.script.sections.iter().enumerate() {
            let name = format!("{}-{number}", book.name);
            std::fs::write(talks.join(&name), talk(index, book, section))?;
            written += 1;
        }
        for (number, (text, how)) in book.requests.iter().enumerate() {
            let (bytes, _) = script::bytes(&placeholders(text), *how);
            let name = format!("{}-{number}", book.name);
            std::fs::write(wires.join(&name), [&[255], &bytes[..]].concat())?;
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                std::fs::write(messages.join(&name), &bytes[end + 4..])?;
            }
            written += 2;
        }
    }
    Ok(written)
}

// A conversation, as bytes.
fn talk(book: usize, of: &Book, section: &script::Section) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(book).expect("few")];
    let (mut names, mut who_is) = (of.script.names.clone(), Vec::<String>::new());
    for step in &section.steps {
        let mut number = |who: &str| {
            let at = who_is.iter().position(|known| known == who).unwrap_or_else(|| {
                who_is.push(who.to_owned());
                who_is.len() - 1
            });
            u8::try_from(at % CLIENTS).expect("few") << 3
        };
        match &step.what {
            What::Let(name) => drop(names.insert(name.clone(), expand(&step.text, &names))),
            What::Send { who, how } => {
                let text = placeholders(&expand(&step.text, &names));
                let (sent, _) = script::bytes(&text, *how);
                // The one byte that stands for an id had to be two in a text.
                let sent = String::from_utf8_lossy(&sent).replace('\u{fe}', "\u{0}");
                bytes.extend([NEXT, number(who)]);
                bytes.extend(sent.bytes().map(|byte| if byte == 0 { SESSION } else { byte }));
            }
            What::Advance(milliseconds) => {
                let much = u8::try_from((milliseconds / 700).clamp(1, 8) - 1).expect("clamped");
                bytes.extend([NEXT, much << 5 | 5]);
            }
            What::HalfClose(who) => bytes.extend([NEXT, number(who) | 4 << 5 | 6]),
            What::Break(who) => bytes.extend([NEXT, number(who) | 6 << 5 | 6]),
            What::ToolsChanged => bytes.extend([NEXT, 7]),
            _ => {}
        }
    }
    bytes
}

// What was learned from an answer becomes the session's id.
fn placeholders(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(") {
        let (_, behind) = after.split_once(')').expect("`$(` is closed by `)`");
        filled.push_str(before);
        filled.push('\u{fe}');
        rest = behind;
    }
    filled + rest
}
