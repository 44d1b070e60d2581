//! Handlers that stop waiting while the beginning of their result is written: what the client gets is JSON all the same.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use serde_json::{Value, json};
use smol::future::{or, ready, yield_now};
use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Elicited, Server, ToolResult, args, tools};

args! {
    struct Length {
        bytes: u32,
    }

    struct Name {
        name: String,
    }

    struct Question {
        /// How it comes to be put.
        behind: Behind,
    }

    enum Behind {
        /// Behind nothing.
        Nothing,
        /// Behind a text that was given up.
        GivenUp,
        /// Behind some text.
        Text,
        /// The same, before that a notification is on its way.
        TextAndProgress,
    }

    struct Hurry {
        bytes: u32,
        /// When it gives up.
        fails: bool,
    }
}

struct App;

tools! {
    impl App {
        /// Fills the buffer.
        #[read_only]
        async fn fill(&self, call: &mut Call<'_>, args: Length) -> ToolResult {
            call.text(&"f".repeat(args.bytes as usize)).await
        }

        /// Gives up unless it can write at once.
        #[read_only]
        async fn hurry(&self, call: &mut Call<'_>, args: Hurry) -> ToolResult {
            let text = "y".repeat(args.bytes as usize);
            {
                let mut written = pin!(call.text(&text));
                if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(written.as_mut().poll(cx))).await {
                    return result;
                }
            }
            if args.fails { Err("gave up".into()) } else { call.text("gave up").await }
        }

        /// Asks, and does not wait for it.
        #[read_only]
        async fn question(&self, call: &mut Call<'_>, args: Question) -> ToolResult {
            match args.behind {
                Behind::Nothing => _ = call.progress(0.5, None, None).await,
                Behind::GivenUp => {
                    call.progress(0.5, None, None).await;
                    or(async { _ = call.text("a").await }, ready(())).await;
                }
                Behind::Text => call.write("a").await,
                Behind::TextAndProgress => {
                    call.write("a").await;
                    call.progress(0.5, None, None).await;
                }
            }
            if !matches!(args.behind, Behind::TextAndProgress) {
                for _ in 0..100 {
                    yield_now().await;
                }
            }
            or(async { _ = call.elicit::<Name>("k", "Who?").await.map(Elicited::accepted) }, ready(())).await;
            call.text("b").await
        }
    }
}

fn call(id: u32, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

/// The bytes of all chunks, or what stands behind the head; `None` where the end is missing.
fn body(answer: &str) -> Option<String> {
    let (head, mut rest) = answer.split_once("\r\n\r\n")?;
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Some(rest.to_owned());
    }
    let mut whole = String::new();
    loop {
        let (size, behind) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return Some(whole);
        }
        whole += behind.get(..size)?;
        rest = behind.get(size + 2..)?;
    }
}

#[test]
fn who_gives_up_at_the_beginning_leaves_nothing_of_it() {
    let _alone = super::alone();
    let (mut gave_up, mut broke_off) = (0, 0);
    for fails in [false, true] {
        for bytes in (11_000..13_400).step_by(20) {
            let mut server = TestServer::new(Server::new("torn", "1", App), Config::new()).unwrap();
            let client = server.connect();
            let mut ask = |session: &str, body: &str| {
                let head =
                    "Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream";
                let length = body.len();
                let request =
                    format!("POST /mcp HTTP/1.1\r\n{head}\r\n{session}Content-Length: {length}\r\n\r\n{body}");
                server.send(&client, request.as_bytes());
                let mut answer = Vec::new();
                for _ in 0..20 {
                    server.run();
                    answer.extend(server.receive(&client));
                }
                String::from_utf8(answer).unwrap()
            };
            let info = json!({ "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
            let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info }).to_string();
            let id = session_of(&ask("", &hello)).expect("a session");
            let batch = json!([
                call(2, "fill", &json!({ "bytes": bytes })),
                call(3, "hurry", &json!({ "bytes": 400, "fails": fails }))
            ])
            .to_string();
            let answer = ask(&format!("Mcp-Session-Id: {id}\r\n"), &batch);
            let Some(body) = body(&answer) else {
                broke_off += 1;
                continue;
            };
            let results: Value =
                serde_json::from_str(&body).unwrap_or_else(|error| panic!("{fails}, {bytes}: {error}: {answer}"));
            assert_eq!(results.as_array().map(Vec::len), Some(2), "{fails}, {bytes}");
            let text = results[1]["result"]["content"][0]["text"].as_str().unwrap_or_default();
            gave_up += usize::from(text.ends_with("gave up"));
            assert!(text == "gave up" || text == "y".repeat(400), "{fails}, {bytes}: {text}");
        }
    }
    // It tells something only where some had to give up.
    assert!(gave_up + broke_off > 10, "{gave_up}, {broke_off}");
}

#[test]
fn who_gives_up_a_question_gets_one_answer_or_the_other() {
    let _alone = super::alone();
    let asks = [("nothing", true), ("given_up", true), ("text", true), ("text_and_progress", false)];
    for (behind, is_asked) in asks {
        let mut server = TestServer::new(Server::new("torn", "1", App), Config::new()).unwrap();
        let client = server.connect();
        let meta = json!({
            "progressToken": 1,
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "c", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        });
        let mut body = call(1, "question", &json!({ "behind": behind }));
        body["params"]["_meta"] = meta;
        let body = body.to_string();
        let head = "Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream";
        let modern = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: question";
        let length = body.len();
        let request = format!("POST /mcp HTTP/1.1\r\n{head}\r\n{modern}\r\nContent-Length: {length}\r\n\r\n{body}");
        server.send(&client, request.as_bytes());
        let mut answer = Vec::new();
        for _ in 0..200 {
            server.run();
            answer.extend(server.receive(&client));
        }
        let answer = String::from_utf8(answer).unwrap();
        let mut messages = answer.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
        let last = messages.rfind(|line| line.starts_with('{')).unwrap_or_default();
        let last: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{behind}: {error}: {answer}"));
        let result = &last["result"];
        assert_eq!(result["resultType"] == "input_required", is_asked, "{behind}: {answer}");
        assert!(is_asked || result["content"][0]["text"] == "ab", "{behind}: {answer}");
    }
}

/// The id of the session, as it was written.
fn session_of(answer: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("mcp-session-id:"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
