//! rmcp's server, as its documentation has one be written, with the tools of ours: `echo`, `big`, `notify`, and `--tools N` further ones. Its
//! router is made once and shared, which its macros don't do by themselves. Sessions for the revisions that have them; `--stateless` is for
//! 2026-07-28, with plain JSON for answers, which is its quicker way.
#![forbid(unsafe_code)]

use std::sync::Arc;

use hyper_util::service::TowerToHyperService;
use rmcp::handler::server::router::tool::{ToolRoute, ToolRouter};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig, SubscriptionFilter};
use rmcp::service::SubscriptionContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use tokio::sync::watch;

/// What the text of `big` weighs, in bytes.
const BIG_BYTES: usize = 1 << 20;

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct EchoArguments {
    /// What to say.
    text: String,
}

#[derive(Clone)]
struct Echo {
    router: Arc<ToolRouter<Self>>,
    changes: Arc<watch::Sender<u64>>,
}

#[tool_router]
impl Echo {
    fn new(further: usize) -> Self {
        let mut router = Self::tool_router();
        for number in 0..further {
            let mut tool = Self::echo_tool_attr();
            tool.name = format!("tool_{number:02}").into();
            router.add_route(ToolRoute::new(tool, Self::echo));
        }
        Self { router: Arc::new(router), changes: Arc::new(watch::Sender::new(0)) }
    }

    #[tool(description = "Answers with the text that it is given.", annotations(read_only_hint = true))]
    fn echo(&self, Parameters(EchoArguments { text }): Parameters<EchoArguments>) -> String {
        text
    }

    #[tool(description = "Answers with a text of 1 MB.", annotations(read_only_hint = true))]
    fn big(&self) -> String {
        "x".repeat(BIG_BYTES)
    }

    #[tool(description = "Tells every client that listens that the list of tools changed.")]
    fn notify(&self) -> String {
        self.changes.send_modify(|count| *count += 1);
        "notified".to_owned()
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build())
            .with_server_info(Implementation::new("minimal", "0.1.0"))
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = changes.changed() => {
                    if changed.is_err() || context.sink().notify_tool_list_changed().await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn main() {
    let further = rivals::flag("--tools").map_or(0, |count| count.parse().expect("a number"));
    let stateless = std::env::args().any(|argument| argument == "--stateless");
    let config =
        StreamableHttpServerConfig::default().with_legacy_session_mode(!stateless).with_json_response(stateless);
    let echo = Echo::new(further);
    rivals::run(async move {
        let sessions = Arc::new(LocalSessionManager::default());
        let service = StreamableHttpService::new(move || Ok(echo.clone()), sessions, config);
        rivals::serve(TowerToHyperService::new(service)).await;
    });
}
