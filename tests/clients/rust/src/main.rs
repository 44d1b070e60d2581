//! Drives a server with the client of `rmcp`: `drive-rmcp BASE_URL [ONLY]`, BASE_URL without a path.
//!
//! One line for each check: `ok NAME` or `FAIL NAME: why`. The exit status is 1 when any failed.
#![forbid(unsafe_code)]
#![allow(deprecated)] // sampling, roots and logs are, in the newest revision

mod checks;
mod client;
mod proxy;
mod tasks;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use client::{Client, Mode};

/// A check that takes longer has hung.
const CHECK_SECONDS: u64 = 15;

/// What a check says: nothing, or why it does not hold.
type Verdict = Result<(), String>;

/// Prints the lines and counts them.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    async fn check(&mut self, name: &str, body: impl Future<Output = Verdict>) -> bool {
        let verdict = tokio::time::timeout(Duration::from_secs(CHECK_SECONDS), body).await;
        let verdict = verdict.unwrap_or_else(|_| Err(format!("no end within {CHECK_SECONDS} s")));
        match &verdict {
            Ok(()) => println!("ok {name}"),
            Err(why) => println!("FAIL {name}: {}", why.replace('\n', " ")),
        }
        if verdict.is_ok() {
            self.passed += 1
        } else {
            self.failed += 1
        }
        verdict.is_ok()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(base) = args.next() else {
        eprintln!("usage: drive-rmcp BASE_URL [ONLY]");
        return ExitCode::from(2);
    };
    let (base, only) = (base.trim_end_matches('/').to_owned(), args.next().unwrap_or_default());
    let (mut report, started) = (Report::default(), Instant::now());
    for mode in Mode::all().iter().filter(|mode| mode.name.contains(&only)) {
        run_mode(&mut report, mode, &base).await;
    }
    println!("# {} ok, {} FAIL, {:.1} s", report.passed, report.failed, started.elapsed().as_secs_f64());
    ExitCode::from(u8::from(report.failed > 0 || report.passed == 0))
}

/// Connect, all checks, close, be cut.
async fn run_mode(report: &mut Report, mode: &Mode, base: &str) {
    let name = mode.name;
    let mut client = None;
    report
        .check(&format!("{name}: connect"), async { Client::connect(mode, base).await.map(|it| client = Some(it)) })
        .await;
    let Some(client) = client else { return };
    for (what, _, body) in checks::ALL.iter().filter(|(_, since, _)| *since <= mode.revision) {
        report.check(&format!("{name}: {what}"), body(&client)).await;
    }
    if mode.is_modern() {
        for (what, body) in tasks::ALL {
            report.check(&format!("{name}: {what}"), tasks::with(mode, base, *body)).await;
        }
    } else if mode.revision > "2024-11-05" {
        report.check(&format!("{name}: the server ends the stream of a call"), checks::reconnects(&client)).await;
        // Before 2025-11-25 a stream has no id until it brings something: there is nothing to resume such a call by.
        if mode.revision == "2025-11-25" {
            report.check(&format!("{name}: a call's stream is cut"), proxy::cut_call(mode, base)).await;
        }
        report.check(&format!("{name}: the session's stream is cut"), proxy::missed_event(mode, base)).await;
    }
    report.check(&format!("{name}: close"), client.close()).await;
}
