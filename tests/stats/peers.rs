//! The share of the streams that an address may have, and whom a trusted proxy names.

use std::net::IpAddr;

use serde_json::Value;
use smol_mcp::testing::TestConnection;
use smol_mcp::{ClientInfo, Config};

use crate::{House, header, status, wire};

const PROXY: &str = "10.0.0.1";

// Eight streams, of which one address may have two.
fn config() -> Config {
    Config::new().connections(24).calls(16).streams(8).streams_per_address(2).trusted_proxy(PROXY)
}

// A stream that is asked for from this address, with these header lines; what came of it.
fn listen(house: &mut House, peer: &str, lines: &[&str]) -> (TestConnection, String) {
    let lines = [&[""], lines].concat().join("\r\n");
    let request = wire::listen("listener", "l-1").replacen("\r\n\r\n", &format!("{lines}\r\n\r\n"), 1);
    let stream = house.send_from(peer, &request);
    let said = house.text(&stream);
    (stream, said)
}

fn statuses(house: &mut House, peer: &str, lines: &[&str], times: usize) -> (Vec<TestConnection>, Vec<u16>) {
    (0..times).map(|_| listen(house, peer, lines)).map(|(stream, said)| (stream, status(&said))).unzip()
}

// Who is listed, with the addresses.
fn addresses(house: &mut House) -> Vec<Option<IpAddr>> {
    let handle = house.server.handle().clone();
    let mut asked = Box::pin(handle.clients(100));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(clients) = Future::poll(asked.as_mut(), &mut cx) {
            return clients.unwrap().iter().map(|client: &ClientInfo| client.address).collect();
        }
        house.server.run();
    }
}

