//! The server under the fuzzer: an application with one of everything, in little room; and those of the conversations (`talk`).

#[path = "../../tests/mutation/answers.rs"]
mod answers;
#[path = "../../tests/conversations/asking.rs"]
mod asking;
#[path = "../../tests/conversations/away.rs"]
mod away;
#[path = "../../tests/conversations/chores.rs"]
mod chores;
#[path = "../../tests/conversations/danger.rs"]
mod danger;
#[path = "../../tests/mutation/corpus.rs"]
mod corpus;
#[path = "../../tests/conversations/fixture.rs"]
mod fixture;
#[path = "../../tests/mutation/framing.rs"]
mod framing;
#[path = "../../tests/conversations/gate.rs"]
mod gate;
#[path = "../../tests/mutation/judge.rs"]
#[allow(dead_code)]
mod judge;
#[path = "../../tests/conversations/guarded.rs"]
mod guarded;
#[path = "../../tests/conversations/library.rs"]
mod library;
#[path = "../../tests/conversations/relay.rs"]
mod relay;
#[path = "../../tests/conversations/run.rs"]
#[allow(dead_code)]
mod run;
#[path = "../../tests/conversations/script.rs"]
#[allow(dead_code)]
mod script;
#[path = "../../tests/conversations/speaker.rs"]
mod speaker;
pub mod talk;
#[path = "../../tests/conversations/transcript.rs"]
#[allow(dead_code)]
mod transcript;

use std::cell::RefCell;

use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{
    Call, Completing, Config, PromptResult, Prompting, ReadResult, Reading, Server, ToolResult, args, prompts,
    resources, tools,
};

/// Inputs that one server takes, so that what one leaves behind meets the next; then a new one begins.
const INPUTS_PER_SERVER: u32 = 500;

args! {
    struct Everything {
        /// A text.
        #[len(0..=100)]
        text: String,
        /// A number.
        #[range(-10..=10)]
        number: Option<i32>,
        /// Some numbers.
        some: Option<Vec<f64>>,
        /// Yes or no.
        flag: Option<bool>,
    }

    struct Number {
        /// Which one.
        id: String,
    }
}

struct App;

tools! {
    impl App {
        /// Says it again.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Everything) -> ToolResult {
            call.progress(1.0, None, Some(&args.text)).await;
            call.print(format_args!("{} {:?} {:?} {:?}", args.text, args.number, args.some, args.flag)).await;
            call.done().await
        }
    }
}

resources! {
    impl App {
        /// A text.
        #[uri("test://text")]
        #[mime("text/plain")]
        async fn text(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("a text").await
        }

        /// One of many.
        #[uri("test://many/{id}")]
        #[mime("text/plain")]
        #[complete(ids)]
        async fn many(&self, call: &mut Reading<'_>, args: Number) -> ReadResult {
            call.text(&args.id).await
        }
    }
}

prompts! {
    impl App {
        /// A prompt.
        async fn ask(&self, call: &mut Prompting<'_>, args: Number) -> PromptResult {
            call.text(&args.id).await
        }
    }
}

impl App {
    async fn ids(&self, call: &mut Completing<'_>) {
        call.offer("one").await;
    }
}

/// A server, and how many inputs it has taken.
struct Running {
    server: TestServer,
    session: String,
    inputs: u32,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Gives `then` a server, the id of a session on it, and a connection; then asks for a good answer on another one.
pub fn with_server(then: impl FnOnce(&mut TestServer, &str, &TestConnection)) {
    RUNNING.with_borrow_mut(|running| {
        let mut now = running.take().filter(|now| now.inputs < INPUTS_PER_SERVER).unwrap_or_else(start);
        now.inputs += 1;
        let connection = now.server.connect();
        then(&mut now.server, &now.session, &connection);
        drop(now.server.receive(&connection));
        drop(connection);
        now.server.run();
        let answer = now.server.call_tool("echo", r#"{"text":"still here"}"#);
        assert!(answer.contains("still here"), "{answer:?}");
        *running = Some(now);
    });
}

fn start() -> Running {
    let config = Config::new().connections(6).calls(2).streams(2).sessions(4).body_bytes(4096);
    let mut server = TestServer::new(Server::new("fuzz", "1", App).resources().prompts(), config).unwrap();
    let connection = server.connect();
    let body = concat!(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26","#,
        r#""capabilities":{"sampling":{},"elicitation":{},"roots":{}},"clientInfo":{"name":"fuzz","version":"1"}}}"#
    );
    server.send(&connection, post("", body.as_bytes()).as_slice());
    let answer = String::from_utf8(server.receive(&connection)).unwrap().to_lowercase();
    let id = answer.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
    // The id as it was, not in lower case.
    let session = id.expect("a session").len();
    drop(connection);
    let connection = server.connect();
    server.send(&connection, post("", body.as_bytes()).as_slice());
    let answer = String::from_utf8(server.receive(&connection)).unwrap();
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("mcp-session-id: ")).unwrap();
    let session = line[line.len() - session..].to_owned();
    Running { server, session, inputs: 0 }
}

/// A POST of this body, with these header lines beside those that every client sends.
pub fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
