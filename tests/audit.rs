//! The audit ring as the program sees it: what is kept, in which order, and how much.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use smol_mcp::limits::{AUDIT_ENTRIES_MAX, AUDIT_ENTRIES_MIN};
use smol_mcp::testing::TestServer;
use smol_mcp::{
    AuditEntry, AuditOutcome, Call, Config, ReadResult, Reading, Server, Token, ToolResult, resources, tools,
};

struct App;

tools! {
    impl App {
        /// Does it.
        #[idempotent]
        async fn act(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("done").await
        }

        /// Never does it.
        #[idempotent]
        async fn wait(&self, _call: &mut Call<'_>) -> ToolResult {
            std::future::pending().await
        }
    }
}

resources! {
    impl App {
        /// What has the name that the server's own has.
        #[uri("smol-mcp://{name}")]
        async fn taken(&self, call: &mut Reading<'_>, args: Name) -> ReadResult {
            call.text(&args.name).await
        }
    }
}

smol_mcp::args! {
    struct Name {
        /// Any.
        name: String,
    }
}

fn audit(server: &mut TestServer, most: usize) -> Vec<AuditEntry> {
    let handle = server.handle().clone();
    let mut asked = pin!(handle.audit(most));
    loop {
        if let Poll::Ready(entries) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return entries.unwrap();
        }
        server.run();
    }
}

fn start(config: Config) -> TestServer {
    TestServer::new(Server::new("audit", "1", App), config).unwrap()
}

#[test]
fn the_program_reads_it_newest_first() {
    let mut server = start(Config::new().audit(8).tool_timeout_ms(2_000));
    server.call_tool("act", "{}");
    server.advance(1_000);
    server.call_tool("act", r#"{"surplus":1}"#);
    assert!(server.call_tool("wait", "{}").is_empty());
    server.run();
    let entries = audit(&mut server, 100);
    let told: Vec<_> = entries.iter().map(|entry| (entry.number(), entry.target(), entry.outcome())).collect();
    assert_eq!(
        told,
        [(3, "wait", AuditOutcome::Abandoned), (2, "act", AuditOutcome::Failed), (1, "act", AuditOutcome::Finished)]
    );
    let first = entries.last().unwrap();
    assert_eq!((first.who(), first.method(), first.uptime_ms(), first.took_ms()), (None, "tools/call", 0, 0));
    assert_eq!((first.address(), first.unix_s(), first.times()), (Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), None, 1));
    assert_eq!(audit(&mut server, 1).len(), 1);
    assert!(audit(&mut server, 0).is_empty());
}

#[test]
fn how_long_it_took_and_that_it_was_too_long() {
    let mut server = start(Config::new().audit(8).tool_timeout_ms(2_000).access(Token::new("t").name("kitchen")));
    let connection = server.connect();
    let meta =
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"wait","_meta":{{{meta}}}}}}}"#);
    let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer t\r\n\
                MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: wait\r\n";
    server.send(&connection, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    server.advance(5_000);
    let entries = audit(&mut server, 10);
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].who(), entries[0].outcome()), (Some("kitchen"), AuditOutcome::TimedOut));
    assert!((2_000..3_000).contains(&entries[0].took_ms()), "{entries:?}");
}

#[test]
fn none_is_kept_where_it_is_not_asked_for() {
    let mut server = start(Config::new());
    server.call_tool("act", "{}");
    assert!(audit(&mut server, 10).is_empty());
    assert!(server.read_resource("smol-mcp://audit").contains("-32601"), "there are no resources");
}

#[test]
fn a_large_one_is_read_whole() {
    // Several times what a buffer holds.
    const ENTRIES: usize = 600;
    let mut server = start(Config::new().audit(ENTRIES));
    for _ in 0..ENTRIES {
        let told = server.call_tool("act", "{}");
        assert!(told.contains("done"), "{told}");
    }
    let kept = ENTRIES / 4 * 3;
    assert_eq!(audit(&mut server, usize::MAX).len(), kept);
    let read = joined(&server.read_resource("smol-mcp://audit"));
    assert_eq!(read.matches(r#"\"outcome\":\"finished\""#).count(), kept);
}

// What was sent in chunks (RFC 9112, section 7.1), as one text.
fn joined(mut chunks: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let (chunk, rest) = rest.split_at(usize::from_str_radix(size, 16).unwrap());
        text.push_str(chunk);
        chunks = &rest[2..];
    }
    text
}

#[test]
fn what_can_not_be_does_not_start() {
    for entries in [0, AUDIT_ENTRIES_MIN - 1, AUDIT_ENTRIES_MAX + 1, usize::MAX] {
        let told = TestServer::new(Server::new("audit", "1", App), Config::new().audit(entries)).err().unwrap();
        assert_eq!(told.to_string(), format!("audit: expected 4 to 4096 entries, got {entries}"));
    }
    let told = TestServer::new(Server::new("audit", "1", App).resources(), Config::new().audit(8)).err().unwrap();
    let expected = r#"audit: smol-mcp://audit is a resource of the application already, by "smol-mcp://{name}""#;
    assert_eq!(told.to_string(), expected);
}
