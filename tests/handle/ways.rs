//! Other ways to run a server, and to reach it: memory in a `static`, sockets that the application brings, two at once.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_io::Async;
use serde_json::json;
use smol_mcp::{Config, Handle, Storage, block_on};

use crate::support::client::{Client, Next};
use crate::support::server::{Running, server};
use crate::support::{PATIENCE, wire};

// Four connections, two streams, two sessions, two calls and the reserve.
type Small = Storage<8, 2, 2, 3, 32_768>;

fn local() -> Config {
    Config::new().listen(SocketAddr::from(([127, 0, 0, 1], 0)))
}

// Runs a server in this memory on a thread; gives its address, its handle, and its end.
fn run_in(storage: &'static Small) -> (SocketAddr, Handle, mpsc::Receiver<std::io::Result<()>>) {
    let (told, address) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let bound = server().0.bind(local()).expect("a free port");
        told.send((bound.local_addr().expect("an address"), bound.handle())).expect("the test waits");
        let _ = end.send(block_on(bound.run_in(storage)));
    });
    let (address, handle) = address.recv_timeout(PATIENCE).expect("the server starts");
    (address, handle, ended)
}

#[test]
fn a_static_holds_one_server_after_the_other() {
    static STORAGE: Small = Storage::new();
    for round in 0..3 {
        let (address, handle, ended) = run_in(&STORAGE);
        let mut client = Client::connect(address);
        assert_eq!(client.ask(&wire::echo("from the image")).text(), "from the image");
        // Nothing is left of the server before.
        assert!(block_on(handle.clients(8)).unwrap().is_empty());
        let session = client.initialize("2025-11-25", "a");
        let mut stream = Client::connect(address);
        assert_eq!(stream.open(&session.get()).status, 200);
        // While it runs, its memory is its own; the other's clients are closed, not left waiting.
        let (other, _, refused) = run_in(&STORAGE);
        let error = refused.recv_timeout(PATIENCE).expect("an end").expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::ResourceBusy, "round {round}");
        assert!(std::net::TcpStream::connect_timeout(&other, PATIENCE).is_err());
        assert_eq!(client.ask(&wire::echo("undisturbed")).text(), "undisturbed");
        handle.shutdown();
        ended.recv_timeout(PATIENCE).expect("it ends").expect("without an error");
        assert_eq!(stream.next(), Next::End);
    }
}

#[test]
fn the_capacities_are_those_of_the_storage() {
    static STORAGE: Small = Storage::new();
    let (address, handle, ended) = run_in(&STORAGE);
    let mut streams: Vec<Client> = (0..2).map(|_| Client::connect(address)).collect();
    for stream in &mut streams {
        stream.open_http_sse();
    }
    let mut client = Client::connect(address);
    client.ask(&wire::get_http_sse()).must_be_full();
    // A body of the buffer's size less the head's; one byte more is too much.
    let big = |length: usize| wire::modern_call("b", "echo", &json!({"text": "x".repeat(length)}));
    assert_eq!(client.ask(&big(1_000)).status, 200);
    let mut other = Client::connect(address);
    assert_eq!(other.ask(&big(32_768)).status, 413);
    assert!(other.ends_cleanly());
    handle.shutdown();
    ended.recv_timeout(PATIENCE).expect("it ends").expect("without an error");
}

#[test]
fn a_socket_of_the_application_is_served() {
    let server = Running::start(Config::new());
    let connect = || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        server.handle.connect(Box::new(Async::new(theirs).unwrap()), None, None);
        Client::over(ours)
    };
    let mut client = connect();
    for text in ["by a Unix socket", &"x".repeat(1_000)] {
        assert_eq!(client.ask(&wire::echo(text)).text(), text);
    }
    // A whole answer through a socket that takes little at a time.
    let huge = client.ask(&wire::modern_call("h", "huge", &json!({"kibibytes": 2_048})));
    assert_eq!(huge.text().len(), 2_048 * 1_024);
    // Streams and their ends are the same there.
    let mut stream = connect();
    assert_eq!(stream.open(&wire::listen("unix", "u")).status, 200);
    assert_eq!(stream.message()["method"], "notifications/subscriptions/acknowledged");
    server.handle.tools_changed();
    assert_eq!(stream.message()["method"], "notifications/tools/list_changed");
    // A client that closes in the middle of a call cancels it.
    let mut gone = connect();
    gone.send(&wire::modern_call("w", "wait", &json!({})));
    drop(server.seen.until("it runs", |state| state.running == 1));
    drop(gone);
    drop(server.seen.until("it is dropped", |state| state.dropped == 1));
    let half = connect();
    half.half_close();
    server.handle.shutdown();
    assert_eq!(stream.message()["result"]["resultType"], "complete");
    assert_eq!(stream.next(), Next::End);
    assert!(client.ends_cleanly());
    server.wait();
    // What comes too late is closed, and does not wait in a queue.
    assert!(connect().ends_cleanly());
}

