//! The bridge from the crate `log` to the clients: what is told, what is not, and what happens when too much is said.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{ClientLogger, Config, Server, tools};

struct Nothing;

tools! { impl Nothing {} }

/// A server, and a client's stream of it.
fn listening() -> (TestServer, TestConnection) {
    let mut server = TestServer::new(Server::new("test", "1", Nothing), Config::default()).unwrap();
    let connection = server.connect();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    let post = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    server.send(&connection, format!("{post}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let answer = String::from_utf8(server.receive(&connection)).unwrap();
    let id = answer.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).unwrap().to_owned();
    let stream = server.connect();
    let get = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream";
    server.send(&stream, format!("{get}\r\nMcp-Session-Id: {id}\r\n\r\n").as_bytes());
    server.receive(&stream);
    (server, stream)
}

fn say(logger: &dyn Log, level: Level, target: &str, text: fmt::Arguments<'_>) {
    logger.log(&Record::builder().level(level).target(target).args(text).build());
}

/// The params of the messages that came.
fn heard(server: &mut TestServer, stream: &TestConnection) -> Vec<serde_json::Value> {
    server.run();
    let text = String::from_utf8(server.receive(stream)).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str::<serde_json::Value>(data).unwrap()["params"].take()).collect()
}

/// Another logger, which keeps what it is given.
struct Keeper(Arc<Mutex<Vec<String>>>);

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "odd"
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {
        self.0.lock().unwrap().push("flushed".to_owned());
    }
}

#[test]
fn records_are_told_by_level_and_target() {
    let (mut server, stream) = listening();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let logger = ClientLogger::new(server.handle().clone(), LevelFilter::Info).beside(Box::new(Keeper(kept.clone())));
    for level in [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace] {
        say(&logger, level, "app::part", format_args!("{level} \"x\"\n"));
    }
    for own in ["smol_mcp", "smol_mcp::server::core", "async_io::driver", "polling", "smol", "async_channel"] {
        say(&logger, Level::Error, own, format_args!("own"));
    }
    say(&logger, Level::Error, "smol_mcp_app", format_args!("another's"));
    logger.flush();
    let expected = [
        ("error", "app::part", "ERROR \"x\"\n"),
        ("warning", "app::part", "WARN \"x\"\n"),
        ("info", "app::part", "INFO \"x\"\n"),
        ("error", "smol_mcp_app", "another's"),
    ];
    let expected =
        expected.map(|(level, logger, data)| serde_json::json!({"level": level, "logger": logger, "data": data}));
    assert_eq!(heard(&mut server, &stream), expected);
    assert_eq!((kept.lock().unwrap().len(), logger.dropped()), (13, 0));
    let enabled = |level, target| logger.enabled(&Metadata::builder().level(level).target(target).build());
    assert!(enabled(Level::Info, "app") && !enabled(Level::Debug, "app") && !enabled(Level::Error, "smol_mcp::x"));
    assert!(enabled(Level::Trace, "odd"));
}

#[test]
fn a_flood_is_dropped_and_counted_and_leaves_room() {
    let (mut server, stream) = listening();
    let logger = ClientLogger::new(server.handle().clone(), LevelFilter::Trace);
    for number in 0..100 {
        say(&logger, Level::Info, "app", format_args!("{number}"));
    }
    assert_eq!(logger.dropped(), 68);
    // The application can still say something.
    server.handle().resource_updated("a://b").unwrap();
    let heard = heard(&mut server, &stream);
    assert_eq!(heard.len(), 32);
    assert_eq!(heard[31]["data"], "31");
    say(&logger, Level::Info, "app", format_args!("later"));
    assert_eq!(self::heard(&mut server, &stream)[0]["data"], "later");
    server.handle().shutdown();
    server.advance(3000);
    say(&logger, Level::Info, "app", format_args!("to nobody"));
    assert_eq!(logger.dropped(), 69);
}

#[test]
fn long_records_are_cut_between_characters() {
    let (mut server, stream) = listening();
    let logger = ClientLogger::new(server.handle().clone(), LevelFilter::Trace);
    say(&logger, Level::Info, "app", format_args!("{}{}", "é".repeat(511), "xé".repeat(100)));
    assert_eq!(heard(&mut server, &stream)[0]["data"], format!("{}x", "é".repeat(511)));
    say(&logger, Level::Info, &"t".repeat(6000), format_args!("a long target"));
    assert_eq!(logger.dropped(), 1);
}

static LOGGER: OnceLock<ClientLogger> = OnceLock::new();

/// Logs while it is shown, or panics.
struct Loud(bool);

impl fmt::Display for Loud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!self.0, "on purpose");
        say(LOGGER.get().unwrap(), Level::Error, "app", format_args!("within"));
        f.write_str("loud")
    }
}

#[test]
fn what_a_record_causes_is_not_told() {
    let (mut server, stream) = listening();
    let logger = LOGGER.get_or_init(|| ClientLogger::new(server.handle().clone(), LevelFilter::Trace));
    say(logger, Level::Info, "app", format_args!("{}", Loud(false)));
    let broken = AssertUnwindSafe(|| say(logger, Level::Info, "app", format_args!("{}", Loud(true))));
    assert!(catch_unwind(broken).is_err());
    say(logger, Level::Info, "app", format_args!("afterwards"));
    let heard: Vec<_> = heard(&mut server, &stream).into_iter().map(|mut params| params["data"].take()).collect();
    assert_eq!(heard, ["loud", "afterwards"]);
}
