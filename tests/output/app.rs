//! What is served: a text of any length by a tool, files by resources, a hash of what was sent; and five hundred tools.

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use smol_mcp::{
    Annotations, Call, Config, Handle, ReadResult, Reading, Schema, Server, Tool, ToolError, ToolResult, Tools, args,
    block_on, output, resources, tools,
};

use crate::counting::counted;
use crate::support::PATIENCE;
use crate::support::client::Client;

args! {
    /// How much.
    pub(crate) struct Size {
        /// Bytes of the answer.
        bytes: u64,
    }

    /// How many.
    pub(crate) struct Count {
        /// Rows.
        rows: u32,
    }

    /// What to say.
    pub(crate) struct Say {
        /// A few words.
        text: heapless::String<64>,
    }
}

output! {
    pub(crate) struct Row {
        number: u32,
        name: String,
        values: Vec<f32>,
        last: bool,
    }

    /// A value that no buffer holds.
    pub(crate) struct Rows {
        rows: Vec<Row>,
        text: String,
    }
}

/// The application under test.
pub(crate) struct App {
    file: PathBuf,
}

tools! {
    impl App {
        /// Answers with what it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Say) -> ToolResult {
            call.text(&args.text).await
        }

        /// Answers with so much text, piece by piece.
        #[read_only]
        async fn long(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            // Where the request has a token for it, the answer becomes an event stream.
            call.progress(1.0, Some(2.0), None).await;
            let mut left = usize::try_from(args.bytes).unwrap();
            while left > 0 {
                let piece = left.min(BLOCK.len());
                call.write_utf8(&BLOCK.as_bytes()[..piece]).await;
                left -= piece;
            }
            call.done().await
        }

        /// Answers with the first bytes of the file.
        #[read_only]
        async fn file(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            call.text_from(File::open(&self.file)?.take(args.bytes)).await
        }

        /// Answers with so many rows.
        #[read_only]
        async fn rows(&self, _call: &mut Call<'_>, args: Count) -> Result<Rows, ToolError> {
            let row = |number| Row { number, name: format!("row \"{number}\""), values: vec![0.5; 8], last: number + 1 == args.rows };
            Ok(Rows { rows: (0..args.rows).map(row).collect(), text: BLOCK.repeat(args.rows as usize) })
        }

        /// Answers with the length and a hash of its arguments, of which it makes no copy.
        #[read_only]
        #[input_schema(r#"{"type": "object"}"#)]
        async fn hash(&self, call: &mut Call<'_>) -> ToolResult {
            let arguments = call.arguments_json();
            call.reply(format_args!("{} {:016x}", arguments.len(), hash(arguments.as_bytes()))).await
        }
    }
}

resources! {
    impl App {
        /// The first bytes of the file, as text.
        #[uri("long://text/{bytes}")]
        async fn text(&self, call: &mut Reading<'_>, args: Size) -> ReadResult {
            call.text_from(File::open(&self.file)?.take(args.bytes)).await
        }

        /// The first bytes of the file.
        #[uri("long://blob/{bytes}")]
        async fn blob(&self, call: &mut Reading<'_>, args: Size) -> ReadResult {
            call.blob_from(File::open(&self.file)?.take(args.bytes)).await
        }
    }
}

/// What every long answer repeats: of all that is escaped, and of characters of each length. Its length has no divisor in common with that of any
/// buffer.
pub(crate) const BLOCK: &str = concat!(
    "A line \"with quotes\", a back\\slash, a tab\t, a bell\u{7}, a return\r and its end\n",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich \u{20ac} \u{1F600}\n",
    "plain plain plain plain plain plain plain plain plain plain plain plain plain",
);
const _: () = assert!(BLOCK.len() % 2 == 1);

/// FNV-1a.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Fills a file with so many bytes of the block.
pub(crate) fn fill(path: &Path, bytes: usize) {
    let many = BLOCK.repeat(1024);
    let mut file = File::create(path).unwrap();
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(many.len());
        file.write_all(&many.as_bytes()[..piece]).unwrap();
        left -= piece;
    }
}

/// Tools, many.
pub(crate) struct Many;

/// How many.
pub(crate) const TOOLS: usize = 500;

#[allow(clippy::cast_possible_truncation, reason = "they are digits")]
const NAMES: [[u8; 8]; TOOLS] = {
    let mut names = [*b"tool_000"; TOOLS];
    let mut at = 0;
    while at < TOOLS {
        names[at][5] += (at / 100) as u8;
        names[at][6] += (at / 10 % 10) as u8;
        names[at][7] += (at % 10) as u8;
        at += 1;
    }
    names
};

impl Tools for Many {
    #[allow(clippy::large_stack_arrays, reason = "it is on no stack: the program's image holds it")]
    const TOOLS: &'static [Tool] = &{
        let mut tools = [TOOL; TOOLS];
        let mut at = 0;
        while at < TOOLS {
            tools[at].name = match str::from_utf8(&NAMES[at]) {
                Ok(name) => name,
                Err(_) => "",
            };
            at += 1;
        }
        tools
    };

    async fn call_tool(&self, index: usize, call: &mut Call<'_>) -> ToolResult {
        call.reply(index).await
    }
}

const TOOL: Tool = Tool {
    name: "",
    title: Some("One of \"many\""),
    description: BLOCK,
    input: &Schema::Object(&[]),
    output: None,
    task: None,
    annotations: Annotations { read_only: true, destructive: false, idempotent: true, open_world: false },
    icons: &[],
    meta: None,
    rate: None,
    scopes: &[],
};

// As each server is of another type.
macro_rules! run {
    ($config:expr, $server:expr) => {{
        let (tell, told) = mpsc::channel();
        let config = $config.listen(([127, 0, 0, 1], 0).into());
        let thread = thread::spawn(move || {
            let bound = $server.bind(config).unwrap();
            tell.send((bound.local_addr().unwrap(), bound.handle())).unwrap();
            block_on(counted(bound.run())).unwrap();
        });
        let (address, handle) = told.recv_timeout(PATIENCE).unwrap();
        (address, handle, Some(thread))
    }};
}
/// A server that runs on a thread of its own, whose allocations are counted.
pub(crate) struct Running {
    address: SocketAddr,
    handle: Handle,
    thread: Option<thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Serves the application, whose file has so many bytes.
    pub(crate) fn start(config: Config, file_bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fill(&file, file_bytes);
        let (address, handle, thread) = run!(config, Server::new("output", "1", App { file }).resources());
        Self { address, handle, thread, _folder: folder }
    }

    /// Serves the tools.
    pub(crate) fn many() -> Self {
        let (address, handle, thread) = run!(Config::new(), Server::new("many", "1", Many));
        Self { address, handle, thread, _folder: tempfile::tempdir().unwrap() }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
        drop(self.thread.take().map(thread::JoinHandle::join));
    }
}
