//! The fixture that the official conformance suite and the clients' tests drive: every feature of the server, with the
//! names and texts that they expect.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod data;
mod input;
mod library;
mod logging;
mod resume;
mod tasks;

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use common::{Program, oauth};
use data::{ICON, PNG, SCHEMA_2020_12, WAV};
use smol_mcp::{Call, Data, Icon, LogLevel, Server, ToolError, ToolResult, args, output, tools};

const PROGRAM: Program = Program {
    name: "everything",
    version: env!("CARGO_PKG_VERSION"),
    about: "The fixture of the conformance suite and of the clients' tests.",
    own: &[oauth::ISSUER, oauth::JWKS, oauth::RESOURCE, oauth::AUDIENCE, oauth::SCOPE],
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
        #[task]
        async fn slow_compute(&self, call: &mut Call<'_>, args: tasks::Compute) -> ToolResult {
            tasks::slow_compute(call, args, &self.cancelled).await
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

        // --- input ---

        /// Asks the client's model.
        #[additive] async fn test_sampling(&self, call: &mut Call<'_>, args: input::Prompt) -> ToolResult { input::sampling(call, args).await }
        /// Asks the user for a name and an address.
        #[additive] async fn test_elicitation(&self, call: &mut Call<'_>, args: input::Message) -> ToolResult { input::elicitation(call, args).await }
        /// Shows the user a form that is filled in already.
        #[additive] async fn test_elicitation_sep1034_defaults(&self, call: &mut Call<'_>) -> ToolResult { input::elicitation_sep1034_defaults(call).await }
        /// Shows the user a form with all kinds of choices.
        #[additive] async fn test_elicitation_sep1330_enums(&self, call: &mut Call<'_>) -> ToolResult { input::elicitation_sep1330_enums(call).await }
        /// Needs a client with a model.
        #[additive] async fn test_missing_capability(&self, call: &mut Call<'_>) -> ToolResult { input::missing_capability(call).await }
        /// Reports progress, and then asks the user.
        #[additive] async fn test_streaming_elicitation(&self, call: &mut Call<'_>) -> ToolResult { input::streaming_elicitation(call).await }
        /// Asks the user to open a page.
        #[additive] async fn test_elicitation_url(&self, call: &mut Call<'_>) -> ToolResult { input::elicitation_url(call).await }
        /// Asks the user's name.
        #[additive] async fn test_input_required_result_elicitation(&self, call: &mut Call<'_>) -> ToolResult { input::ask_elicitation(call).await }
        /// Asks the client's model for a capital.
        #[additive] async fn test_input_required_result_sampling(&self, call: &mut Call<'_>) -> ToolResult { input::ask_sampling(call).await }
        /// Asks the client for its folders.
        #[additive] async fn test_input_required_result_list_roots(&self, call: &mut Call<'_>) -> ToolResult { input::ask_list_roots(call).await }
        /// Keeps a value while it asks.
        #[additive] async fn test_input_required_result_request_state(&self, call: &mut Call<'_>) -> ToolResult { input::ask_request_state(call).await }
        /// Asks three questions at once.
        #[additive] async fn test_input_required_result_multiple_inputs(&self, call: &mut Call<'_>) -> ToolResult { input::ask_multiple_inputs(call).await }
        /// Asks one question after the other.
        #[additive] async fn test_input_required_result_multi_round(&self, call: &mut Call<'_>) -> ToolResult { input::ask_multi_round(call).await }
        /// Refuses what was changed on the way.
        #[additive] async fn test_input_required_result_tampered_state(&self, call: &mut Call<'_>) -> ToolResult { input::ask_tampered_state(call).await }
        /// Asks only what the client can answer.
        #[additive] async fn test_input_required_result_capabilities(&self, call: &mut Call<'_>) -> ToolResult { input::ask_capabilities(call).await }

        /// Erases what it is told to, once the user has agreed.
        #[destructive] #[confirm("Erase this?")]
        async fn test_confirm(&self, call: &mut Call<'_>, args: Echo) -> ToolResult { call.reply(format_args!("erased {}", args.text)).await }

        // --- tasks ---

        /// Greets somebody.
        #[read_only] async fn greet(&self, call: &mut Call<'_>, args: tasks::Greet) -> ToolResult { tasks::greet(call, args).await }
        /// Fails after a second.
        #[read_only] #[task(required)] async fn failing_job(&self, call: &mut Call<'_>) -> ToolResult { tasks::failing_job(call).await }
        /// Panics.
        #[read_only] #[task(required)] async fn protocol_error_job(&self, call: &mut Call<'_>) -> ToolResult { tasks::protocol_error_job(call).await }
        /// Deletes a file, if the user agrees.
        #[destructive] #[task]
        async fn confirm_delete(&self, call: &mut Call<'_>, args: tasks::Delete) -> ToolResult { tasks::confirm_delete(call, args).await }
        /// Asks two questions at once.
        #[read_only] #[task] async fn multi_input(&self, call: &mut Call<'_>) -> ToolResult { tasks::multi_input(call).await }
        /// Asks for a name before it becomes a task.
        #[read_only] #[task(required, later)] async fn test_tool_with_task(&self, call: &mut Call<'_>) -> ToolResult { tasks::tool_with_task(call).await }
    }
}

fn main() -> ExitCode {
    common::main_with(
        &PROGRAM,
        |args, config| oauth::config(args, tasks::config(config)),
        |_| {
            common::begin_timers();
            let server = Server::new("everything", env!("CARGO_PKG_VERSION"), Everything::default());
            let server = server.title("Everything").description("What the server can do, each once.");
            let server = server.icon(Icon { src: ICON, mime: "image/png", sizes: &["1x1"] });
            let server = server.website_url(env!("CARGO_PKG_REPOSITORY"));
            Ok(server.extension("com.example/everything", "{}").resources().prompts())
        },
    )
}
