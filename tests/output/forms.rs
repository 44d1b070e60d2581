//! The ways in which an answer goes out: by revision, and by framing.

use serde_json::{Value, json};

use crate::app::Running;
use crate::check::Message;
use crate::slow::Slow;
use crate::support::client::Client;
use crate::support::wire;

/// How a request is sent, and its answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 2024-11-05: by the session's stream.
    HttpSse,
    /// A revision with sessions, as JSON.
    Json(&'static str),
    /// The same, as an event stream.
    Events(&'static str),
    /// 2025-03-26: twice, in an array.
    Batch,
    /// 2026-07-28, as JSON.
    Modern,
    /// The same, as an event stream.
    ModernEvents,
    /// The same, by HTTP/1.0.
    Http10,
    /// The same, as an event stream.
    Http10Events,
}

/// All of them.
pub(crate) const FORMS: [Form; 12] = [
    Form::HttpSse,
    Form::Json("2025-03-26"),
    Form::Json("2025-06-18"),
    Form::Json("2025-11-25"),
    Form::Events("2025-03-26"),
    Form::Events("2025-06-18"),
    Form::Events("2025-11-25"),
    Form::Batch,
    Form::Modern,
    Form::ModernEvents,
    Form::Http10,
    Form::Http10Events,
];

/// The id of every request here.
const ID: u64 = 7;

impl Form {
    /// The answer comes as an event.
    pub(crate) fn is_events(self) -> bool {
        matches!(self, Form::HttpSse | Form::Events(_) | Form::ModernEvents | Form::Http10Events)
    }

    /// Asks, reads slowly, and gives the answers: one, but for the array.
    pub(crate) fn ask(
        self,
        server: &Running,
        method: &str,
        params: &Value,
        pause: &mut dyn FnMut(usize),
    ) -> (Vec<Value>, Vec<usize>) {
        let mut params = params.clone();
        if self.is_events() {
            params["_meta"] = json!({"progressToken": "p"});
        }
        let message = match self {
            Form::HttpSse => http_sse(server, method, &params, pause),
            Form::Json(revision) | Form::Events(revision) => {
                let session = server.connect().initialize(revision, "a session");
                let request = session.post(&wire::request(ID, method, &params));
                self.exchange(server, &request, pause)
            }
            Form::Batch => {
                let session = server.connect().initialize("2025-03-26", "a batch");
                let each = wire::request(ID, method, &params);
                self.exchange(server, &session.post(&format!("[{each},{each}]")), pause)
            }
            Form::Modern | Form::ModernEvents => self.exchange(server, &modern(method, params), pause),
            Form::Http10 | Form::Http10Events => {
                let request = modern(method, params).replacen("HTTP/1.1", "HTTP/1.0", 1);
                self.exchange(server, &request, pause)
            }
        };
        let Message { rest, long } = message;
        let answers = if let Value::Array(answers) = rest { answers } else { vec![rest] };
        assert_eq!(answers.len(), if self == Form::Batch { 2 } else { 1 });
        for answer in &answers {
            assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(ID)), "{answer}");
        }
        (answers, long)
    }

    fn exchange(self, server: &Running, request: &str, pause: &mut dyn FnMut(usize)) -> Message {
        let mut slow = Slow::connect(server.address(), pause);
        slow.send(request);
        let head = slow.head();
        assert_eq!(head.status, 200, "{head:?}");
        if !self.is_events() {
            assert_eq!(head.get("content-type"), Some("application/json"), "{self:?}: {head:?}");
            return slow.json(&head);
        }
        slow.events(&head, is_answer).0
    }
}

fn is_answer(message: &Message) -> bool {
    message.rest["id"] == ID
}

fn http_sse(server: &Running, method: &str, params: &Value, pause: &mut dyn FnMut(usize)) -> Message {
    let mut slow = Slow::connect(server.address(), pause);
    slow.send(&wire::get_http_sse());
    let head = slow.head();
    assert_eq!(head.status, 200, "{head:?}");
    let mut path = String::new();
    slow.body(&head, |some| {
        path.push_str(str::from_utf8(some).unwrap());
        path.ends_with("\n\n")
    });
    let path = path.lines().find_map(|line| line.strip_prefix("data: ")).expect("the endpoint event").to_owned();
    let mut client = server.connect();
    let mut post = |body: &str| assert_eq!(client.ask(&wire::post_to(&path, &[], body)).status, 202);
    post(&wire::initialize("2024-11-05", "old"));
    slow.events(&head, |message| message.rest["id"] == "init");
    post(&wire::request(ID, method, params));
    slow.events(&head, is_answer).0
}

fn modern(method: &str, mut params: Value) -> String {
    let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(wire::MODERN);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let mut headers = vec![("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method)];
    headers.extend(name.as_deref().map(|name| ("Mcp-Name", name)));
    wire::post_to("/mcp", &headers, &wire::request(ID, method, &params))
}

/// A whole request of 2026-07-28 for this tool.
pub(crate) fn call(tool: &str, arguments: &Value) -> String {
    modern("tools/call", json!({"name": tool, "arguments": arguments}))
}

/// It serves somebody else.
pub(crate) fn must_serve(client: &mut Client) {
    let answer = client.ask(&call("echo", &json!({"text": "still there?"})));
    assert_eq!((answer.status, answer.text().as_str()), (200, "still there?"));
}