#[test]
fn an_address_has_its_share_of_the_streams() {
    let mut house = House::new(config());
    let (_streams, got) = statuses(&mut house, "192.0.2.7", &[], 2);
    assert_eq!(got, [200, 200]);
    house.mark();
    let (_refused, said) = listen(&mut house, "192.0.2.7", &[]);
    assert_eq!((status(&said), header(&said, "Retry-After").as_deref()), (503, Some("2")));
    let error: Value = serde_json::from_str(said.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(error["id"], "l-1");
    assert!(error["error"]["message"].as_str().unwrap().contains("streams_per_address"), "{error}");
    house.must_have("connections.accepted+1 requests.received+1 refused.streams_share+1");
    // Each of the ways to a stream is bounded by it, and a session is not opened in vain.
    let get = house.send_from("192.0.2.7", &wire::get_http_sse());
    assert_eq!(status(&house.text(&get)), 503);
    let session = house.session("2025-06-18");
    let get = house.stream("192.0.2.7", &session);
    assert_eq!(status(&house.text(&get)), 503);
    house.must_have(
        "connections.accepted+4 requests.received+4 requests.served+1 refused.streams_share+3 sessions.opened+1",
    );
    // Calls go on, and so do others' streams.
    let call = house.send_from("192.0.2.7", &wire::echo("x"));
    assert_eq!(status(&house.text(&call)), 200);
    assert_eq!(status(&listen(&mut house, "192.0.2.8", &[]).1), 200);
}

#[test]
fn a_session_that_opens_its_stream_anew_is_within_its_share() {
    let mut house = House::new(config().streams_per_address(1));
    let session = house.session("2025-06-18");
    let first = house.stream("192.0.2.7", &session);
    assert_eq!(status(&house.text(&first)), 200);
    let second = house.stream("192.0.2.7", &session);
    assert_eq!(status(&house.text(&second)), 200);
    assert!(first.is_closed());
    // Where it has none left, the session keeps the stream that it has.
    let _other = listen(&mut house, "192.0.2.8", &[]);
    let moved = house.stream("192.0.2.8", &session);
    assert_eq!(status(&house.text(&moved)), 503);
    assert!(!second.is_closed());
}

#[test]
fn by_default_it_is_half() {
    let mut house = House::new(Config::new().connections(24).calls(16).streams(5));
    assert_eq!(statuses(&mut house, "2001:db8::1", &[], 4).1, [200, 200, 200, 503]);
    // This machine, and a household of its own, are not counted with them.
    let mut house = House::new(Config::new().connections(24).calls(16).streams(5));
    let (_streams, got) = statuses(&mut house, "127.0.0.1", &[], 5);
    assert_eq!(got, [200; 5]);
}

#[test]
fn a_proxy_that_says_nothing_is_exempt() {
    for lines in [&[][..], &["X-Forwarded-For: unknown"], &["Forwarded: for=_hidden"], &["X-Forwarded-For: 10.0.0.1"]] {
        let mut house = House::new(config());
        let (_streams, got) = statuses(&mut house, PROXY, lines, 9);
        assert_eq!(got, [200, 200, 200, 200, 200, 200, 200, 200, 503], "{lines:?}");
        house.must_have(
            "connections.accepted+9 requests.received+9 requests.served+8 streams.opened+8 refused.streams+1",
        );
    }
}

#[test]
fn a_proxy_names_the_peer() {
    let mut house = House::new(config());
    let named = ["X-Forwarded-For: 203.0.113.1, 192.0.2.7"];
    let (_streams, got) = statuses(&mut house, PROXY, &named, 3);
    assert_eq!(got, [200, 200, 503]);
    // It is the same peer by another way, or with another story in front of it.
    assert_eq!(status(&listen(&mut house, PROXY, &["Forwarded: for=1.1.1.1, for=\"192.0.2.7:81\""]).1), 503);
    assert_eq!(status(&listen(&mut house, "192.0.2.7", &[]).1), 503);
    // Another peer of the same proxy has its own share.
    let (_others, got) = statuses(&mut house, PROXY, &["Forwarded: for=\"[2001:db8::7]\";proto=https"], 3);
    assert_eq!(got, [200, 200, 503]);
    let mut addresses = addresses(&mut house);
    addresses.sort();
    let shown: Vec<String> = addresses.iter().map(|address| address.unwrap().to_string()).collect();
    assert_eq!(shown, ["192.0.2.7", "192.0.2.7", "2001:db8::", "2001:db8::"]);
}

#[test]
fn what_cannot_be_understood_counts_for_the_proxy() {
    let mut house = House::new(config());
    let contradiction = ["X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.8"];
    let (_streams, got) = statuses(&mut house, PROXY, &contradiction, 1);
    assert_eq!(got, [200]);
    let (_more, got) = statuses(&mut house, PROXY, &["X-Forwarded-For: garbage"], 2);
    assert_eq!(got, [200, 503], "all of these are one");
    assert_eq!(addresses(&mut house), [Some(PROXY.parse().unwrap()); 2]);
    // Nobody else is held up by that.
    assert_eq!(status(&listen(&mut house, PROXY, &[]).1), 200);
    assert_eq!(status(&listen(&mut house, PROXY, &["X-Forwarded-For: 192.0.2.7"]).1), 200);
    assert_eq!(status(&listen(&mut house, "192.0.2.8", &[]).1), 200);
}

#[test]
fn others_name_nobody() {
    // Neither a stranger, nor this machine where it was not named.
    let mut house = House::new(config());
    for (peer, expected) in [("192.0.2.7", [200, 200, 503]), ("127.0.0.1", [200, 200, 200])] {
        let (_streams, got) = statuses(&mut house, peer, &["X-Forwarded-For: 192.0.2.9"], 3);
        assert_eq!(got, expected, "{peer}");
        assert!(addresses(&mut house).iter().all(|address| *address == Some(peer.parse().unwrap())));
    }
    let mut house = House::new(config().trusted_proxy("127.0.0.1"));
    let (_streams, got) = statuses(&mut house, "127.0.0.1", &["X-Forwarded-For: 192.0.2.9"], 3);
    assert_eq!(got, [200, 200, 503]);
}
