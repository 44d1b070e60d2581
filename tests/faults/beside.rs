//! A client that does all that it should, beside those of a test: it must be served at any time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::client::{Client, Next};
use crate::support::wire;

/// One that calls again and again, by one connection, and listens by another.
pub(crate) struct Beside {
    stop: Arc<AtomicBool>,
    calls: Option<JoinHandle<usize>>,
    ear: Client,
}

impl Beside {
    /// Begins.
    pub(crate) fn start(address: SocketAddr) -> Self {
        let mut ear = Client::connect(address);
        assert_eq!(ear.open(&wire::listen("beside", "beside")).status, 200);
        assert_eq!(ear.message()["method"], "notifications/subscriptions/acknowledged");
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let calls = thread::spawn(move || {
            let mut client = Client::connect(address);
            let mut calls = 0;
            while calls == 0 || !until.load(Ordering::Acquire) {
                let text = format!("call {calls}");
                let answer = client.ask(&wire::echo(&text));
                assert_eq!((answer.status, answer.text()), (200, text), "{answer:?}");
                calls += 1;
                thread::sleep(Duration::from_millis(5));
            }
            calls
        });
        Self { stop, calls: Some(calls), ear }
    }

    /// Its calls so far were answered, and will be no more made. Gives its stream, which is still open.
    pub(crate) fn end(mut self) -> Client {
        self.stop.store(true, Ordering::Release);
        let calls = self.calls.take().expect("a thread").join().expect("it was served");
        assert!(calls > 0, "it called");
        self.ear
    }
}

/// The stream of a listener ends as it should.
pub(crate) fn must_end(mut ear: Client) {
    assert_eq!(ear.message()["id"], "beside");
    assert_eq!(ear.next(), Next::End);
}
