//! What the servers have in common: where they listen, how they say it, and how a connection is served.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::env;
use std::future::Future;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The value of a flag.
#[must_use]
pub fn flag(name: &str) -> Option<String> {
    let mut arguments = env::args().skip_while(|argument| argument != name);
    arguments.next().and_then(|_| arguments.next())
}

/// Runs this on one thread, with all that tokio has.
///
/// # Panics
/// Where there is no runtime to be had.
pub fn run(main: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(main);
}

/// Serves all who come, on `--listen`, each in a task of its own.
///
/// # Panics
/// Without the flag, or when its address is taken.
pub async fn serve<S, B>(service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listen = flag("--listen").expect("--listen ADDR:PORT");
    let listener = TcpListener::bind(listen).await.expect("an address that is free");
    println!("listening on http://{}/mcp", listener.local_addr().expect("it listens"));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).expect("it is TCP");
        let service = service.clone();
        tokio::spawn(async move {
            // How a client leaves is its own business.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
