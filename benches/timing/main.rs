//! Whether the time of a refusal tells how much of a wrong token was right: `cargo bench --bench timing`.
//!
//! Requests with wrong tokens of several kinds, one of each in turn and in an order that is drawn anew each time, to a server without sockets; what is measured
//! is the whole of it, from the bytes of the request to those of the refusal. Two kinds differ when Welch's t of their times is beyond 4.5, the bound of dudect
//! (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"); the slowest tenth of each is the machine's noise, and is left out.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is all that a bench does")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that can't go on stops")]
#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds are far below 2^53")]

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Server, ToolResult, tools};

/// The right one: 32 random bytes in hexadecimal digits, as the README advises.
const TOKEN: &str = "c1a0f36be7d2489a5b0e91d47c83f62e1f7a94d0b65c38e2a9d10f4b7e6c5238";
/// Others that let in too: all are compared.
const OTHERS: usize = 15;
/// Beyond this, two kinds take different times.
const T_MAX: f64 = 4.5;

struct App;

tools! {
    impl App {
        /// Does nothing.
        #[read_only]
        async fn nothing(&self, call: &mut Call<'_>) -> ToolResult {
            call.done().await
        }
    }
}

fn main() -> ExitCode {
    let rounds = if env::args().any(|arg| arg == "--quick") { 5_000 } else { 200_000 };
    let mut server = TestServer::new(Server::new("timing", "1", App), config()).expect("a server");
    let kinds = kinds().map(|(name, token)| (name, request(&token)));
    let mut times = kinds.each_ref().map(|_| Vec::with_capacity(rounds));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..rounds + rounds / 10 {
        let mut order: [usize; KINDS] = std::array::from_fn(|kind| kind);
        for place in (1..KINDS).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(place, usize::try_from(random % (place as u64 + 1)).unwrap());
        }
        for kind in order {
            let connection = server.connect();
            let begun = Instant::now();
            server.send(&connection, kinds[kind].1.as_bytes());
            let took_ns = begun.elapsed().as_nanos() as f64;
            let answer = server.receive(&connection);
            assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", answer.escape_ascii());
            drop(connection);
            server.run();
            // The first tenth warms up.
            if round >= rounds / 10 {
                times[kind].push(took_ns);
            }
        }
    }
    tell(&kinds.map(|(name, _)| name), &times.map(Sample::of))
}

const KINDS: usize = 5;

// Wrong tokens, the first of them nothing like the right one.
fn kinds() -> [(&'static str, String); KINDS] {
    // Digits and letters in the same proportion: how a token is read depends on what it is made of, which is no secret of the server.
    let all_wrong: String = TOKEN.chars().map(other).collect();
    let (half, end) = (TOKEN.len() / 2, TOKEN.len() - 1);
    [
        ("no character is right", all_wrong.clone()),
        ("the first is wrong", format!("{}{}", &all_wrong[..1], &TOKEN[1..])),
        ("the first half is right", format!("{}{}", &TOKEN[..half], &all_wrong[half..])),
        ("the last is wrong", format!("{}{}", &TOKEN[..end], &all_wrong[end..])),
        // Equally long, so that the request is.
        ("all but the order is right", TOKEN.chars().rev().collect()),
    ]
}

// Another character of the same kind.
fn other(character: char) -> char {
    match character {
        '9' => '0',
        'f' => 'a',
        other => char::from_u32(u32::from(other) + 1).unwrap(),
    }
}

fn config() -> Config {
    let others = (0..OTHERS).map(|number| format!("another-{number:02}-{}", &TOKEN[11..]));
    others.fold(Config::new().token(TOKEN), Config::token)
}

fn request(token: &str) -> String {
    format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

struct Sample {
    count: f64,
    median_ns: f64,
    mean_ns: f64,
    variance: f64,
}

impl Sample {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        times.truncate(times.len() * 9 / 10);
        let count = times.len() as f64;
        let mean_ns = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean_ns).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, median_ns: times[times.len() / 2], mean_ns, variance }
    }

    // Welch's t against another.
    fn t(&self, other: &Self) -> f64 {
        (self.mean_ns - other.mean_ns) / (self.variance / self.count + other.variance / other.count).sqrt()
    }
}

fn tell(names: &[&str; KINDS], samples: &[Sample; KINDS]) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    println!("| wrong token | median | mean | t against the first |\n|---|---|---|---|");
    for (name, sample) in names.iter().zip(samples) {
        let t = sample.t(&samples[0]);
        println!("| {name} | {:.0} ns | {:.1} ns | {t:.2} |", sample.median_ns, sample.mean_ns);
        let differs = t.abs() > T_MAX;
        passed += u32::from(!differs);
        failed += u32::from(differs);
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
