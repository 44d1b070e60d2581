//! The fixture's resources and prompts, and what completes their arguments.

use smol_mcp::{Completing, PromptResult, Prompting, ReadResult, Reading, Role, args, prompts, resources};

use super::Everything;
use super::data::{ICON, RED_DOT};
use super::input;

args! {
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

        // --- input ---

        /// A prompt that asks the user first.
        async fn test_input_required_result_prompt(&self, call: &mut Prompting<'_>) -> PromptResult { input::prompt(call).await }
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
