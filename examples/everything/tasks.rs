//! The fixtures of the suite's `tasks-*` scenarios.

use std::cell::Cell;
use std::time::Duration;

use smol_mcp::{Call, Config, Elicit, Elicited, ToolResult, args};

/// Several runs of the suite leave tasks behind, which are kept for a while.
const TASKS: usize = 64;

args! {
    pub(crate) struct Compute {
        /// How long to compute.
        #[range(0.0..=600.0)]
        seconds: f64,
        /// What the caller calls it.
        label: Option<String>,
    }

    pub(crate) struct Greet {
        /// Whom to greet.
        name: String,
    }

    pub(crate) struct Delete {
        /// The file to delete.
        filename: String,
    }

    struct Confirmation {
        /// Whether to go on.
        confirm: bool,
    }

    struct Guest {
        /// The guest's name.
        name: String,
        /// Whether the guest comes.
        confirm: Option<bool>,
    }

    struct UserName {
        /// The user's name.
        name: String,
    }
}

/// Room for the tasks of the suite.
pub(crate) fn config(config: Config) -> Config {
    config.tasks(TASKS)
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

pub(crate) async fn slow_compute(call: &mut Call<'_>, args: Compute, cancelled: &Cell<u32>) -> ToolResult {
    let mut count = CountDrop { cancelled, done: false };
    smol::Timer::after(Duration::from_secs_f64(args.seconds)).await;
    count.done = true;
    let label = args.label.as_deref().unwrap_or("something");
    call.reply(format_args!("computed {label} for {} s", args.seconds)).await
}

pub(crate) async fn greet(call: &mut Call<'_>, args: Greet) -> ToolResult {
    call.reply(format_args!("Hello, {}!", args.name)).await
}

pub(crate) async fn failing_job(_call: &mut Call<'_>) -> ToolResult {
    smol::Timer::after(Duration::from_secs(1)).await;
    Err("This job always fails".into())
}

#[expect(clippy::panic, reason = "what the client is told of a panic is the scenario")]
pub(crate) async fn protocol_error_job(_call: &mut Call<'_>) -> ToolResult {
    smol::Timer::after(Duration::from_millis(100)).await;
    panic!("this job always panics")
}

pub(crate) async fn confirm_delete(call: &mut Call<'_>, args: Delete) -> ToolResult {
    let message = format!("Delete {}?", args.filename);
    match call.elicit::<Confirmation>("confirm", &message).await? {
        Elicited::Accepted(Confirmation { confirm: true }) => {
            call.reply(format_args!("deleted {}", args.filename)).await
        }
        _ => call.text("nothing was deleted").await,
    }
}

pub(crate) async fn multi_input(call: &mut Call<'_>) -> ToolResult {
    let first = Elicit::<Guest>::new("first", "Who is the first guest?");
    let second = Elicit::<Guest>::new("second", "Who is the second guest?");
    let (first, second) = call.ask((first, second)).await?;
    for guest in [first, second].into_iter().filter_map(Elicited::accepted) {
        let comes = if guest.confirm == Some(false) { "does not come" } else { "comes" };
        call.print(format_args!("{} {comes}\n", guest.name)).await;
    }
    call.done().await
}

pub(crate) async fn tool_with_task(call: &mut Call<'_>) -> ToolResult {
    let user = call.elicit::<UserName>("user_name", "What is your name?").await?.accepted();
    call.become_task().await;
    smol::Timer::after(Duration::from_millis(100)).await;
    call.reply(format_args!("Hello, {}!", user.as_ref().map_or("stranger", |user| user.name.as_str()))).await
}
