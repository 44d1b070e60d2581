//! The application that the conversations about log messages, metadata and annotations are about.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use smol_mcp::{
    Call, Completing, ContentAnnotations, Icon, LogLevel, PromptResult, Prompting, PromptsOf, ReadResult, Reading,
    ResourceLink, ResourcesOf, Role, Server, ToolError, ToolResult, WithPrompts, WithResources, args, output, prompts,
    resources, tools,
};

output! {
    pub(crate) struct Measured {
        /// In degrees.
        #[title("Temperature")]
        degrees: f64,
        place: String,
    }
}

args! {
    pub(crate) struct Steps {
        /// How many.
        #[title("Number of steps")]
        #[range(1..=1000)]
        steps: u16,
        /// Of how many.
        total: Option<u16>,
    }

    pub(crate) struct Topic {
        /// What it is about.
        #[title("The topic")]
        topic: String,
        /// In which tone.
        tone: Option<String>,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct Speaker {
    released: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

const PEOPLE: ContentAnnotations<'_> = ContentAnnotations::new().user().priority(0.9);
const MODELS: ContentAnnotations<'_> = ContentAnnotations::new().assistant().last_modified("2026-01-31T12:00:00Z");
const ICON: Icon = Icon { src: "https://localhost/i.png", mime: "image/png", sizes: &["48x48"] };

/// A server that says all of itself that it can.
pub(crate) fn server() -> Server<Speaker, WithResources, WithPrompts> {
    let server = Server::new("talk", "1", Speaker::default()).title("The speaker").description("Says \"much\".");
    let server = server.website_url("https://localhost/").icon(ICON).instructions("Listen.");
    server.extension("com.example/one", "{}").extension("com.example/two", "{\n  \"a\": [1]\n}").resources().prompts()
}

/// What has neither tools nor anything else.
pub(crate) struct Mute;

tools! { impl Mute {} }

async fn all_levels(log: impl AsyncFn(LogLevel) -> bool) -> u32 {
    let mut sent = 0;
    for level in LogLevel::ALL {
        sent += u32::from(log(level).await);
    }
    sent
}

tools! {
    impl Speaker {
        /// Logs a message of each level.
        #[read_only]
        async fn levels(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("before, ").await;
            let sent = all_levels(async |level| call.log(level, Some("speaker"), level.as_str()).await).await;
            call.reply(format_args!("{sent} sent")).await
        }

        /// Logs data of every kind.
        #[read_only]
        async fn data(&self, call: &mut Call<'_>) -> ToolResult {
            let place = String::from("\"roof\"");
            let sent = [
                call.log(LogLevel::Info, None, "one line\nand \"another\"\r\u{2028}é").await,
                call.log(LogLevel::Info, None, format_args!("{} of {}", 1, 2)).await,
                call.log(LogLevel::Info, None, &Measured { degrees: 21.5, place: place.clone() }).await,
                call.log(LogLevel::Info, None, serde_json::json!({"a": [1, null, true]})).await,
                call.log(LogLevel::Info, Some("a\"b"), 17).await,
                call.log(LogLevel::Info, None, Measured { degrees: f64::NAN, place }).await,
                call.log(LogLevel::Info, None, "x".repeat(20_000)).await,
                call.log(LogLevel::Info, None, 'c').await,
            ];
            call.reply(format_args!("{sent:?}")).await
        }

        /// Logs a message, waits, and logs another one.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            call.log(LogLevel::Info, None, "waits").await;
            poll_fn(|cx| {
                if self.released.take() {
                    return Poll::Ready(());
                }
                *self.waiting.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
            call.log(LogLevel::Info, None, "goes on").await;
            call.text("done").await
        }

        /// Lets go who waits.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.released.set(true);
            self.waiting.take().into_iter().for_each(Waker::wake);
            call.text("go").await
        }

        /// Fails after a message.
        #[read_only]
        async fn fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.log(LogLevel::Error, None, "the sensor is gone").await;
            Err("no sensor")?
        }

        /// Writes much, and then logs.
        #[read_only]
        async fn late(&self, call: &mut Call<'_>) -> ToolResult {
            for _ in 0..4096 {
                call.write("0123456789").await;
            }
            let sent = call.log(LogLevel::Error, None, "too late").await;
            call.reply(sent).await
        }

        /// Tells what the request says beside its arguments.
        #[read_only]
        async fn meta(&self, call: &mut Call<'_>) -> ToolResult {
            let (own, trace) = (call.meta("com.example/own"), call.trace());
            call.reply(format_args!("{own:?} {trace:?}")).await
        }

        /// Makes steps without a pause.
        #[read_only]
        async fn steps(&self, call: &mut Call<'_>, args: Steps) -> ToolResult {
            let mut sent = 0;
            for step in 1..=args.steps {
                sent += u32::from(call.progress(step.into(), args.total.map(f64::from), None).await);
            }
            // Neither grows.
            sent += u32::from(call.progress(1.0, Some(1.0), None).await);
            sent += u32::from(call.progress(f64::NAN, None, None).await);
            call.reply(format_args!("{sent} sent")).await
        }

        /// Says for whom its blocks are.
        #[read_only]
        async fn annotated(&self, call: &mut Call<'_>) -> ToolResult {
            call.annotate(PEOPLE).await;
            call.write("a").await;
            call.block_meta(r#"{"com.example/k": 1}"#).await;
            call.annotate(MODELS).await;
            // Said already; no object.
            call.annotate(PEOPLE).await;
            call.block_meta("{}").await;
            call.block_meta("[1]").await;
            call.image("image/png", b"png").await;
            call.annotate(ContentAnnotations::NONE).await;
            call.write("b").await;
            call.annotate(ContentAnnotations::new().user().assistant().priority(7.0)).await;
            call.audio("audio/wav", b"wave").await;
            call.annotate(PEOPLE).await;
            call.embedded_text("test://t", "text/plain", "t").await;
            call.annotate(ContentAnnotations::new().priority(f64::NAN)).await;
            call.resource_link(ResourceLink::new("file:///log", "log").icons(&[ICON])).await;
            call.annotate(MODELS).await;
            call.done().await
        }

        /// Says for whom its value is.
        #[read_only]
        async fn typed(&self, call: &mut Call<'_>) -> Result<Measured, ToolError> {
            call.annotate(MODELS).await;
            Ok(Measured { degrees: 21.5, place: "roof".into() })
        }

        /// Fails after it said for whom the next block is.
        #[read_only]
        async fn annotated_fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            call.annotate(PEOPLE).await;
            Err("lost")?
        }
    }
}

resources! {
    impl Speaker {
        /// Logs while it is read.
        #[uri("say://log")]
        #[name("log")]
        #[icon("https://localhost/i.png", "image/png", "48x48", "any")]
        #[icon("data:image/gif;base64,AA==")]
        #[meta(r#"{ "com.example/r": [1,
            2] }"#)]
        async fn log_resource(&self, call: &mut Reading<'_>) -> ReadResult {
            let sent = all_levels(async |level| call.log(level, None, level.as_str()).await).await;
            call.content_meta(r#"{"com.example/own": true}"#).await;
            call.content_meta("{}").await;
            call.print(format_args!("{sent} sent, ")).await;
            call.print(format_args!("{:?} {:?}", call.meta("com.example/own"), call.trace().parent)).await;
            call.content("say://other", None).await;
            call.content_meta(r#"{"b":1}"#).await;
            call.write_blob(b"b").await;
            call.content_meta(r#"{"c":1}"#).await;
            call.done().await
        }

        /// A template with all.
        #[uri("say://about/{topic}/{tone}")]
        #[title("About")]
        #[icon("https://localhost/i.png")]
        #[meta("{}")]
        async fn about(&self, call: &mut Reading<'_>, args: Topic) -> ReadResult {
            call.reply(format_args!("{} {:?}", args.topic, args.tone)).await
        }
    }
}

prompts! {
    impl Speaker {
        /// Logs while it is made.
        #[title("Log")]
        #[name("log")]
        #[icon("https://localhost/i.png", "image/png")]
        #[meta(r#"{"com.example/p":1}"#)]
        #[complete(topics)]
        async fn log_prompt(&self, call: &mut Prompting<'_>, args: Topic) -> PromptResult {
            let sent = all_levels(async |level| call.log(level, None, level.as_str()).await).await;
            let tone = args.tone.unwrap_or_default();
            call.user(&format!("{sent} sent, {} {tone} {:?}", args.topic, call.meta("com.example/own"))).await;
            call.annotate(PEOPLE).await;
            call.annotate(MODELS).await;
            call.content_meta(r#"{"a":1}"#).await;
            call.assistant("mine").await;
            call.image(Role::User, "image/png", b"png").await;
            call.content_meta(r#"{"b":1}"#).await;
            call.resource_blob(Role::User, "say://log", None, b"b").await;
            call.annotate(MODELS).await;
            call.link(Role::Assistant, "say://log", "log", None).await;
            call.annotate(MODELS).await;
            call.done().await
        }
    }
}

impl Speaker {
    async fn topics(&self, call: &mut Completing<'_>) {
        call.offer("weather").await;
    }
}

/// Nothing but the types: a server without anything to offer.
pub(crate) fn mute() -> Server<Mute, impl ResourcesOf<Mute>, impl PromptsOf<Mute>> {
    Server::new("talk", "1", Mute)
}
