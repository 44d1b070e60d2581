//! A server on a thread of its own, whose tools tell the test what happens to them.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use smol::channel;
use smol_mcp::{
    Call, ClientEvent, ClientInfo, Config, Handle, LogLevel, Revision, Server, ToolResult, args, block_on, tools,
};

use super::client::{Answer, Client, Session};
use super::{PATIENCE, until, wire};

args! {
    /// What to say.
    pub(crate) struct Text {
        /// The text.
        text: String,
    }

    /// How much to say.
    pub(crate) struct Size {
        /// Kibibytes of the answer.
        #[range(0..=65536)]
        kibibytes: u32,
    }
}

/// The application under test.
pub(crate) struct App {
    seen: Arc<Seen>,
    gate: channel::Receiver<()>,
}

tools! {
    impl App {
        /// Answers with the text that it is given.
        #[read_only]
        #[task]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Waits until the test lets it go.
        #[read_only]
        #[task]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            let mut running = Entered::new(&self.seen);
            let opened = self.gate.recv().await;
            running.done = true;
            call.text(if opened.is_ok() { "let go" } else { "the test is over" }).await
        }

        /// Answers with much text.
        #[read_only]
        #[task]
        async fn huge(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            let mut running = Entered::new(&self.seen);
            let line = "0123456789abcdef".repeat(64);
            for _ in 0..args.kibibytes {
                call.write(&line).await;
            }
            running.done = true;
            call.done().await
        }

        /// Sends messages to all, a kibibyte each, as many as it is told, without a pause.
        #[additive]
        async fn shout(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            let line = "0123456789abcdef".repeat(64);
            for n in 0..args.kibibytes {
                assert!(call.broadcast(LogLevel::Info, &format!("{n} {line}")));
            }
            call.text("shouted").await
        }

        /// Holds the server's thread until the test lets it go.
        #[read_only]
        async fn block(&self, call: &mut Call<'_>) -> ToolResult {
            let mut running = Entered::new(&self.seen);
            let opened = self.gate.recv_blocking();
            running.done = true;
            call.text(if opened.is_ok() { "let go" } else { "the test is over" }).await
        }
    }
}

/// What happened, as far as the application was told.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Calls of the tools that wait which run now, came to their end, and were dropped before it.
    pub(crate) running: usize,
    pub(crate) done: usize,
    pub(crate) dropped: usize,
    /// Clients that came (number, name, revision), and numbers of those that went.
    pub(crate) came: Vec<(u64, String, Revision)>,
    pub(crate) went: Vec<u64>,
}

/// The state, and news of it.
#[derive(Default)]
pub(crate) struct Seen {
    state: Mutex<State>,
    news: Condvar,
}

impl Seen {
    fn change(&self, change: impl FnOnce(&mut State)) {
        // What a failed test leaves behind is still right: a test only reads.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.news.notify_all();
    }

    /// Waits until the state is like that.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state.lock().unwrap();
        let (state, waited) = self.news.wait_timeout_while(state, PATIENCE, |state| !holds(state)).unwrap();
        assert!(!waited.timed_out(), "in vain: {what}; the state is {state:?}");
        state
    }
}

// A tool that runs.
struct Entered<'s> {
    seen: &'s Seen,
    done: bool,
}

impl<'s> Entered<'s> {
    fn new(seen: &'s Seen) -> Self {
        seen.change(|state| state.running += 1);
        Self { seen, done: false }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.seen.change(|state| {
            state.running -= 1;
            if self.done { state.done += 1 } else { state.dropped += 1 }
        });
    }
}

/// An application, its server that is not bound yet, and what tells of it.
pub(crate) fn server() -> (Server<App>, Arc<Seen>, channel::Sender<()>) {
    let seen = Arc::new(Seen::default());
    let (gate, opened) = channel::unbounded();
    let ear = seen.clone();
    let server = Server::new("house", "1", App { seen: seen.clone(), gate: opened });
    let server = server.on_client(move |event| {
        ear.change(|state| match event {
            ClientEvent::Came { id, name, revision } => state.came.push((*id, (*name).to_owned(), *revision)),
            ClientEvent::Went { id } => state.went.push(*id),
            _ => {}
        });
    });
    (server, seen, gate)
}

/// A server that runs, on a port of 127.0.0.1 that the system chose.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) seen: Arc<Seen>,
    /// Lets one call of `wait` or `block` go for each message.
    pub(crate) gate: channel::Sender<()>,
    ended: Receiver<io::Result<()>>,
}

impl Running {
    /// Starts a server.
    pub(crate) fn start(config: Config) -> Self {
        let (told, address) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let (server, seen, gate) = server();
            let bound = server.bind(config.listen(SocketAddr::from(([127, 0, 0, 1], 0)))).expect("a free port");
            let address = bound.local_addr().expect("an address");
            told.send((address, bound.handle(), seen, gate)).expect("the test waits");
            // Whoever is not interested in the end has dropped the receiver.
            let _ = end.send(block_on(bound.run()));
        });
        let (address, handle, seen, gate) = address.recv_timeout(PATIENCE).expect("the server starts");
        Self { address, handle, seen, gate, ended }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Calls `echo` on a connection of its own.
    pub(crate) fn try_echo(&self) -> Answer {
        self.connect().ask(&wire::echo("are you there?"))
    }

    /// It serves newcomers.
    pub(crate) fn must_serve(&self) {
        let answer = self.try_echo();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.text(), "are you there?");
    }

    /// Sends a request until it is not refused for want of room, as a patient client would.
    pub(crate) fn until_served(&self, request: &str) -> (Client, Answer) {
        until("to be served by a full house", || {
            let mut client = self.connect();
            client.try_send(request).ok()?;
            let answer = client.answer();
            if answer.status == 503 {
                answer.must_be_full();
                return None;
            }
            Some((client, answer))
        })
    }

    /// Opens a session as soon as there is room for it, and leaves its connection.
    pub(crate) fn admit(&self, name: &str) -> Session {
        let (_, answer) = self.until_served(&wire::post_to("/mcp", &[], &wire::initialize("2025-06-18", name)));
        assert_eq!(answer.status, 200, "{answer:?}");
        Session::new(answer.header("mcp-session-id").expect("a session id"), "2025-06-18")
    }

    /// Connections with a call of `wait` each, all running.
    pub(crate) fn busy(&self, connections: usize) -> Vec<Client> {
        let before = self.seen.until("the state", |_| true).running;
        let ask = |_| {
            let mut client = self.connect();
            client.send(&wire::modern_call("w", "wait", &serde_json::json!({})));
            client
        };
        let clients = (0..connections).map(ask).collect();
        drop(self.seen.until("all calls run", |state| state.running == before + connections));
        clients
    }

    /// Lets so many calls go.
    pub(crate) fn let_go(&self, calls: usize) {
        (0..calls).for_each(|_| self.gate.try_send(()).expect("the gate"));
    }

    /// Who is there.
    pub(crate) fn clients(&self) -> Vec<ClientInfo> {
        let clients = smol::future::or(async { Some(self.handle.clients(1000).await) }, async {
            smol::Timer::after(PATIENCE).await;
            None
        });
        block_on(clients).expect("the server tells who is there").expect("the server runs")
    }

    /// Waits for its end, which must have been asked for.
    pub(crate) fn wait(&self) {
        self.ended.recv_timeout(PATIENCE).expect("the server ends").expect("without an error");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gate.close();
        self.handle.shutdown();
        // A test that failed already says why; one that did not may have waited for the end itself.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}
