//! The application that the conversations about tasks are about.

use std::cell::Cell;

use smol_mcp::{Call, Elicit, Elicited, ToolResult, args, tools};

use crate::gate::Gate;

args! {
    pub(crate) struct Text {
        /// What to say.
        #[len(0..=20000)]
        text: String,
    }

    pub(crate) struct Size {
        /// How many kilobytes.
        #[range(0..=1024)]
        kilobytes: u32,
    }

    pub(crate) struct Name {
        /// A name.
        name: String,
    }

    pub(crate) struct Sure {
        /// Whether to go on.
        sure: bool,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct Chores {
    made: Cell<u32>,
    gate: Gate,
}

tools! {
    impl Chores {
        /// Waits for a release.
        #[read_only]
        #[task]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.released().await;
            call.text("released").await
        }

        /// Says it again.
        #[read_only]
        #[task]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Tells how far it is, and waits.
        #[read_only]
        #[task]
        async fn steps(&self, call: &mut Call<'_>) -> ToolResult {
            call.progress(1.0, Some(2.0), Some("half of it")).await;
            self.gate.released().await;
            call.text("done").await
        }

        /// Fails.
        #[read_only]
        #[task]
        async fn fail(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            Err("the mop is gone".into())
        }

        /// Panics.
        #[read_only]
        #[task]
        async fn panic_now(&self, call: &mut Call<'_>) -> ToolResult {
            call.write("never seen").await;
            panic!("on purpose");
        }

        /// Writes a long text.
        #[read_only]
        #[task]
        async fn big(&self, call: &mut Call<'_>, args: Size) -> ToolResult {
            let _count = (args.kilobytes > 14).then(|| self.gate.count());
            for _ in 0..args.kilobytes * 64 {
                call.write("0123456789abcdef").await;
            }
            call.done().await
        }

        /// Only runs as a task.
        #[read_only]
        #[task(required)]
        async fn only(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("as a task").await
        }

        /// Asks, and then asks twice at once.
        #[read_only]
        #[task]
        async fn ask(&self, call: &mut Call<'_>) -> ToolResult {
            let Elicited::Accepted(Sure { sure: true }) = call.elicit("sure", "Are you sure?").await? else {
                return call.text("not sure").await;
            };
            let one = Elicit::<Name>::new("name", "Who is the first?");
            let two = Elicit::<Name>::new("name", "Who is the second?");
            let (one, two) = call.ask((one, two)).await?;
            for name in [one, two] {
                let name = name.accepted().map_or_else(|| "nobody".to_owned(), |name| name.name);
                call.print(format_args!("{name} ")).await;
            }
            call.done().await
        }

        /// Asks and becomes a task then.
        #[additive]
        #[task(later)]
        async fn later(&self, call: &mut Call<'_>) -> ToolResult {
            let made = call.once("before", async { self.made.replace(self.made.get() + 1) }).await?;
            let name = call.elicit::<Name>("name", "Who are you?").await?.accepted();
            let again = call.once("after", async { self.made.replace(self.made.get() + 1) }).await?;
            call.become_task().await;
            self.gate.released().await;
            let name = name.map_or_else(|| "nobody".to_owned(), |name| name.name);
            call.reply(format_args!("{name} {made} {again} of {}", self.made.get())).await
        }

        /// Lets all go that wait.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.release();
            call.text("go").await
        }

        /// How many tools were dropped before their end.
        #[read_only]
        async fn dropped(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(self.gate.dropped()).await
        }
    }
}
