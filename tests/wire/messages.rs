//! WIRE 11-13: the messages of `cases/messages.txt`, in the name of clients of every revision.

use std::collections::HashMap;

use smol_mcp::Config;

use crate::COMMON;
use crate::answer::Answer;
use crate::line::Line;
use crate::support::client::{Client, Session};
use crate::support::server::Running;
use crate::table::{self, Case, cases};

const OLDER: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[test]
fn every_message_is_answered_as_it_is_written() {
    let running = Running::start(Config::default());
    let mut house = House::new(&running);
    let cases = cases(&[COMMON, include_str!("cases/messages.txt")]);
    assert!(cases.len() > 150, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (who, section) = case.section.split_once(": ").expect("who: section");
        let revisions: &[&str] = if who == "older" { &OLDER } else { &[who] };
        for revision in revisions {
            if let Err(why) = house.hold(revision, case) {
                wrong.push(format!(
                    "line {} ({section}), {revision}: {why}\n  sent: {}",
                    case.line,
                    case.sent.escape_ascii()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

// A client of each revision.
struct House {
    line: Line,
    sessions: HashMap<&'static str, Session>,
    stream: Client,
    stream_path: String,
}

impl House {
    fn new(running: &Running) -> Self {
        let open = |revision| (revision, running.connect().initialize(revision, "messages"));
        let mut stream = running.connect();
        let stream_path = stream.open_http_sse();
        Self { line: Line::new(running.address), sessions: OLDER.map(open).into(), stream, stream_path }
    }

    fn hold(&mut self, who: &str, case: &Case) -> Result<(), String> {
        let path = if who == "stream" { self.stream_path.as_str() } else { "/mcp" };
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n"
        );
        if let Some(session) = self.sessions.get(who) {
            head.extend(["Mcp-Session-Id: ", &session.id, "\r\n"]);
        }
        let expected = case.expected.answers.first().expect("an answer");
        let answer = self.line.ask(&[head.as_bytes(), &case.sent].concat(), false)?;
        if who == "stream" && answer.status == 202 {
            let posted = table::Answer { parts: Vec::new(), ..expected.clone() };
            answer.must_be(&posted).map_err(|why| format!("{why}: {answer:?}"))?;
            let message = self.stream.next();
            let told = format!("{message:?}").replace("\\\"", "\"").replace("\\\\", "\\");
            return match expected.parts.iter().find(|part| !told.contains(*part)) {
                Some(part) => Err(format!("the message must hold {part}: {told}")),
                None => Ok(()),
            };
        }
        answer.must_be(expected).map_err(|why| format!("{why}: {answer:?}"))?;
        // A next one is answered on the same connection.
        let good = self.line.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", false)?;
        if answer.closes() || !is_ok(&good) { Err(format!("the next one is not answered: {good:?}")) } else { Ok(()) }
    }
}

fn is_ok(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == "ok\n"
}
