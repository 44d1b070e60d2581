//! An application that does all that an application should not.

use std::future::pending;
use std::panic::{self, panic_any};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use smol::future::yield_now;
use smol_mcp::{
    Call, Completing, LogLevel, PromptResult, Prompting, ReadResult, Reading, Server, ToolResult, WithPrompts,
    WithResources, args, prompts, resources, tools,
};

/// What panics say that are a test's.
const PURPOSE: &str = "on purpose";
/// Lines that are larger than a transmit buffer together.
const MANY: u32 = 64;

args! {
    pub(crate) struct Text {
        /// What to say.
        #[len(0..=65536)]
        text: String,
    }

    /// How to go wrong.
    pub(crate) struct Fault {
        /// What to do.
        way: Way,
    }

    pub(crate) enum Way {
        /// Panic before anything was said.
        Panic,
        /// With what is no text.
        PanicOther,
        /// With what panics when it is dropped.
        PanicBomb,
        /// After the beginning of the answer, which was not sent yet.
        PanicLate,
        /// After a part of the answer was sent.
        PanicAmid,
        /// After a notification.
        PanicStream,
        /// Never end, and panic when it is dropped.
        PanicDrop,
        /// Never end.
        Never,
        /// Never end, and never rest.
        Restless,
        /// Write without end.
        Flood,
        /// Tell how far it is, without end.
        Chatter,
        /// Fail after a part of the answer.
        FailLate,
        /// Fail after a part of the answer was sent.
        FailAmid,
        /// Fail after a notification.
        FailStream,
        /// Fail with what can't be shown.
        FailUnshown,
        /// Hold the thread for two seconds.
        Block,
    }

    pub(crate) struct Word {
        /// The word.
        word: String,
    }

    pub(crate) struct Named {
        /// Which way, by its name.
        way: Way,
    }
}

/// Panics when it is dropped, unless that happens as another panic passes: that would be the end of any program.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "{PURPOSE}: a bomb was dropped");
    }
}

/// An error that can't be shown.
#[derive(Debug)]
struct Unshown;

impl std::fmt::Display for Unshown {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("{PURPOSE}: an error that can't be shown")
    }
}

impl std::error::Error for Unshown {}

/// The application.
pub(crate) struct Faults;

// What all kinds of handlers do alike.
async fn go_wrong(way: Way) {
    match way {
        Way::Panic => panic!("on purpose"),
        Way::PanicOther => panic_any(7),
        Way::PanicBomb => panic_any(Bomb),
        Way::PanicDrop => {
            let _bomb = Bomb;
            pending::<()>().await;
        }
        Way::Never => pending().await,
        Way::Restless => loop {
            yield_now().await;
        },
        Way::Block => thread::sleep(Duration::from_secs(2)),
        _ => {}
    }
}

tools! {
    impl Faults {
        /// Answers with the text that it is given.
        #[read_only]
        #[task]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Tells how far it is, and answers.
        #[read_only]
        async fn steps(&self, call: &mut Call<'_>) -> ToolResult {
            for step in 0..3 {
                call.progress(f64::from(step), Some(3.0), Some("one more")).await;
            }
            call.text("there").await
        }

        /// Tells every client that listens that the list of tools changed.
        #[idempotent]
        async fn notify(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.text("notified").await
        }

        /// Says more than a transmit buffer holds.
        #[read_only]
        async fn much(&self, call: &mut Call<'_>) -> ToolResult {
            let line = "0123456789abcdef".repeat(64);
            for _ in 0..MANY {
                call.write(&line).await;
            }
            call.done().await
        }

        /// Says more than a kernel keeps for a reader that stops.
        #[read_only]
        async fn huge(&self, call: &mut Call<'_>) -> ToolResult {
            let line = "0123456789abcdef".repeat(1024);
            for _ in 0..1024 {
                call.write(&line).await;
            }
            call.done().await
        }

        /// Goes wrong.
        #[read_only]
        #[task]
        async fn fault(&self, call: &mut Call<'_>, args: Fault) -> ToolResult {
            let line = "0123456789abcdef".repeat(64);
            match args.way {
                Way::PanicLate | Way::FailLate => call.write("half an answer, and then").await,
                Way::PanicAmid | Way::FailAmid => {
                    for _ in 0..MANY {
                        call.write(&line).await;
                    }
                }
                Way::PanicStream | Way::FailStream => {
                    call.progress(1.0, None, Some("so far")).await;
                    call.write("half an answer, and then").await;
                }
                Way::Flood => loop {
                    call.write(&line).await;
                },
                Way::Chatter => loop {
                    if !call.progress(1.0, None, Some("still there")).await {
                        yield_now().await;
                    }
                },
                way => go_wrong(way).await,
            }
            match args.way {
                Way::PanicLate | Way::PanicAmid | Way::PanicStream => panic!("on purpose"),
                Way::FailLate | Way::FailAmid | Way::FailStream => Err("it failed".into()),
                Way::FailUnshown => Err(std::io::Error::other(Unshown).into()),
                _ => call.done().await,
            }
        }
    }
}

