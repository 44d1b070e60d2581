//! A server whose executor, listener or kernel is not as usual: it serves all the same, and does not spin.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::Shutdown;

use crate::server::{Bound, Config, Handle, Server};
use crate::{Call, ToolResult, block_on, tools};

thread_local! {
    /// async-io can't wait for epoll instances of this thread.
    static IS_DEAF: Cell<bool> = const { Cell::new(false) };
    /// So many sockets more can be waited for, and so many then can't.
    static NOT_ADDED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// What the kernel says where more is waited for than it has room for.
pub(in crate::server) fn elsewhere() -> Result<(), Errno> {
    if IS_DEAF.get() { Err(Errno::NOSPC) } else { Ok(()) }
}

/// The same of a socket.
pub(in crate::server) fn added() -> Result<(), Errno> {
    let (left, error) = match NOT_ADDED.get() {
        (0, 0) => return Ok(()),
        (0, not_added) => ((0, not_added - 1), Err(Errno::NOSPC)),
        (room, not_added) => ((room - 1, not_added), Ok(())),
    };
    NOT_ADDED.set(left);
    error
}

const PATIENCE: Duration = Duration::from_secs(30);
/// Polls of a server that has next to nothing to do for half a second; one that spins has ten thousand.
const POLLS_MAX: usize = 100;

struct App;

tools! {
    impl App {
        /// Says hello.
        #[read_only]
        async fn hello(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("hello").await
        }
    }
}

fn bound(listener: TcpListener) -> (Bound<App>, SocketAddr, Handle) {
    let bound = Server::new("engine", "1", App).bind_to(listener, Config::new()).unwrap();
    let (address, handle) = (bound.local_addr().unwrap(), bound.handle());
    (bound, address, handle)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks whether the server is healthy; false where it closes the connection.
fn is_healthy(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap() == 0 {
            return false;
        }
        answer.extend(byte);
    }
    answer.starts_with(b"HTTP/1.1 200 OK\r\n")
}

/// Runs a server to its end while another thread does this; how often the server was polled. `own_wakers`: each poll has a waker of its own.
fn polls(is_ours: bool, own_wakers: bool, server: Bound<App>, act: impl FnOnce() + Send + 'static) -> usize {
    struct Own(Waker);
    impl Wake for Own {
        fn wake(self: Arc<Self>) {
            self.0.wake_by_ref();
        }
    }
    let mut polls = 0;
    let acting = thread::spawn(act);
    let counted = async {
        let mut run = pin!(server.run());
        let ended = poll_fn(|cx| {
            polls += 1;
            let own = if own_wakers { Waker::from(Arc::new(Own(cx.waker().clone()))) } else { cx.waker().clone() };
            run.as_mut().poll(&mut Context::from_waker(&own))
        });
        ended.await.unwrap();
    };
    if is_ours {
        block_on(counted);
    } else {
        smol::block_on(counted);
    }
    acting.join().unwrap();
    polls
}

#[test]
fn a_listener_that_is_broken_does_not_keep_the_thread_awake() {
    for is_ours in [true, false] {
        let listener = listener();
        let copy = listener.try_clone().unwrap();
        let (server, address, handle) = bound(listener);
        let polls = polls(is_ours, false, server, move || {
            let mut client = connect(address);
            assert!(is_healthy(&mut client));
            rustix::net::shutdown(&copy, Shutdown::Read).unwrap();
            thread::sleep(Duration::from_millis(500));
            // Who is there is served.
            assert!(is_healthy(&mut client));
            handle.shutdown();
        });
        assert!(polls < POLLS_MAX, "{polls} polls");
    }
}

#[test]
fn an_executor_may_make_a_waker_for_each_poll() {
    for is_ours in [true, false] {
        let (server, address, handle) = bound(listener());
        let polls = polls(is_ours, true, server, move || {
            let mut client = connect(address);
            for _ in 0..2 {
                thread::sleep(Duration::from_millis(250));
                assert!(is_healthy(&mut client));
            }
            handle.shutdown();
        });
        assert!(polls < POLLS_MAX, "{polls} polls");
    }
}

#[test]
fn what_can_not_be_waited_for_is_looked_at() {
    let (server, address, handle) = bound(listener());
    IS_DEAF.set(true);
    let polls = polls(false, false, server, move || {
        for _ in 0..2 {
            assert!(is_healthy(&mut connect(address)));
        }
        thread::sleep(Duration::from_millis(500));
        handle.shutdown();
    });
    IS_DEAF.set(false);
    assert!(polls < POLLS_MAX, "{polls} polls");
}

#[test]
fn where_no_more_sockets_can_be_waited_for_who_is_idle_makes_room() {
    for (not_added, is_served) in [(1, true), (2, false)] {
        NOT_ADDED.set((1, not_added));
        let (server, address, handle) = bound(listener());
        polls(true, false, server, move || {
            let mut idle = connect(address);
            assert!(is_healthy(&mut idle));
            let mut newcomer = connect(address);
            if is_served {
                assert!(is_healthy(&mut newcomer));
            }
            assert!(matches!(idle.read(&mut [0]), Ok(0)), "it made room");
            assert!(is_healthy(&mut connect(address)), "the next has room");
            assert!(!is_served || is_healthy(&mut newcomer), "it is waited for");
            handle.shutdown();
        });
        assert_eq!(NOT_ADDED.get(), (0, 0));
    }
}
