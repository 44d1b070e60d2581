//! The application that the conversations about tasks are about.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use smol_mcp::{Call, Elicit, Elicited, ToolResult, args, tools};

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
    dropped: Cell<u32>,
    made: Cell<u32>,
    releases: Cell<u32>,
    waiting: RefCell<Vec<Waker>>,
}

/// Counts a tool that was dropped before its end.
struct Count<'a>(Option<&'a Cell<u32>>);

impl Drop for Count<'_> {
    fn drop(&mut self) {
        if let Some(dropped) = self.0 {
            dropped.set(dropped.get() + 1);
        }
    }
}

impl Chores {
    // Until the next `release`.
    async fn released(&self) {
        let mut count = Count(Some(&self.dropped));
        let before = self.releases.get();
        poll_fn(|cx| {
            if self.releases.get() != before {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        count.0 = None;
    }
}

tools! {
    impl Chores {
        /// Waits for a release.
        #[read_only]
        #[task]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            self.released().await;
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
            self.released().await;
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
            let _count = Count((args.kilobytes > 14).then_some(&self.dropped));
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
            self.released().await;
            let name = name.map_or_else(|| "nobody".to_owned(), |name| name.name);
            call.reply(format_args!("{name} {made} {again} of {}", self.made.get())).await
        }

        /// Lets all go that wait.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.releases.set(self.releases.get() + 1);
            self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
            call.text("go").await
        }

        /// How many tools were dropped before their end.
        #[read_only]
        async fn dropped(&self, call: &mut Call<'_>) -> ToolResult {
            call.reply(self.dropped.get()).await
        }
    }
}