resources! {
    impl Faults {
        /// Goes wrong.
        #[uri("fault://{way}")]
        async fn fault_resource(&self, call: &mut Reading<'_>, args: Named) -> ReadResult {
            let line = "0123456789abcdef".repeat(64);
            match args.way {
                Way::PanicLate | Way::FailLate => call.write("half an answer, and then").await,
                Way::PanicAmid | Way::FailAmid => {
                    for _ in 0..MANY {
                        call.write(&line).await;
                    }
                }
                Way::PanicStream | Way::FailStream => drop(call.log(LogLevel::Info, None, "so far").await),
                Way::Flood => loop {
                    call.write(&line).await;
                },
                way => go_wrong(way).await,
            }
            match args.way {
                Way::PanicLate | Way::PanicAmid | Way::PanicStream => panic!("on purpose"),
                Way::FailLate | Way::FailAmid | Way::FailStream => Err("it failed".into()),
                Way::FailUnshown => Err(std::io::Error::other(Unshown).into()),
                _ => call.done().await,
            }
        }
    }
}

prompts! {
    impl Faults {
        /// Says a word, whose completion goes wrong.
        #[complete(words)]
        async fn word(&self, call: &mut Prompting<'_>, args: Word) -> PromptResult {
            call.text(&args.word).await
        }

        /// Goes wrong.
        async fn fault_prompt(&self, call: &mut Prompting<'_>, args: Named) -> PromptResult {
            let line = "0123456789abcdef".repeat(64);
            match args.way {
                Way::PanicLate | Way::FailLate => call.user("half an answer, and then").await,
                Way::PanicAmid | Way::FailAmid => {
                    for _ in 0..MANY {
                        call.user(&line).await;
                    }
                }
                Way::PanicStream | Way::FailStream => drop(call.log(LogLevel::Info, None, "so far").await),
                Way::Flood => loop {
                    call.user(&line).await;
                },
                way => go_wrong(way).await,
            }
            match args.way {
                Way::PanicLate | Way::PanicAmid | Way::PanicStream => panic!("on purpose"),
                Way::FailLate | Way::FailAmid | Way::FailStream => Err("it failed".into()),
                Way::FailUnshown => Err(std::io::Error::other(Unshown).into()),
                _ => call.done().await,
            }
        }
    }
}

impl Faults {
    async fn words(&self, call: &mut Completing<'_>) {
        match call.typed() {
            "panic" => go_wrong(Way::Panic).await,
            "panic_bomb" => go_wrong(Way::PanicBomb).await,
            "never" => go_wrong(Way::Never).await,
            "flood" => loop {
                call.push("more").await;
            },
            _ => call.push("never").await,
        }
    }
}

/// The server of the application, not bound yet. What panics on purpose is not shown.
pub(crate) fn server() -> Server<Faults, WithResources, WithPrompts> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let show = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or(payload.downcast_ref::<&str>().copied());
            if text.is_some_and(|text| !text.contains(PURPOSE)) {
                show(info);
            }
        }));
    });
    Server::new("faults", "1", Faults).resources().prompts()
}
