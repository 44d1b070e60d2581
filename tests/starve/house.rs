//! A small house, and a good client that wants to be served.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use smol_mcp::{Call, Config, Elicited, Handle, Server, ToolResult, args, block_on, tools};

use crate::BOUND;
use crate::support::client::{Client, Session};
use crate::support::{PATIENCE, wire};

/// Calls at once, and the connections of all.
const CALLS: usize = 5;
const CONNECTIONS: usize = 24;

args! {
    pub(crate) struct Text {
        /// What to say.
        text: String,
    }

    pub(crate) struct Size {
        /// Kibibytes of the answer.
        kibibytes: u32,
    }

    struct Name {
        /// Of the user.
        name: heapless::String<64>,
    }
}

pub(crate) struct App;

tools! {
    impl App {
        /// Says it again.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Answers with much text.
        #[read_only]
        async fn huge(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            let line = "0123456789abcdef".repeat(64);
            for _ in 0..args.kibibytes {
                call.write(&line).await;
            }
            call.done().await
        }

        /// Asks who is there.
        #[read_only]
        async fn who(&self, call: &mut Call<'_>) -> ToolResult {
            match call.elicit::<Name>("name", "Who?").await? {
                Elicited::Accepted(name) => call.text(&name.name).await,
                other => call.text(other.action()).await,
            }
        }
    }
}

/// A server under siege.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    handle: Handle,
    /// Opened while there was peace.
    session: Session,
    thread: Option<thread::JoinHandle<()>>,
}

/// A call that waits for its client's answer.
pub(crate) struct Asker {
    session: Session,
    stream: Client,
    question: String,
}

impl House {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let config = Config::new().listen(([127, 0, 0, 1], 0).into());
            let config = config.connections(CONNECTIONS).calls(CALLS).inputs(3).streams(CONNECTIONS / 2);
            let bound = Server::new("house", "1", App).bind(config).unwrap();
            tell.send((bound.local_addr().unwrap(), bound.handle())).unwrap();
            block_on(bound.run()).unwrap();
        });
        let (address, handle) = told.recv_timeout(PATIENCE).unwrap();
        let session = Client::connect(address).initialize("2025-06-18", "a good one");
        Self { address, handle, session, thread: Some(thread) }
    }

    /// Calls that wait; those beyond what the house has room for are told so.
    pub(crate) fn askers(&self, number: usize) -> Vec<Asker> {
        (0..number).filter_map(|_| self.asker()).collect()
    }

    fn asker(&self) -> Option<Asker> {
        let mut stream = Client::connect(self.address);
        let hello = wire::initialize("2025-06-18", "one that is asked")
            .replace(r#""capabilities":{}"#, r#""capabilities":{"elicitation":{}}"#);
        let answer = stream.ask(&wire::post_to("/mcp", &[], &hello));
        let session = Session::new(answer.header("mcp-session-id").expect("a session"), "2025-06-18");
        let head = stream.open(&session.post(&wire::call(1, "who", &json!({}))));
        if head.header("content-type") != Some("text/event-stream") {
            return None;
        }
        let question = stream.message();
        let question = question["id"].as_str().map(str::to_owned)?;
        Some(Asker { session, stream, question })
    }

    // Comes again and again until it is served.
    fn until_served(&self, what: &str, request: &str, status: u16) {
        let begun = Instant::now();
        let mut refused = 0;
        loop {
            let mut client = Client::connect(self.address);
            let served = client.try_send(request).is_ok().then(|| client.try_status()).flatten();
            let elapsed = begun.elapsed();
            assert!(elapsed <= BOUND, "{what}: {elapsed:?}, after {refused} refusals; {served:?} {request}");
            match served {
                Some(503) | None => refused += 1,
                Some(served) => {
                    assert_eq!(served, status, "{what}: {request}");
                    let known = ["tools/call", "discover", "ping", "notifications"];
                    let body = request.lines().last().unwrap_or_default();
                    let method = known.into_iter().find(|method| body.contains(method)).unwrap_or("answer or DELETE");
                    println!("# {what}: {method} after {elapsed:?}, {refused} refusals");
                    return;
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The next call gets through.
    pub(crate) fn must_serve_calls(&self, what: &str) {
        self.until_served(what, &wire::echo("are you there?"), 200);
        self.until_served(what, &self.session.post(&wire::call(3, "echo", &json!({"text": "and here?"}))), 200);
    }

    /// So does what frees others.
    pub(crate) fn must_serve_what_frees(&self, what: &str) {
        let none = json!({});
        self.until_served(what, &wire::modern("d", "server/discover", json!({})), 200);
        self.until_served(what, &self.session.post(&wire::request("p", "ping", &none)), 200);
        self.until_served(what, &self.session.post(&wire::notification("notifications/initialized", &none)), 202);
        self.until_served(what, &self.session.post(&wire::cancelled(99)), 202);
        self.until_served(what, &self.session.post(&json!({"jsonrpc": "2.0", "id": 3, "result": {}}).to_string()), 202);
    }

    /// The answer of a client frees the call that waits for it.
    pub(crate) fn must_take_answer(&self, mut asker: Asker, what: &str) {
        let result = json!({"action": "accept", "content": {"name": "Ada"}});
        let answer = json!({"jsonrpc": "2.0", "id": asker.question, "result": result}).to_string();
        self.until_served(what, &asker.session.post(&answer), 202);
        let message = asker.stream.message();
        assert_eq!(message["result"]["content"][0]["text"], "Ada", "{what}: {message}");
        self.until_served(what, &asker.session.delete(), 200);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.handle.shutdown();
        drop(self.thread.take().map(thread::JoinHandle::join));
    }
}
