//! The fixture that the official conformance suite and the clients' tests drive: every feature of the server, with the
//! names and texts that they expect.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod data;
mod logging;
mod resume;

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use common::Program;
use data::{ICON, PNG, RED_DOT, SCHEMA_2020_12, WAV};
use smol_mcp::{
    Call, Completing, Data, Icon, LogLevel, PromptResult, Prompting, ReadResult, Reading, Role, Server, ToolError,
    ToolResult, args, output, prompts, resources, tools,
};

const PROGRAM: Program = Program {
    name: "everything",
    version: env!("CARGO_PKG_VERSION"),
    about: "The fixture of the conformance suite and of the clients' tests.",
    own: &[],
};

args! {
    struct Echo {
        /// What to say.
        #[len(0..=16384)]
        text: String,
    }

    struct Add {
        /// The first number.
        a: i64,
        /// The second number.
        b: i64,
    }

    struct Compute {
        /// How long to compute.
        #[range(0.0..=600.0)]
        seconds: f64,
    }

    struct Template {
        /// Which one.
        id: String,
    }

    struct TwoArguments {
        /// First test argument.
        #[title("First")]
        arg1: String,
        /// Second test argument.
        arg2: String,
    }

    #[allow(non_snake_case)] // as the suite has it
    struct EmbeddedResource {
        /// The URI of the resource to embed.
        resourceUri: String,
    }
}

args! {
    struct Regional {
        /// Which region to ask. Gateways route by it.
        #[header("Region")]
        region: Option<String>,
        /// How urgent it is.
        #[range(0..=9)]
        #[header("Priority")]
        priority: Option<u8>,
    }
}

output! {
    struct Weather {
        /// In degrees Celsius.
        temperature: f32,
        /// What the sky looks like.
        conditions: Conditions,
        /// In percent.
        humidity: u8,
    }

    enum Conditions {
        Clear,
        PartlyCloudy,
    }
}

#[derive(Default)]
struct Everything {
    cancelled: Cell<u32>,
}

/// Counts a call that is dropped before it is done.
struct CountDrop<'a> {
    cancelled: &'a Cell<u32>,
    done: bool,
}

impl Drop for CountDrop<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.cancelled.set(self.cancelled.get() + 1);
        }
    }
}

tools! {
    impl Everything {
        /// Answers with the text that it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Echo) -> ToolResult {
            call.text(&args.text).await
        }

        /// Adds two integers.
        #[read_only]
        async fn add(&self, call: &mut Call<'_>, args: Add) -> ToolResult {
            call.reply(format_args!("{}", i128::from(args.a) + i128::from(args.b))).await
        }

        /// Tells every client that listens that the list of tools changed.
        #[idempotent]
        async fn notify(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("notified").await
        }

        /// Sends a message to every client of an older revision that listens.
        #[additive]
        async fn broadcast(&self, call: &mut Call<'_>, args: Echo) -> ToolResult {
            if !call.broadcast(LogLevel::Info, &args.text) {
                Err("the text is too large for one message")?;
            }
            call.text("sent").await
        }

        /// Answers with a fixed text.
        #[read_only]
        async fn test_simple_text(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("This is a simple text response for testing.").await
        }

        /// Answers with a picture.
        #[read_only]
        async fn test_image_content(&self, call: &mut Call<'_>) -> ToolResult {
            call.image("image/png", Data::Base64(PNG)).await;
            call.done().await
        }

        /// Answers with a sound.
        #[read_only]
        async fn test_audio_content(&self, call: &mut Call<'_>) -> ToolResult {
            call.audio("audio/wav", WAV).await;
            call.done().await
        }

        /// Answers with a resource.
        #[read_only]
        async fn test_embedded_resource(&self, call: &mut Call<'_>) -> ToolResult {
            call.embedded_text("test://embedded-resource", "text/plain", "This is an embedded resource content.").await;
            call.done().await
        }

        /// Answers with a text, a picture and a resource.
        #[read_only]
        async fn test_multiple_content_types(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("Multiple content types test:").await;
            call.image("image/png", Data::Base64(PNG)).await;
            let json = r#"{"test":"data","value":123}"#;
            call.embedded_text("test://mixed-content-resource", "application/json", json).await;
            call.done().await
        }

        /// Answers with structured content.
        #[read_only]
        #[title("Weather")]
        #[icon(ICON, "image/png", "1x1")]
        async fn test_structured_content(&self, _call: &mut Call<'_>) -> Result<Weather, ToolError> {
            Ok(Weather { temperature: 22.5, conditions: Conditions::PartlyCloudy, humidity: 65 })
        }

        /// Tool with JSON Schema 2020-12 features
        #[read_only]
        #[input_schema(SCHEMA_2020_12)]
        async fn json_schema_2020_12_tool(&self, call: &mut Call<'_>) -> ToolResult {
            let arguments = call.arguments_json();
            call.text(arguments).await
        }

        /// Takes arguments that are repeated in headers.
        #[read_only]
        async fn test_x_mcp_header(&self, call: &mut Call<'_>, args: Regional) -> ToolResult {
            let region = args.region.as_deref().unwrap_or("none");
            call.reply(format_args!("region: {region}, priority: {}", args.priority.unwrap_or(0))).await
        }

        /// Always fails.
        #[read_only]
        async fn test_error_handling(&self, _call: &mut Call<'_>) -> ToolResult {
            Err("This tool intentionally returns an error for testing".into())
        }

        /// Reports progress: 0, 50 and 100 of 100.
        #[read_only]
        async fn test_tool_with_progress(&self, call: &mut Call<'_>) -> ToolResult {
            for progress in [0.0, 50.0, 100.0] {
                call.progress(progress, Some(100.0), None).await;
                smol::Timer::after(Duration::from_millis(50)).await;
            }
            call.text("done").await
        }

        /// Takes its time; can be cancelled.
        #[read_only]
        async fn slow_compute(&self, call: &mut Call<'_>, args: Compute) -> ToolResult {
            let mut count = CountDrop { cancelled: &self.cancelled, done: false };
            smol::Timer::after(Duration::from_secs_f64(args.seconds)).await;
            count.done = true;
            call.reply(format_args!("computed for {} s", args.seconds)).await
        }

        /// How many calls of slow_compute were cancelled so far.
        #[read_only]
        async fn cancelled_count(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(format_args!("{}", self.cancelled.get())).await
        }

        /// Fires notifications/prompts/list_changed.
        #[idempotent]
        async fn test_trigger_prompt_change(&self, call: &mut Call<'_>) -> ToolResult {
            call.prompts_changed();
            call.text("fired").await
        }

        /// Fires notifications/resources/updated for test://watched-resource.
        #[idempotent]
        async fn test_trigger_resource_update(&self, call: &mut Call<'_>) -> ToolResult {
            call.resource_updated("test://watched-resource");
            call.text("fired").await
        }

        /// Fires notifications/tools/list_changed.
        #[idempotent]
        async fn test_trigger_tool_change(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("fired").await
        }

        // --- small ---

        /// Sends three log messages while it runs.
        #[read_only]
        async fn test_tool_with_logging(&self, call: &mut Call<'_>) -> ToolResult {
            logging::three(call).await
        }

        /// Sends a log message, where the request asks for them.
        #[read_only]
        async fn test_logging_tool(&self, call: &mut Call<'_>) -> ToolResult {
            logging::one(call).await
        }

        // --- resume ---

        /// Closes the connection in the middle of the call, so that the client must come back for the result.
        #[read_only]
        async fn test_reconnection(&self, call: &mut Call<'_>) -> ToolResult {
            resume::test_reconnection(call).await
        }
    }
}

