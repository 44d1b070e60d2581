//! The application of the conversations about what the user must confirm first.

use std::cell::Cell;

use smol_mcp::{Call, InputError, ToolResult, args, tools};

args! {
    pub(crate) struct File {
        /// Which one.
        name: String,
    }

    pub(crate) struct Name {
        name: String,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct Danger {
    /// How often something dangerous was done.
    done: Cell<u32>,
    heat: Cell<u32>,
}

impl Danger {
    async fn run(&self, call: &mut Call<'_>) -> ToolResult {
        self.done.set(self.done.get() + 1);
        call.reply(format_args!("done, {} so far", self.done.get())).await
    }
}

tools! {
    impl Danger {
        /// Erases everything.
        #[destructive]
        #[confirm("Erase everything?")]
        async fn erase(&self, call: &mut Call<'_>) -> ToolResult {
            self.run(call).await
        }

        /// Deletes a file.
        #[confirm("Delete this file?")]
        #[destructive]
        async fn delete(&self, call: &mut Call<'_>, args: File) -> ToolResult {
            call.print(format_args!("{}: ", args.name)).await;
            self.run(call).await
        }

        /// Takes what its own schema says.
        #[destructive]
        #[input_schema(r#"{"type": "object", "properties": { "a": { "type": "string" } }}"#)]
        #[confirm("Do this?")]
        async fn free(&self, call: &mut Call<'_>) -> ToolResult {
            self.run(call).await
        }

        /// Asks, makes sure, and asks again.
        #[destructive]
        async fn careful(&self, call: &mut Call<'_>) -> ToolResult {
            let name = call.elicit::<Name>("name", "Who?").await?.accepted().map_or("nobody".into(), |who| who.name);
            call.confirm(format_args!("Send {name} to the moon?")).await?;
            let by = call.elicit::<Name>("by", "By what?").await?;
            call.print(format_args!("{name} by {}: ", by.accepted().map_or("nothing".into(), |by| by.name))).await;
            self.run(call).await
        }

        /// Wants to hear it twice.
        #[destructive]
        async fn twice(&self, call: &mut Call<'_>) -> ToolResult {
            call.confirm("Sure?").await?;
            call.confirm("Sure?").await?;
            self.run(call).await
        }

        /// Says what is so now.
        #[destructive]
        async fn changing(&self, call: &mut Call<'_>) -> ToolResult {
            call.confirm(format_args!("Melt it at {} degrees?", self.heat.get())).await?;
            self.run(call).await
        }

        /// Makes it hotter.
        #[additive]
        async fn hotter(&self, call: &mut Call<'_>) -> ToolResult {
            self.heat.set(self.heat.get() + 1);
            call.text("hotter").await
        }

        /// Has another way.
        #[destructive]
        async fn optional(&self, call: &mut Call<'_>) -> ToolResult {
            match call.confirm("Do it?").await {
                Ok(()) => self.run(call).await,
                Err(InputError::Declined) => call.text("then not").await,
                Err(error) => call.reply(format_args!("not, as {error}")).await,
            }
        }

        /// Wipes, as a task.
        #[destructive]
        #[task]
        #[confirm("Wipe it?")]
        async fn wipe(&self, call: &mut Call<'_>) -> ToolResult {
            self.run(call).await
        }

        /// Asks, and becomes a task then.
        #[destructive]
        #[task(later)]
        #[confirm("Begin?")]
        async fn later(&self, call: &mut Call<'_>) -> ToolResult {
            let name = call.elicit::<Name>("name", "Who?").await?.accepted().map_or("nobody".into(), |who| who.name);
            call.become_task().await;
            call.print(format_args!("{name}: ")).await;
            self.run(call).await
        }

        /// Makes sure, becomes a task, and makes sure again in the same words.
        #[destructive]
        #[task(later)]
        async fn again(&self, call: &mut Call<'_>) -> ToolResult {
            call.confirm("Sure?").await?;
            call.become_task().await;
            call.confirm("Sure?").await?;
            self.run(call).await
        }

        /// How often something dangerous was done.
        #[read_only]
        async fn done(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(self.done.get()).await
        }
    }
}
