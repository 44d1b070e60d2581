//! The application that the conversations about input from the client are about.

use std::cell::Cell;

use smol_mcp::{
    Call, Capability, Elicit, Elicited, InputError, ListRoots, PromptResult, Prompting, ReadResult, Reading, Sample,
    Sampling, ToolResult, args, output, prompts, resources, tools,
};

output! {
    pub(crate) struct Order {
        /// What to call you.
        #[len(1..=20)]
        name: String,
        #[range(1..=9)]
        cups: Option<u8>,
        size: Option<Size>,
        hot: bool,
    }

    pub(crate) enum Size {
        Small,
        Large,
    }
}

args! {
    pub(crate) struct Name {
        name: String,
    }

    pub(crate) struct Empty {}
}

/// The application.
#[derive(Default)]
pub(crate) struct Asking {
    made: Cell<u32>,
}

fn said(name: Elicited<Name>) -> String {
    let action = name.action();
    name.accepted().map_or(action.into(), |name| name.name)
}

tools! {
    impl Asking {
        /// Asks what to make.
        #[additive]
        async fn order(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("Made: ").await;
            let usual = Order { name: "Ana \"A\"".into(), cups: None, size: Some(Size::Large), hot: true };
            let order = call.ask(Elicit::new("order", "What may it be?").filled(&usual)).await?;
            call.reply(format_args!("{order:?}")).await
        }

        /// Asks for a page to be opened.
        #[additive]
        async fn page(&self, call: &mut Call<'_>) -> ToolResult {
            let page = call.elicit_url("page", "Sign in", "https://example.org/?a=1&b=\"2\"").await?;
            call.text(page.action()).await
        }

        /// Asks the model.
        #[additive]
        async fn model(&self, call: &mut Call<'_>) -> ToolResult {
            let question = Sampling::text("Why?").system("Be brief.").temperature(0.5).max_tokens(7);
            let said = call.sample("why", question).await?;
            call.reply(format_args!("{} ({}, {})", said.text(), said.model(), said.stop_reason())).await
        }

        /// Asks three at once.
        #[additive]
        async fn together(&self, call: &mut Call<'_>) -> ToolResult {
            let name = Elicit::<Name>::new("name", "Who?");
            let talk = Sampling::messages_json(r#"[
                { "role": "user", "content": { "type": "text", "text": "Hi" } }
            ]"#);
            let (name, said, roots) = call.ask((name, Sample::new("talk", talk), ListRoots::new("roots"))).await?;
            call.print(format_args!("{}: {};", self::said(name), said.text())).await;
            for root in roots.iter() {
                call.print(format_args!(" {}={}", root.name(), root.uri())).await;
            }
            call.done().await
        }

        /// Makes something once, and asks before and after.
        #[additive]
        async fn rounds(&self, call: &mut Call<'_>) -> ToolResult {
            let first = said(call.elicit("first", "First?").await?);
            let made = call.once("made", async {
                self.made.set(self.made.get() + 1);
                self.made.get()
            });
            let made = made.await?;
            let second = said(call.elicit("second", "Second?").await?);
            call.reply(format_args!("{first}, {second}, made {made}")).await
        }

        /// How often something was made.
        #[read_only]
        async fn made(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(self.made.get()).await
        }

        /// Goes on without an answer.
        #[additive]
        async fn optional(&self, call: &mut Call<'_>) -> ToolResult {
            if !call.client_can(Capability::Elicitation) {
                return call.text("no forms").await;
            }
            match call.elicit::<Name>("name", "Who?").await {
                Ok(name) => call.reply(said(name)).await,
                Err(error @ InputError::Refused) => call.reply(format_args!("by default, as {error}")).await,
                Err(error) => Err(error)?,
            }
        }

        /// Asks by a schema of its own.
        #[additive]
        async fn free_form(&self, call: &mut Call<'_>) -> ToolResult {
            let schema = r#"{ "type": "object",
                "properties": { "x": { "type": "number" }, "t": { "type": "string" } }, "required": [] }"#;
            match call.elicit_json("free", "Anything?", schema).await? {
                Elicited::Accepted(content) => {
                    let (x, text) = (content.number("x"), content.text("t").map(|text| text.to_string()));
                    call.reply(format_args!("{content} {x:?} {text:?} {:?}", content.bool("b"))).await
                }
                other => call.text(other.action()).await,
            }
        }

        /// Asks when it is too late.
        #[additive]
        async fn too_late(&self, call: &mut Call<'_>) -> ToolResult {
            call.write(&"x".repeat(20_000)).await;
            call.elicit::<Empty>("late", "Is it?").await?;
            call.done().await
        }
    }
}

resources! {
    impl Asking {
        /// Asks who reads.
        #[uri("ask://who")]
        async fn who(&self, call: &mut Reading<'_>) -> ReadResult {
            let name = said(call.elicit("name", "Who reads?").await?);
            call.text(&name).await
        }
    }
}

prompts! {
    impl Asking {
        /// Asks what about.
        async fn about(&self, call: &mut Prompting<'_>) -> PromptResult {
            let name = said(call.elicit("name", "What about?").await?);
            call.text(&name).await
        }
    }
}
