//! The application that the conversations are about: tools that show what a server can do to a call.

use std::sync::Once;

use smol_mcp::{Call, LogLevel, ResourceLink, ToolError, ToolResult, args, output, tools};

use crate::gate::Gate;

args! {
    pub(crate) struct Text {
        /// What to say.
        text: String,
    }

    pub(crate) struct Add {
        /// The first number.
        a: i64,
        /// The second number.
        b: i64,
    }

    pub(crate) struct Size {
        /// How many kilobytes.
        #[range(0..=1024)]
        kilobytes: u32,
    }

    pub(crate) enum Level {
        Debug,
        Info,
        Warning,
        Emergency,
    }

    pub(crate) struct Say {
        /// How severe it is.
        level: Level,
        /// What to say.
        text: String,
    }
}

args! {
    pub(crate) struct Destination {
        /// Where to.
        #[header("Region")]
        region: Option<heapless::String<32>>,
        #[header("Floor")]
        floor: Option<i32>,
        #[header("Urgent")]
        urgent: Option<bool>,
    }
}

output! {
    pub(crate) struct Weather {
        /// In degrees.
        degrees: f32,
        remark: Option<String>,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct App {
    gate: Gate,
}

impl App {
    async fn steps(&self, call: &mut Call<'_>) {
        for (step, text) in [(1.0, "one"), (2.0, "two"), (3.0, "three")] {
            call.progress(step, Some(3.0), Some(text)).await;
            smol::future::yield_now().await;
        }
    }
}

tools! {
    impl App {
        /// Says it again.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Adds two numbers.
        #[read_only]
        async fn add(&self, call: &mut Call<'_>, args: Add) -> ToolResult {
            call.print(format_args!("{}", i128::from(args.a) + i128::from(args.b))).await;
            call.done().await
        }

        /// Tells who calls, and by which revision.
        #[read_only]
        async fn who(&self, call: &mut Call<'_>) -> ToolResult {
            let (name, revision) = (call.client_name().unwrap_or("?").to_owned(), call.revision());
            call.print(format_args!("{name} by {revision}")).await;
            call.done().await
        }

        /// Fails, after it has said something.
        #[read_only]
        async fn fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            Err("the sensor does not answer".into())
        }

        /// Panics.
        #[read_only]
        async fn panic_now(&self, _call: &mut Call<'_>) -> ToolResult {
            panic!("on purpose");
        }

        /// Makes three steps.
        #[read_only]
        async fn progress(&self, call: &mut Call<'_>) -> ToolResult {
            self.steps(call).await;
            call.text("done").await
        }

        /// Makes three steps, and waits.
        #[read_only]
        async fn progress_and_wait(&self, call: &mut Call<'_>) -> ToolResult {
            self.steps(call).await;
            self.gate.released().await;
            call.text("done").await
        }

        /// Says something before its steps, and something behind them.
        #[read_only]
        async fn mixed(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("before, ").await;
            self.steps(call).await;
            call.write("after").await;
            call.done().await
        }

        /// Says something, makes its steps, and fails.
        #[read_only]
        async fn progress_and_fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            self.steps(call).await;
            Err("the sensor does not answer".into())
        }

        /// Waits until it is cancelled.
        #[read_only]
        async fn wait_forever(&self, call: &mut Call<'_>) -> ToolResult {
            let _count = self.gate.count();
            std::future::pending::<()>().await;
            call.text("").await
        }

        /// Waits for a release.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.released().await;
            call.text("released").await
        }

        /// Lets all go that wait.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.release();
            call.text("go").await
        }

        /// How many calls were dropped while they waited.
        #[read_only]
        async fn dropped(&self, call: &mut Call<'_>) -> ToolResult {
            call.print(format_args!("{}", self.gate.dropped())).await;
            call.done().await
        }

        /// Writes a long text.
        #[read_only]
        async fn big(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            for _ in 0..args.kilobytes * 16 {
                call.write("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\u{e9}").await;
            }
            call.done().await
        }

        /// Writes a long text, and fails.
        #[read_only]
        async fn big_fail(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            for _ in 0..args.kilobytes * 64 {
                call.write("0123456789abcdef").await;
            }
            Err("the disk is gone".into())
        }

        /// Announces that the list of tools changed.
        #[idempotent]
        async fn notify(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("notified").await
        }

        /// Sends a message to all.
        #[additive]
        async fn broadcast(&self, call: &mut Call<'_>, args: Say) -> ToolResult {
            let level = match args.level {
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warning => LogLevel::Warning,
                Level::Emergency => LogLevel::Emergency,
            };
            if !call.broadcast(level, &args.text) {
                Err("too large")?;
            }
            call.text("sent").await
        }

        /// Answers with every kind of content.
        #[read_only]
        async fn kinds(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            call.write("first").await;
            let mut image = call.begin_image("image/png").await;
            image.write(b"PNG").await;
            for _ in 0..args.kilobytes {
                image.write(&[0; 1024]).await;
            }
            call.audio("audio/wav", b"RIFF").await;
            call.resource_link(ResourceLink::new("file:///log", "log").mime("text/plain")).await;
            call.embedded_text("test://text", "text/plain", "two\nlines").await;
            call.embedded_blob("test://blob", "image/gif", b"GIF").await;
            call.text("last").await
        }

        /// Answers with a value.
        #[read_only]
        async fn weather(&self, _call: &mut Call<'_>, args: Text) -> Result<Weather, ToolError> {
            if args.text == "storm" {
                Err("the station is gone")?;
            }
            let degrees = if args.text == "fog" { f32::NAN } else { 21.5 };
            Ok(Weather { degrees, remark: Some(args.text).filter(|text| !text.is_empty()) })
        }

        /// Takes what its own schema says.
        #[read_only]
        #[input_schema(r#"{
            "type": "object",
            "anyOf": [ { "required": ["a"] }, { "required": ["b"] } ]
        }"#)]
        async fn free(&self, call: &mut Call<'_>) -> ToolResult {
            let arguments = call.arguments_json();
            call.text(arguments).await
        }

        /// Can be routed by its arguments.
        #[read_only]
        async fn route(&self, call: &mut Call<'_>, args: Destination) -> ToolResult {
            call.reply(format_args!("{:?} {:?} {:?}", args.region, args.floor, args.urgent)).await
        }
    }
}

/// Lets panics on purpose pass without a word.
pub(crate) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"on purpose") {
                hook(info);
            }
        }));
    });
}