#[test]
fn two_servers_are_two() {
    let (one, other) = (Running::start(Config::new()), Running::start(Config::new().token("secret")));
    assert_ne!(one.address, other.address);
    let session = one.connect().initialize("2025-11-25", "of one");
    one.must_serve();
    assert_eq!(other.try_echo().status, 401);
    let mut headers = vec![("Authorization", "Bearer secret"), ("Mcp-Session-Id", session.id.as_str())];
    let ping = wire::request(1, "ping", &json!({}));
    assert_eq!(other.connect().ask(&wire::post_to("/mcp", &headers, &ping)).status, 404, "the session is the other's");
    headers.remove(0);
    assert_eq!(one.connect().ask(&wire::post_to("/mcp", &headers, &ping)).status, 200);
    assert_eq!((one.clients().len(), other.clients().len()), (1, 0));
    one.handle.shutdown();
    one.wait();
    let healthy = other.connect().ask(&wire::bare("GET", "/healthz", &[]));
    assert_eq!(healthy.status, 200);
}

#[test]
fn two_servers_share_a_thread() {
    let (told, servers) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let [first, second] = [(); 2].map(|()| server().0.bind(local()).expect("a free port"));
        told.send([&first, &second].map(|bound| (bound.local_addr().expect("an address"), bound.handle()))).unwrap();
        let _ = end.send(block_on(smol::future::zip(first.run(), second.run())));
    });
    let servers = servers.recv_timeout(PATIENCE).unwrap();
    for _ in 0..3 {
        for (address, _) in &servers {
            assert_eq!(Client::connect(*address).ask(&wire::echo("hello")).text(), "hello");
        }
    }
    for (_, handle) in &servers {
        handle.shutdown();
    }
    let (first, second) = ended.recv_timeout(PATIENCE).expect("both end");
    assert!(first.is_ok() && second.is_ok());
}

/// Whatever executor runs it, and wherever it goes on that began elsewhere.
#[test]
fn any_executor_runs_it() {
    let ways: [fn(smol::future::BoxedLocal<()>); 4] = [
        |server| block_on(server),
        |server| smol::block_on(server),
        |server| block_on(smol::LocalExecutor::new().run(server)),
        |mut server| {
            // Each has it for a moment; whoever waited for the sockets before is not asked any more.
            let a_moment = || async {
                async_io::Timer::after(Duration::from_millis(20)).await;
                false
            };
            for round in 0.. {
                let ends = async {
                    (&mut server).await;
                    true
                };
                let moment = smol::future::or(ends, a_moment());
                if [block_on, smol::block_on][round % 2](moment) {
                    return;
                }
            }
        },
    ];
    for way in ways {
        let (told, server) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let bound = self::server().0.bind(local()).expect("a free port");
            told.send((bound.local_addr().expect("an address"), bound.handle())).expect("the test waits");
            way(Box::pin(async move { bound.run().await.expect("without an error") }));
            end.send(()).expect("the test waits");
        });
        let (address, handle) = server.recv_timeout(PATIENCE).expect("the server starts");
        let mut client = Client::connect(address);
        let session = client.initialize("2025-11-25", "a");
        let mut stream = Client::connect(address);
        assert_eq!(stream.open(&session.get()).status, 200);
        for round in 0..40 {
            thread::sleep(Duration::from_millis(round % 8));
            assert_eq!(client.ask(&wire::echo("kept")).text(), "kept");
            assert_eq!(Client::connect(address).ask(&wire::echo("new")).text(), "new");
            if round % 10 == 0 {
                // From another thread.
                assert_eq!(block_on(handle.clients(8)).unwrap().len(), 1);
            }
        }
        handle.shutdown();
        ended.recv_timeout(PATIENCE).expect("it ends");
        assert_eq!(stream.next(), Next::End);
    }
}
