//! Of which resources somebody would hear.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::json;
use smol_mcp::testing::TestServer;
use smol_mcp::{Config, ReadResult, Reading, Server, args, heapless, resources, tools};

use crate::support::wire;

#[test]
fn what_somebody_would_hear_of_is_told() {
    let server = Server::new("watched", "1", Watched).resources();
    let mut server = TestServer::new(server, Config::default()).unwrap();
    assert_eq!(watched(&mut server), [""; 0]);
    let listen = |uris: &[&str]| {
        wire::modern("l", "subscriptions/listen", json!({"notifications": {"resourceSubscriptions": uris}}))
    };
    let (one, two) = (server.connect(), server.connect());
    server.send(&one, listen(&["test://a", "test://b", "other://none"]).as_bytes());
    server.send(&two, listen(&["test://b", "test://%62"]).as_bytes());
    assert_eq!(watched(&mut server), ["test://%62", "test://a", "test://b"]);
    // A session that is subscribed, but has no stream, would hear of nothing now.
    let session = server.connect();
    server.send(&session, wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", "a session")).as_bytes());
    let answer = String::from_utf8(server.receive(&session)).unwrap();
    let id = answer.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).expect("a session id");
    let headers = [("Mcp-Session-Id", id), ("MCP-Protocol-Version", "2025-11-25")];
    let subscribe = wire::request(2, "resources/subscribe", &json!({"uri": "test://c"}));
    server.send(&session, wire::post_to("/mcp", &headers, &subscribe).as_bytes());
    assert!(!watched(&mut server).contains(&"test://c".to_owned()));
    let stream = server.connect();
    let get = wire::bare("GET", "/mcp", &[headers[0], headers[1], ("Accept", "text/event-stream")]);
    server.send(&stream, get.as_bytes());
    assert_eq!(watched(&mut server), ["test://%62", "test://a", "test://b", "test://c"]);
    for connection in [&one, &two, &stream] {
        connection.break_off();
    }
    server.run();
    assert_eq!(watched(&mut server), [""; 0]);
}

fn watched(server: &mut TestServer) -> Vec<String> {
    let handle = server.handle().clone();
    let mut asked = pin!(handle.watched_uris());
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(uris) = asked.as_mut().poll(&mut context) {
            let mut uris = uris.unwrap();
            uris.sort();
            return uris;
        }
        server.run();
    }
}

args! {
    struct Letter {
        /// Which.
        letter: heapless::String<1>,
    }
}

struct Watched;

tools! { impl Watched {} }

resources! {
    impl Watched {
        /// One of them.
        #[uri("test://{letter}")]
        async fn letter(&self, call: &mut Reading<'_>, args: Letter) -> ReadResult {
            call.text(&args.letter).await
        }
    }
}
