//! TCP between the client and the server, as it comes, until it is cut.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::SubscribeRequestParams;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Verdict;
use crate::checks::has_stream;
use crate::client::{Client, Mode, expect};

struct Proxy {
    base: String,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
    acceptor: JoinHandle<()>,
}

impl Proxy {
    async fn before(base: &str) -> Result<Self, String> {
        let target = base.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let own = listener.local_addr().map_err(|error| error.to_string())?;
        let connections = Arc::new(Mutex::new(vec![]));
        let accepted = Arc::clone(&connections);
        let acceptor = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let target = target.clone();
                accepted.lock().unwrap().push(tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(target).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                }));
            }
        });
        Ok(Self { base: format!("http://{own}"), connections, acceptor })
    }

    /// Ends all connections.
    fn cut(&self) {
        self.connections.lock().unwrap().drain(..).for_each(|connection| connection.abort());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.cut();
    }
}

/// A call whose stream is cut brings its answer all the same. It is a stream of events from 2 s on.
pub async fn cut_call(mode: &Mode, base: &str) -> Verdict {
    let proxy = Proxy::before(base).await?;
    let client = Client::connect(mode, &proxy.base).await?;
    let cut = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        proxy.cut();
    };
    let (came, ()) = tokio::join!(client.call("slow_compute", json!({ "seconds": 5 })), cut);
    let (is_error, text) = came?;
    expect(&format!("the answer ({text})"), &json!([false, true]), &json!([is_error, text.ends_with(" for 5 s")]))?;
    expect(
        "echo on the same session",
        &json!([false, "same"]),
        &json!(client.call("echo", json!({ "text": "same" })).await?),
    )
}

/// What happened while the stream of the session was broken is brought once it is back.
pub async fn missed_event(mode: &Mode, base: &str) -> Verdict {
    let proxy = Proxy::before(base).await?;
    let client = Client::connect(mode, &proxy.base).await?;
    let rival = Client::connect(&Mode::all()[1], base).await?;
    has_stream(&client, &rival).await?;
    let subscribed = client.service.subscribe(SubscribeRequestParams::new("test://watched-resource")).await;
    subscribed.map_err(|error| error.to_string())?;
    client.shared.take_told();
    proxy.cut();
    rival.call("test_trigger_resource_update", Value::Null).await?;
    client.shared.exactly_once("notifications/resources/updated").await.map(drop)
}