resources! {
    impl Everything {
        /// A static text resource for testing.
        #[uri("test://static-text")]
        #[title("Static text")]
        #[icon(ICON, "image/png", "1x1")]
        #[meta(r#"{"com.example/kind":"static"}"#)]
        #[mime("text/plain")]
        #[audience(user, assistant)]
        #[priority(0.5)]
        async fn static_text(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("This is the content of the static text resource.").await
        }

        /// A static binary resource for testing.
        #[uri("test://static-binary")]
        #[mime("image/png")]
        #[size(69)]
        async fn static_binary(&self, call: &mut Reading<'_>) -> ReadResult {
            call.blob(RED_DOT).await
        }

        /// A resource template.
        #[uri("test://template/{id}/data")]
        #[mime("application/json")]
        #[complete(ids)]
        async fn template(&self, call: &mut Reading<'_>, args: Template) -> ReadResult {
            let id = serde_json::Value::from(args.id.as_str());
            let data = serde_json::Value::from(format!("Data for ID: {}", args.id));
            call.reply(format_args!(r#"{{"id":{id},"templateTest":true,"data":{data}}}"#)).await
        }

        /// A resource to subscribe to.
        #[uri("test://watched-resource")]
        #[mime("text/plain")]
        async fn watched_resource(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("This resource changes when test_trigger_resource_update is called.").await
        }
    }
}

prompts! {
    impl Everything {
        /// A simple prompt without arguments.
        #[title("Simple prompt")]
        #[icon(ICON, "image/png", "1x1")]
        #[meta(r#"{"com.example/kind":"simple"}"#)]
        async fn test_simple_prompt(&self, call: &mut Prompting<'_>) -> PromptResult {
            call.text("This is a simple prompt for testing.").await
        }

        /// A prompt with arguments.
        #[complete(words)]
        async fn test_prompt_with_arguments(&self, call: &mut Prompting<'_>, args: TwoArguments) -> PromptResult {
            call.reply(format_args!("Prompt with arguments: arg1='{}', arg2='{}'", args.arg1, args.arg2)).await
        }

        /// A prompt that embeds a resource.
        async fn test_prompt_with_embedded_resource(
            &self,
            call: &mut Prompting<'_>,
            args: EmbeddedResource,
        ) -> PromptResult {
            let text = "Embedded resource content for testing.";
            call.resource_text(Role::User, &args.resourceUri, Some("text/plain"), text).await;
            call.user("Please process the embedded resource above.").await;
            call.done().await
        }

        /// A prompt with an image.
        async fn test_prompt_with_image(&self, call: &mut Prompting<'_>) -> PromptResult {
            call.image(Role::User, "image/png", RED_DOT).await;
            call.user("Please analyze the image above.").await;
            call.done().await
        }
    }
}

impl Everything {
    async fn ids(&self, call: &mut Completing<'_>) {
        for id in ["1", "12", "123"] {
            call.offer(id).await;
        }
    }

    async fn words(&self, call: &mut Completing<'_>) {
        for word in ["paris", "park", "party", "test"] {
            call.offer(word).await;
        }
    }
}

fn main() -> ExitCode {
    common::main(&PROGRAM, |_| {
        let server = Server::new("everything", env!("CARGO_PKG_VERSION"), Everything::default());
        let server = server.title("Everything").description("What the server can do, each once.");
        let server = server.icon(Icon { src: ICON, mime: "image/png", sizes: &["1x1"] });
        let server = server.website_url(env!("CARGO_PKG_REPOSITORY"));
        Ok(server.extension("com.example/everything", "{}").resources().prompts())
    })
}
