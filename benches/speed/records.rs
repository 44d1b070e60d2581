//! What our server says, kept for those who play it; and what each server is asked.

use std::fs;
use std::path::PathBuf;

use crate::measure::Bench;
use crate::process::Process;
use crate::servers::{Server, target};
use crate::wire::{self, Ask, Revision};
use crate::workload::{Kind, Workload};

/// What those who only play records need to know.
#[derive(Default)]
pub(crate) struct Setting {
    /// The file of the answer.
    pub(crate) answer: PathBuf,
    /// The rules of the floor.
    pub(crate) rules: Vec<String>,
}

/// The name of the record of a session's id.
const SESSION: &str = "session";

/// Starts ours, asks it what the workload asks, and keeps what it says.
pub(crate) fn make(bench: &Bench, workload: &Workload) -> Setting {
    let ours = bench.start(Server::Ours, workload, &Setting::default(), &[]);
    let request = requests(Server::Ours, &ours, workload, 1).remove(0);
    let mut socket = wire::connect(ours.address);
    let is_stream = matches!(workload.kind, Kind::Open | Kind::Fanout);
    let needle = workload.kind.ask().needle(workload.revision);
    let answer = wire::exchange_until(&mut socket, &request, |bytes| is_stream && wire::has_event(bytes, needle));
    let answer = save("answer", answer.bytes());
    let rule = |bytes: &[u8], kind: &str, file: &PathBuf| format!("{}:{kind}:{}", bytes.len(), file.display());
    let mut rules = vec![rule(&request, if is_stream { "stream" } else { "answer" }, &answer)];
    if workload.kind == Kind::Fanout {
        let request = wire::modern(Ask::Notify, 0);
        let told = save("told", wire::exchange(&mut wire::connect(ours.address), &request).bytes());
        let event = wire::receive_event(&mut socket, wire::EVENT);
        rules.extend([rule(&request, "answer", &told), rule(&[], "event", &save("event", &event))]);
    }
    Setting { answer, rules }
}

/// A request for each client. Who only plays a record is sent what is as long.
pub(crate) fn requests(server: Server, process: &Process, workload: &Workload, clients: usize) -> Vec<Vec<u8>> {
    let ask = workload.kind.ask();
    let session = || {
        if !server.speaks_mcp() {
            return fs::read_to_string(path(SESSION)).expect("ours had one");
        }
        let session = wire::open_session(process.address);
        if server == Server::Ours {
            save(SESSION, session.as_bytes());
        }
        session
    };
    let request = |id| match workload.revision {
        Revision::Modern => wire::modern(ask, id),
        Revision::Session if ask == Ask::Listen => wire::get(&session()),
        Revision::Session => wire::in_session(ask, &session()),
    };
    (0..clients).map(request).collect()
}

fn save(name: &str, bytes: &[u8]) -> PathBuf {
    let path = path(name);
    fs::create_dir_all(path.parent().expect("a folder")).unwrap();
    fs::write(&path, bytes).expect("a record is written");
    path
}

fn path(name: &str) -> PathBuf {
    target().join("speed").join(name)
}
