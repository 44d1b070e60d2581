//! The application that the conversations about resources and prompts are about.

use smol_mcp::{
    Call, Completing, Failure, PromptResult, Prompting, ReadResult, Reading, Role, ToolResult, args, prompts,
    resources, tools,
};

args! {
    pub(crate) struct Part {
        /// Which shelf.
        shelf: Shelf,
        /// Which book.
        #[range(1..=9)]
        book: u8,
    }

    pub(crate) enum Shelf {
        Upper,
        Lower,
    }

    pub(crate) struct Named {
        /// What it is called.
        name: String,
    }

    pub(crate) struct Praise {
        /// What is praised.
        name: String,
        /// How often.
        #[range(1..=3)]
        times: Option<u8>,
        /// Whether loudly.
        loud: Option<bool>,
        /// How.
        tone: Option<Tone>,
    }

    pub(crate) enum Tone {
        Warm,
        Wild,
        Cool,
    }
}

/// The application.
pub(crate) struct Library;

tools! {
    impl Library {
        /// Does nothing.
        #[read_only]
        async fn nothing(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("").await
        }
    }
}

resources! {
    impl Library {
        /// What is there.
        #[uri("lib://catalog")]
        #[title("The catalog")]
        #[mime("text/plain")]
        #[size(7)]
        #[audience(user, assistant)]
        #[priority(0.5)]
        #[last_modified("2026-01-31T12:00:00Z")]
        async fn catalog(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("a\n\"b\"é").await
        }

        /// All bytes.
        #[uri("lib://bytes")]
        #[name("all-bytes")]
        async fn bytes(&self, call: &mut Reading<'_>) -> ReadResult {
            call.write_blob(&[0xfb]).await;
            call.write_blob(&[0xff, 0xfe, 0, 1]).await;
            call.write_blob(b"").await;
            call.blob(&[2, 3]).await
        }

        /// Several files.
        #[uri("lib://folder")]
        async fn folder(&self, call: &mut Reading<'_>) -> ReadResult {
            call.content("lib://folder/a", Some("text/plain")).await;
            call.write("a").await;
            call.print(format_args!("{}", 1)).await;
            call.content("lib://folder/b", None).await;
            call.write_blob(b"b").await;
            call.content("lib://folder/c", None).await;
            call.done().await
        }

        /// One book.
        #[uri("lib://{shelf}/books/{book}")]
        #[mime("text/markdown")]
        async fn book(&self, call: &mut Reading<'_>, args: Part) -> ReadResult {
            call.reply(format_args!("{:?} {}", args.shelf, args.book)).await
        }

        /// A page.
        #[uri("lib://pages/{name}")]
        #[complete(names)]
        async fn page(&self, call: &mut Reading<'_>, args: Named) -> ReadResult {
            match args.name.as_str() {
                "gone" => call.not_found(),
                "broken" => {
                    call.write("never seen").await;
                    Err("the disk is gone".into())
                }
                "wrong" => Err(Failure::invalid("no page has that name")),
                "panic" => panic!("on purpose"),
                "slow" => std::future::pending().await,
                "long" => {
                    for _ in 0..4096 {
                        call.write("0123456789").await;
                    }
                    call.done().await
                }
                "long-blob" => call.blob(&vec![0; 30_000]).await,
                "torn" => {
                    for _ in 0..4096 {
                        call.write("0123456789").await;
                    }
                    Err("the disk is gone".into())
                }
                name => call.text(name).await,
            }
        }
    }
}

prompts! {
    impl Library {
        /// Praises something.
        #[title("Praise")]
        #[complete(names)]
        async fn praise(&self, call: &mut Prompting<'_>, args: Praise) -> PromptResult {
            call.reply(format_args!("{} {:?} {:?} {:?}", args.name, args.times, args.loud, args.tone)).await
        }

        /// Shows all that a prompt can hold.
        async fn everything(&self, call: &mut Prompting<'_>) -> PromptResult {
            call.user("look").await;
            call.assistant("where?").await;
            call.image(Role::User, "image/png", b"png").await;
            call.audio(Role::User, "audio/wav", b"wave").await;
            call.link(Role::User, "lib://catalog", "catalog", Some("text/plain")).await;
            call.resource_text(Role::Assistant, "lib://catalog", None, "text").await;
            call.resource_blob(Role::Assistant, "lib://bytes", Some("a/b"), b"").await;
            call.done().await
        }

        /// Has no messages.
        async fn empty(&self, call: &mut Prompting<'_>) -> PromptResult {
            call.done().await
        }

        /// Fails.
        async fn fail(&self, call: &mut Prompting<'_>) -> PromptResult {
            call.user("never seen").await;
            Err("out of words".into())
        }
    }
}

impl Library {
    async fn names(&self, call: &mut Completing<'_>) {
        assert!(call.typed() != "panic", "on purpose");
        if call.typed() == "all" {
            for number in 0..150 {
                call.push(&format!("{}{number}", call.argument())).await;
            }
        }
        if let Some(shelf) = call.filled("shelf") {
            call.push(&shelf).await;
        }
        for name in ["Anna", "anton", "Berta", "\"quoted\""] {
            call.offer(name).await;
        }
    }
}
