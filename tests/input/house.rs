//! A server whose tools ask, and clients that can answer.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use serde_json::{Value, json};
use smol::{channel, future};
use smol_mcp::{
    Call, Config, Elicited, Handle, InputError, PromptResult, Prompting, Sampling, Server, ToolResult, args, block_on,
    prompts, tools,
};

use crate::support::client::{Client, Session};
use crate::support::{PATIENCE, wire};

args! {
    pub(crate) struct Name {
        #[len(0..=20000)]
        name: String,
    }
}

args! {
    pub(crate) struct Lecture {
        length: u32,
        detached: bool,
    }
}

/// The application under test.
pub(crate) struct App {
    /// What became of each question.
    told: Sender<Result<String, InputError>>,
    /// What was made.
    made: Sender<u32>,
    gate: channel::Receiver<()>,
}

/// A tool that was dropped before its end.
struct Dropped<'a>(Option<&'a Sender<Result<String, InputError>>>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if let Some(told) = self.0 {
            let _ = told.send(Ok("dropped".into()));
        }
    }
}

impl App {
    async fn name(&self, call: &mut Call<'_>, key: &str) -> Result<String, InputError> {
        let mut guard = Dropped(Some(&self.told));
        let name = call.elicit::<Name>(key, "Who?").await;
        guard.0 = None;
        let name = name.map(|name| match name {
            Elicited::Accepted(name) => name.name,
            other => other.action().into(),
        });
        let _ = self.told.send(name.clone());
        name
    }
}

tools! {
    impl App {
        /// Answers with the text that it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Name) -> ToolResult {
            call.text(&args.name).await
        }

        /// Waits until the test lets it go.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            let _ = self.told.send(Ok("waits".into()));
            let _ = self.gate.recv().await;
            call.text("let go").await
        }

        /// Asks who it is.
        #[additive]
        async fn ask(&self, call: &mut Call<'_>) -> ToolResult {
            let name = self.name(call, "name").await?;
            call.text(&name).await
        }

        /// Asks the model.
        #[additive]
        async fn model(&self, call: &mut Call<'_>) -> ToolResult {
            let said = call.sample("q", Sampling::text("Say much.")).await?;
            call.reply(said.text()).await
        }

        /// Asks until the name is not empty.
        #[additive]
        async fn insist(&self, call: &mut Call<'_>) -> ToolResult {
            let mut times = 1;
            loop {
                let name = self.name(call, "name").await?;
                if !name.is_empty() {
                    return call.reply(format_args!("{name}, asked {times} times")).await;
                }
                times += 1;
            }
        }

        /// Asks, but does not wait for long.
        #[additive]
        async fn hurry(&self, call: &mut Call<'_>) -> ToolResult {
            let never = async { Ok("nobody".into()) };
            let name = future::or(self.name(call, "name"), never).await?;
            call.text(&name).await
        }

        /// Asks the model a long question, without a connection where it is told so.
        #[additive]
        async fn lecture(&self, call: &mut Call<'_>, args: Lecture) -> ToolResult {
            if args.detached {
                call.detach().await;
            }
            let prompt = "w".repeat(args.length as usize);
            let said = call.sample("q", Sampling::text(&prompt)).await.map(|said| said.text().to_string());
            let _ = self.told.send(said.clone());
            call.text(&said?).await
        }

        /// Asks, makes something, asks again, and says what it made.
        #[additive]
        async fn make(&self, call: &mut Call<'_>) -> ToolResult {
            let first = self.name(call, "first").await?;
            let made = call.once("made", async {
                let _ = self.made.send(7);
                7_u32
            });
            let made = made.await?;
            let second = self.name(call, "second").await?;
            let _ = self.made.send(made + 1);
            call.reply(format_args!("{first} {made} {second}")).await
        }
    }
}

prompts! {
    impl App {
        /// Asks what about.
        async fn about(&self, call: &mut Prompting<'_>) -> PromptResult {
            let name = call.elicit::<Name>("name", "What about?").await?;
            call.text(&name.accepted().map_or("nothing".into(), |name| name.name)).await
        }
    }
}

/// A server that runs.
pub(crate) struct House {
    address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) told: Receiver<Result<String, InputError>>,
    pub(crate) made: Receiver<u32>,
    pub(crate) gate: channel::Sender<()>,
    ended: Receiver<()>,
}

impl House {
    /// Starts a server.
    pub(crate) fn start(config: Config) -> Self {
        let (tell, told) = mpsc::channel();
        let (make, made) = mpsc::channel();
        let (gate, opened) = channel::unbounded();
        let (start, started) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let server = Server::new("asks", "1", App { told: tell, made: make, gate: opened }).prompts();
            let bound = server.bind(config.listen(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
            start.send((bound.local_addr().unwrap(), bound.handle())).unwrap();
            block_on(bound.run()).unwrap();
            let _ = end.send(());
        });
        let (address, handle) = started.recv_timeout(PATIENCE).unwrap();
        Self { address, handle, told, made, gate, ended }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// What became of the next question (or of the tool that asked it).
    pub(crate) fn told(&self) -> Result<String, InputError> {
        self.told.recv_timeout(PATIENCE).expect("something happens")
    }

    /// A session whose client can be asked.
    pub(crate) fn able(&self, revision: &'static str) -> Session {
        let answer = self.connect().ask(&wire::post_to("/mcp", &[], &initialize(revision)));
        assert_eq!(answer.status, 200, "{answer:?}");
        Session::new(answer.header("mcp-session-id").unwrap(), revision)
    }

    /// A call of this tool that has put its question: its connection, and the question's id.
    pub(crate) fn asked(&self, session: &Session, tool: &str) -> (Client, Value) {
        let mut client = self.connect();
        let head = client.open(&session.post(&wire::call(1, tool, &json!({}))));
        assert_eq!(head.header("content-type"), Some("text/event-stream"), "{head:?}");
        let question = client.message();
        assert!(question["method"].is_string(), "{question}");
        (client, question["id"].clone())
    }

    /// Posts an answer to a question, which is taken whatever it is.
    pub(crate) fn answer(&self, session: &Session, id: &Value, result: &Value) {
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        let answer = self.connect().ask(&session.post(&answer));
        assert_eq!((answer.status, answer.body.len()), (202, 0), "{answer:?}");
    }

    /// It serves newcomers.
    pub(crate) fn must_serve(&self) {
        let answer = self.connect().ask(&wire::modern_call("e", "echo", &json!({"name": "here"})));
        assert_eq!((answer.status, answer.text().as_str()), (200, "here"));
    }

    /// It has ended.
    pub(crate) fn ended(&self) {
        self.ended.recv_timeout(PATIENCE).expect("the server ends");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.gate.close();
        self.handle.shutdown();
    }
}

/// `initialize` by a client that can be asked.
pub(crate) fn initialize(revision: &str) -> String {
    let capabilities = json!({"elicitation": {}, "sampling": {}, "roots": {}});
    let params = json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": {"name": "able", "version": "1"}});
    wire::request("init", "initialize", &params)
}

/// An answer with this name.
pub(crate) fn named(name: &str) -> Value {
    json!({"action": "accept", "content": {"name": name}})
}

/// The text of the response that ends a call's stream.
pub(crate) fn text(client: &mut Client) -> String {
    let message = client.message();
    message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {message}")).to_owned()
}
