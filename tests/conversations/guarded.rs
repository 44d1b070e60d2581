//! The application of the conversations about who may come in, and what for.

use std::pin::pin;

use smol::future;
use smol_mcp::{
    Call, Check, Completing, Denied, NoPrompts, NoResources, Principal, PromptResult, Prompting, ReadResult, Reading,
    Server, ToolResult, Visit, args, prompts, resources, tools,
};

use crate::gate::Gate;

args! {
    pub(crate) struct Room {
        /// Which room.
        name: String,
    }
}

/// The application.
#[derive(Default)]
pub(crate) struct Guarded {
    gate: Gate,
}

tools! {
    impl Guarded {
        /// Tells who calls.
        #[read_only]
        async fn who(&self, call: &mut Call<'_>) -> ToolResult {
            let who = told(call.principal());
            call.text(&who).await
        }

        /// Switches a light.
        #[idempotent]
        #[scope("lights")]
        async fn light(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("lit").await
        }

        /// Begins anew.
        #[destructive]
        #[scope("lights", "admin")]
        #[scope("again")]
        async fn reboot(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("gone").await
        }

        /// Takes its time, and tells for whom.
        #[read_only]
        #[scope("lights")]
        #[task]
        async fn chore(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.released().await;
            let who = told(call.principal());
            call.text(&who).await
        }

        /// Asks first.
        #[read_only]
        #[scope("lights")]
        async fn ask(&self, call: &mut Call<'_>) -> ToolResult {
            let answer = call.elicit::<Room>("room", "Which room?").await?;
            call.reply(format_args!("asked: {}", answer.accepted().map_or("nothing".into(), |room| room.name))).await
        }

        /// Waits for a release.
        #[read_only]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            call.progress(1.0, None, None).await;
            self.gate.released().await;
            call.text("released").await
        }

        /// Lets all go that wait.
        #[idempotent]
        async fn release(&self, call: &mut Call<'_>) -> ToolResult {
            self.gate.release();
            call.text("they go").await
        }
    }
}

resources! {
    impl Guarded {
        /// For all.
        #[uri("home://state")]
        async fn state(&self, call: &mut Reading<'_>) -> ReadResult {
            let who = told(call.principal());
            call.text(&who).await
        }

        /// For some.
        #[uri("home://secret")]
        #[scope("admin")]
        async fn secret(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("7").await
        }

        /// For some, a room each.
        #[uri("home://room/{name}")]
        #[scope("admin")]
        #[complete(rooms)]
        async fn room(&self, call: &mut Reading<'_>, args: Room) -> ReadResult {
            call.text(&args.name).await
        }
    }
}

prompts! {
    impl Guarded {
        /// For all.
        async fn report(&self, call: &mut Prompting<'_>) -> PromptResult {
            let who = told(call.principal());
            call.user(&who).await;
            call.done().await
        }

        /// For some.
        #[scope("admin")]
        #[complete(rooms)]
        async fn plan(&self, call: &mut Prompting<'_>, args: Room) -> PromptResult {
            call.reply(args.name).await
        }
    }
}

impl Guarded {
    async fn rooms(&self, call: &mut Completing<'_>) {
        call.offer("cellar").await;
    }
}

fn told(principal: &Principal) -> String {
    let scopes: Vec<_> = principal.scopes().collect();
    let every = if principal.has_every_scope() { "everything" } else { "" };
    format!("{} may {every}{}", principal.name().unwrap_or("somebody"), scopes.join("+"))
}

/// The same with a check of its own.
pub(crate) fn checked() -> Server<Guarded, NoResources, NoPrompts, impl Check<Guarded>> {
    Server::new("talk", "1", Guarded::default()).authorize_async(async |app: &Guarded, visit: &Visit<'_>| {
        let known = match (visit.header("X-User"), visit.bearer()) {
            (None, None) => return Err(Denied::unauthorized("")),
            (None, Some(token)) => token.strip_prefix("of-").ok_or(Denied::unauthorized("this is no token of mine"))?,
            (Some(user), _) => user,
        };
        match known {
            "slow" => app.gate.released().await,
            "never" => future::pending().await,
            "panic" => panic!("on purpose"),
            "nobody" => return Err(Denied::forbidden(format_args!("nobody may {} {}", visit.method(), visit.path()))),
            "long" => return Ok(Principal::new("n".repeat(65))),
            _ => {}
        }
        let mut yielded = pin!(future::yield_now());
        yielded.as_mut().await;
        let scopes = if known == "admin" { &["lights", "admin", "again"][..] } else { &["lights"] };
        Ok(Principal::new(known).with_scopes(scopes))
    })
}
