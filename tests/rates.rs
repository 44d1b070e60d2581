//! How often: the defaults, who is counted and who is not, tables that are full, the application's own check, and the counters.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

#[path = "simulation/counts.rs"]
mod counts;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smol_mcp::limits::{RATE_SECONDS_MAX, RATED_ADDRESSES_MAX, RATED_PRINCIPALS_MAX, WRONG_TOKENS_DEFAULT};
use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Denied, Principal, Server, ToolResult, tools};

struct App;

tools! {
    impl App {
        /// Clacks.
        #[idempotent]
        #[rate(1, 10)]
        async fn switch(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("clack").await
        }
    }
}

const LAPTOP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn start(config: Config) -> TestServer {
    TestServer::new(Server::new("rates", "1", App), config).unwrap()
}

fn status(server: &mut TestServer, from: IpAddr, fields: &str) -> u16 {
    let connection = server.connect_from(from);
    server.send(&connection, format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes());
    let answer = String::from_utf8(server.receive(&connection)).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn with(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn wrong_tokens_slow_down_by_default() {
    let mut server = start(Config::new().token("right"));
    for _ in 0..WRONG_TOKENS_DEFAULT {
        // Who has none does not guess.
        assert_eq!(status(&mut server, LAPTOP, ""), 401);
        assert_eq!(status(&mut server, LAPTOP, &with("wrong")), 401);
    }
    assert_eq!(status(&mut server, LAPTOP, &with("right")), 429);
    assert_eq!(status(&mut server, LAPTOP, ""), 429);
    let phone = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 8));
    assert_eq!(status(&mut server, phone, &with("right")), 405);
    server.advance(6_000);
    assert_eq!(status(&mut server, LAPTOP, &with("right")), 405);
    let stats = server.stats().unwrap();
    assert_eq!((stats.refused.wrong_tokens, stats.refused.token), (2, 20));
    counts::must_add_up(&stats);
    counts::must_be_at_rest(&stats);
}

#[test]
fn a_neighbour_on_the_link_is_slowed_down_alone() {
    let mut server = start(Config::new().token("right"));
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    for _ in 0..WRONG_TOKENS_DEFAULT {
        for guest in ["fe80::1", "2001:db8:1:2::1"] {
            assert_eq!(status(&mut server, ip(guest), &with("wrong")), 401);
        }
    }
    assert_eq!(status(&mut server, ip("fe80::1"), &with("right")), 429);
    assert_eq!(status(&mut server, ip("fe80::2"), &with("right")), 405);
    // A /64 elsewhere is one household.
    assert_eq!(status(&mut server, ip("2001:db8:1:2::2"), &with("right")), 429);
    assert_eq!(status(&mut server, ip("2001:db8:1:3::2"), &with("right")), 405);
}

#[test]
fn this_machine_is_not_slowed_down_nor_anybody_where_no_token_is_asked_for() {
    let mut server = start(Config::new().token("right"));
    for address in
        [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(127, 9, 9, 9)), IpAddr::V6(Ipv6Addr::LOCALHOST)]
    {
        (0..50).for_each(|_| assert_eq!(status(&mut server, address, &with("wrong")), 401));
        assert_eq!(status(&mut server, address, &with("right")), 405);
    }
    let mut server = start(Config::new());
    (0..50).for_each(|_| assert_eq!(status(&mut server, LAPTOP, &with("wrong")), 405));
    let mut server = start(Config::new().token("right").wrong_tokens_per_address(u32::MAX, 1));
    (0..50).for_each(|_| assert_eq!(status(&mut server, LAPTOP, &with("wrong")), 401));
}

#[test]
fn more_addresses_than_there_are_places_forgive_the_one_that_came_least() {
    let mut server = start(Config::new().token("right").connections(4));
    for _ in 0..WRONG_TOKENS_DEFAULT {
        status(&mut server, LAPTOP, &with("wrong"));
    }
    for host in 0..2 * u32::try_from(RATED_ADDRESSES_MAX).unwrap() {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + host));
        assert_eq!(status(&mut server, address, &with("wrong")), 401);
        assert_eq!(status(&mut server, address, &with("right")), 405);
        // Who came most stays counted.
        assert_eq!(status(&mut server, LAPTOP, &with("right")), 429);
    }
}

