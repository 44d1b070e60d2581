//! What the log is told: a line for each kind of event, and how many were left out.

use std::sync::{Mutex, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};
use smol_mcp::Config;

use crate::{House, wire};

/// Keeps what this test's thread logs.
struct Keeper;

static KEPT: OnceLock<Mutex<Vec<(std::thread::ThreadId, Level, String)>>> = OnceLock::new();

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        let line = (std::thread::current().id(), record.level(), record.args().to_string());
        if self.enabled(record.metadata()) {
            KEPT.get_or_init(Mutex::default).lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

fn lines() -> Vec<(Level, String)> {
    let me = std::thread::current().id();
    let kept = std::mem::take(&mut *KEPT.get_or_init(Mutex::default).lock().unwrap());
    kept.into_iter().filter(|(thread, ..)| *thread == me).map(|(_, level, line)| (level, line)).collect()
}

#[test]
fn one_line_of_each_kind_in_ten_seconds() {
    static LOGGER: Keeper = Keeper;
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Info);
    let mut house = House::new(Config::new().connections(3).streams(1).trusted_proxy("10.0.0.1"));
    let foreign = wire::echo("x").replacen("localhost", "evil.example", 1);
    for _ in 0..5 {
        let peer = house.send_from("192.0.2.7", &foreign);
        assert_eq!(crate::status(&house.text(&peer)), 403);
    }
    house.server.advance(12_000);
    let _stream = house.send(&wire::listen("a", "l"));
    let named = wire::listen("a", "l").replacen("\r\n\r\n", "\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n", 1);
    for _ in 0..3 {
        let late = house.send_from("10.0.0.1", &named);
        assert_eq!(crate::status(&house.text(&late)), 503);
    }
    let peer = house.send_from("192.0.2.7", &foreign);
    assert_eq!(crate::status(&house.text(&peer)), 403);
    // Nothing follows on the streams: what was left out is told when it is over.
    house.server.advance(25_000);
    let lines = lines();
    let shown: Vec<String> = lines.iter().map(|(level, line)| format!("{level} {line}")).collect();
    assert_eq!(shown.len(), 5, "{shown:#?}");
    assert!(shown[0].starts_with("INFO 192.0.2.7 is refused: ") && shown[0].contains("evil.example"), "{shown:#?}");
    assert!(!shown[0].contains("more in the last"), "{shown:#?}");
    assert_eq!(shown[1], "INFO client 1 came: \"a\", 2026-07-28, from 127.0.0.1");
    assert_eq!(shown[2], "WARN 203.0.113.5 is refused: all streams of this server are taken");
    assert!(shown[3].ends_with(" (4 more in the last 12 s)"), "{shown:#?}");
    assert_eq!(shown[4], "WARN streams refused, as all are taken: 2 more in the last 20 s");
}
