//! The rates at which patience ends, by a clock of the test's own.

use std::collections::VecDeque;

use serde_json::json;
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Config, Server};

use crate::house::App;
use crate::support::wire;

/// Milliseconds between two steps of whoever is slow.
const STEP_MS: u64 = 100;

struct Siege {
    server: TestServer,
    slow: TestConnection,
    /// Those that wait for the one buffer, where somebody does: each is told at once that it can't have the reserve.
    waiting: Option<VecDeque<TestConnection>>,
}

impl Siege {
    fn new(first: &str, pressed: bool) -> Self {
        let config = Config::new().connections(16).calls(1);
        let mut server = TestServer::new(Server::new("rates", "1", App), config).unwrap();
        let slow = server.connect();
        slow.set_room(0);
        server.send(&slow, first.as_bytes());
        Self { server, slow, waiting: pressed.then(VecDeque::new) }
    }

    // How long it keeps its buffer while it moves so many bytes in each step, in milliseconds; not longer than `most_ms`.
    fn lasts_ms(&mut self, most_ms: u64, mut step: impl FnMut(&mut TestServer, &TestConnection)) -> u64 {
        for now_ms in (0..most_ms).step_by(usize::try_from(STEP_MS).unwrap()) {
            if self.slow.is_closed() {
                return now_ms;
            }
            step(&mut self.server, &self.slow);
            if let Some(waiting) = &mut self.waiting {
                // Two wait at a time, and none for as long as it would be given the reserve.
                let newcomer = self.server.connect();
                self.server.send(&newcomer, wire::echo("next").as_bytes());
                waiting.push_back(newcomer);
                if waiting.len() > 2 {
                    waiting.pop_front();
                }
            }
            self.server.advance(STEP_MS);
        }
        most_ms
    }
}

fn reader_lasts_ms(bytes_per_s: usize, pressed: bool, most_ms: u64) -> u64 {
    let mut slow = Siege::new(&wire::modern_call("h", "huge", &json!({"kibibytes": 60_000})), pressed);
    slow.lasts_ms(most_ms, |server, slow| {
        slow.set_room(bytes_per_s / 10);
        server.run();
        drop(server.receive(slow));
    })
}

fn sender_lasts_ms(bytes_per_s: usize, at_once: usize, pressed: bool, most_ms: u64) -> u64 {
    let whole = wire::echo(&"x".repeat(65_000));
    let (first, rest) = whole.split_at(at_once);
    let mut slow = Siege::new(first, pressed);
    slow.slow.set_room(usize::MAX);
    let mut rest = rest.as_bytes();
    slow.lasts_ms(most_ms, |server, slow| {
        // It never ends.
        let (now, later) = rest.split_at((bytes_per_s / 10).min(rest.len() - 1));
        rest = later;
        server.send(slow, now);
    })
}

#[test]
fn a_reader_has_time_while_nobody_waits() {
    assert_eq!(reader_lasts_ms(2_000, false, 40_000), 40_000);
    let lasts_ms = reader_lasts_ms(300, false, 40_000);
    assert!((10_000..16_000).contains(&lasts_ms), "{lasts_ms}");
    let lasts_ms = reader_lasts_ms(0, false, 40_000);
    assert!((10_000..11_000).contains(&lasts_ms), "{lasts_ms}");
}

#[test]
fn a_reader_must_be_faster_while_others_wait() {
    assert_eq!(reader_lasts_ms(12_000, true, 20_000), 20_000);
    let lasts_ms = reader_lasts_ms(4_000, true, 20_000);
    assert!((500..5_000).contains(&lasts_ms), "{lasts_ms}");
    let lasts_ms = reader_lasts_ms(0, true, 20_000);
    assert!((500..2_500).contains(&lasts_ms), "{lasts_ms}");
}

#[test]
fn a_sender_has_time_while_nobody_waits() {
    assert_eq!(sender_lasts_ms(1_500, 1_000, false, 40_000), 40_000);
    let lasts_ms = sender_lasts_ms(300, 1_000, false, 40_000);
    assert!((10_000..16_000).contains(&lasts_ms), "{lasts_ms}");
}

#[test]
fn a_sender_can_save_no_time_up() {
    for pressed in [false, true] {
        let lasts_ms = sender_lasts_ms(0, 60_000, pressed, 40_000);
        let most_ms = if pressed { 2_500 } else { 11_000 };
        assert!(lasts_ms <= most_ms, "pressed: {pressed}; {lasts_ms}");
    }
}
