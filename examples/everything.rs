//! The fixture that the official conformance suite and the clients' tests drive: every feature of the server, with the
//! names and texts that they expect.
#![forbid(unsafe_code)]

mod common;

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use common::Program;
use smol_mcp::{Call, Data, LogLevel, Server, ToolError, ToolResult, args, output, tools};

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

/// A picture of one red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// The same for a tool.
const ICON: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// A sound of no length: 8 kHz, 8 bits, mono.
const WAV: &[u8; 44] = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";

/// What JSON Schema 2020-12 has beyond that of `args!`.
const SCHEMA_2020_12: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
        }
    },
    "properties": {
        "name": { "type": "string" },
        "address": { "$ref": "#/$defs/address" },
        "contactMethod": { "type": "string", "enum": ["phone", "email"] },
        "phone": { "type": "string" },
        "email": { "type": "string" }
    },
    "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
    "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
    "then": { "required": ["phone"] },
    "else": { "required": ["email"] },
    "additionalProperties": false
}"##;

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

        /// Fires notifications/tools/list_changed.
        #[idempotent]
        async fn test_trigger_tool_change(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("fired").await
        }
    }
}

fn main() -> ExitCode {
    common::main(&PROGRAM, |_| Ok(Server::new("everything", env!("CARGO_PKG_VERSION"), Everything::default())))
}
