//! Sessions: who comes, who goes, and who comes back.

use serde_json::json;
use smol_mcp::Config;

use crate::{House, post, wire};

const REQUEST: &str = "connections.accepted+1 requests.received+1 requests.served+1";

fn ping(session: &str) -> String {
    post(session, &wire::request(1, "ping", &json!({})))
}

#[test]
fn a_session_comes_goes_and_comes_back() {
    let mut house = House::new(Config::new().sessions(1));
    let first = house.session("2025-06-18");
    house.must_have(&format!("{REQUEST} sessions.opened+1"));
    house.server.advance(2_000);
    house.mark();
    let second = house.session("2025-06-18");
    house.must_have(&format!("{REQUEST} sessions.opened+1 sessions.evicted+1"));
    let level = wire::request(2, "logging/setLevel", &json!({"level": "error"}));
    assert_eq!(house.status(&post(&second, &level)), 200);
    house.server.advance(2_000);
    house.mark();
    assert_eq!(house.status(&ping(&first)), 200);
    house.must_have(&format!("{REQUEST} sessions.restored+1 sessions.evicted+1 sessions.evicted_with_state+1"));
    house.mark();
    let delete = wire::bare("DELETE", "/mcp", &[("Mcp-Session-Id", &first)]);
    assert_eq!(house.status(&delete), 200);
    house.must_have(&format!("{REQUEST} sessions.ended+1"));
    let stats = house.server.stats().unwrap().sessions;
    assert_eq!((stats.now, stats.most, stats.capacity), (0, 1, 1));
}

#[test]
fn a_client_stays_away() {
    let mut house = House::new(Config::new());
    house.session("2025-06-18");
    house.mark();
    house.server.advance(61_000);
    house.must_have("sessions.expired+1");
}

#[test]
fn all_sessions_are_in_use() {
    let mut house = House::new(Config::new().sessions(1));
    let session = house.session("2025-06-18");
    let _stream = house.stream("127.0.0.1", &session);
    house.server.advance(2_000);
    house.mark();
    let initialize = wire::post_to("/mcp", &[], &wire::initialize("2025-06-18", "late"));
    assert_eq!(house.status(&initialize), 503);
    house.must_have("connections.accepted+1 requests.received+1 refused.sessions+1");
}
