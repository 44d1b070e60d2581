//! The kinds of traffic: one client that asks, and waits for each answer.

use std::net::SocketAddr;

use serde_json::json;

use crate::support::client::Client;
use crate::support::wire;

/// What is asked, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `tools/call` of 2026-07-28, with all headers that are checked.
    Call,
    /// The same, of a session of 2025-11-25.
    SessionCall,
    /// The first by a connection of its own for each.
    CallByConnection,
    /// The first beside connections that say nothing.
    CallInCrowd,
    /// The first by two clients in turn, who write their requests otherwise: nothing that is kept of one is good for the other.
    CallByTurns,
    /// `tools/list` of 2026-07-28.
    List,
}

/// Connections that were served once, and wait.
const CROWD: usize = 31;

impl Kind {
    pub(crate) const ALL: &[Self] =
        &[Self::Call, Self::SessionCall, Self::CallByConnection, Self::CallInCrowd, Self::CallByTurns, Self::List];

    /// Its name in the file of what is known.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::SessionCall => "session",
            Self::CallByConnection => "connection",
            Self::CallInCrowd => "crowd",
            Self::CallByTurns => "turns",
            Self::List => "list",
        }
    }

    /// What it is, for people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Call => "`tools/call`, 2026-07-28, keep-alive",
            Self::SessionCall => "`tools/call`, session of 2025-11-25, keep-alive",
            Self::CallByConnection => "`tools/call`, 2026-07-28, a connection for each",
            Self::CallInCrowd => "`tools/call`, 2026-07-28, beside 31 idle connections",
            Self::CallByTurns => "`tools/call`, 2026-07-28, of two clients by turns",
            Self::List => "`tools/list` of two tools, 2026-07-28, keep-alive",
        }
    }

    /// Sends so many requests. Each must succeed.
    pub(crate) fn send(self, address: SocketAddr, requests: u32) {
        let mut client = Client::connect(address);
        let echo = json!({"text": "hello"});
        let request = match self {
            Self::Call | Self::CallByConnection | Self::CallInCrowd | Self::CallByTurns => {
                wire::modern_call("1", "echo", &echo)
            }
            Self::SessionCall => client.initialize("2025-11-25", "cost").post(&wire::call("1", "echo", &echo)),
            Self::List => wire::modern("1", "tools/list", json!({})),
        };
        let mut crowd = Vec::new();
        if self == Self::CallInCrowd {
            crowd.resize_with(CROWD, || Client::connect(address));
            for client in &mut crowd {
                ask(client, &request);
            }
        }
        let mut other = (self == Self::CallByTurns).then(|| Client::connect(address));
        let others = wire::modern_by("another", "1", "tools/call", json!({"name": "echo", "arguments": echo}));
        for turn in 0..requests {
            if let Some(other) = other.as_mut().filter(|_| turn % 2 == 1) {
                ask(other, &others);
                continue;
            }
            if self == Self::CallByConnection {
                client = Client::connect(address);
            }
            ask(&mut client, &request);
        }
    }
}

fn ask(client: &mut Client, request: &str) {
    let answer = client.ask(request);
    assert!(answer.status == 200 && answer.body.contains(r#""result":{"#), "{answer:?}");
}