#[test]
fn more_principals_than_there_are_places_do_the_same() {
    let server = Server::new("rates", "1", App).authorize(|_, visit| match visit.header("x-user") {
        Some(user) => Ok(Principal::new(user)),
        None => Err(Denied::unauthorized("")),
    });
    let mut server = TestServer::new(server, Config::new().requests_per_principal(2, 60)).unwrap();
    let user = |name: usize| format!("X-User: u{name}\r\n");
    assert_eq!(status(&mut server, LAPTOP, &user(0)), 405);
    assert_eq!(status(&mut server, LAPTOP, &user(0)), 405);
    assert_eq!(status(&mut server, LAPTOP, &user(0)), 429);
    for name in 1..2 * RATED_PRINCIPALS_MAX {
        assert_eq!(status(&mut server, LAPTOP, &user(name)), 405);
        assert_eq!(status(&mut server, LAPTOP, &user(0)), 429);
    }
    let stats = server.stats().unwrap();
    assert_eq!(stats.refused.principal_rate, 2 * RATED_PRINCIPALS_MAX as u64);
    counts::must_add_up(&stats);
}

#[test]
fn whom_the_applications_check_refuses_is_slowed_down() {
    let server = Server::new("rates", "1", App).authorize(|_, visit| match visit.header("x-key") {
        Some("right") => Ok(Principal::new("somebody")),
        Some("worse") => Err(Denied::unauthorized("another key")),
        Some(_) => Err(Denied::forbidden("another key")),
        None => Err(Denied::unauthorized("a key")),
    });
    let mut server = TestServer::new(server, Config::new().wrong_tokens_per_address(3, 30)).unwrap();
    (0..10).for_each(|_| assert_eq!(status(&mut server, LAPTOP, ""), 401));
    // Nor does anybody read this.
    (0..10).for_each(|_| assert_eq!(status(&mut server, LAPTOP, &with("guess")), 401));
    assert_eq!(status(&mut server, LAPTOP, "X-Key: wrong\r\n"), 403);
    assert_eq!(status(&mut server, LAPTOP, "X-Key: worse\r\n"), 401);
    assert_eq!(status(&mut server, LAPTOP, "X-Key: right\r\n"), 405);
    assert_eq!(status(&mut server, LAPTOP, "x-key: wrong\r\n"), 403);
    assert_eq!(status(&mut server, LAPTOP, "X-Key: right\r\n"), 429);
}

#[test]
fn requests_and_calls_are_counted_by_cause() {
    let mut server = start(Config::new().requests_per_address(2, 60));
    (0..2).for_each(|_| assert_eq!(status(&mut server, LAPTOP, ""), 405));
    (0..3).for_each(|_| assert_eq!(status(&mut server, LAPTOP, ""), 429));
    assert!(server.call_tool("switch", "{}").contains("clack"));
    let told = server.call_tool("switch", "{}");
    assert!(told.contains("this tool was called too often: at most 1 in 10 s; try again in 10 s"), "{told}");
    let stats = server.stats().unwrap();
    assert_eq!((stats.refused.address_rate, stats.refused.tool_rate), (3, 1));
    assert_eq!((stats.calls.started, stats.calls.finished), (1, 1));
    counts::must_add_up(&stats);
}

#[test]
fn a_rate_that_is_none_does_not_start() {
    let refused = |config: Config| TestServer::new(Server::new("rates", "1", App), config).err().unwrap().to_string();
    for (setting, config) in [
        ("requests_per_address", Config::new().requests_per_address(0, 1)),
        ("requests_per_principal", Config::new().requests_per_principal(1, 0)),
        ("wrong_tokens_per_address", Config::new().wrong_tokens_per_address(1, RATE_SECONDS_MAX + 1)),
    ] {
        let told = refused(config);
        assert!(told.starts_with(&format!("{setting}: expected at least 1 in 1 to 86400 s, got ")), "{told}");
    }
}
