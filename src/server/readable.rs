//! Files of the program's own that are waited for beside a server.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::waited::Waited;

/// A file that a program waits for beside its server: the pipe that a signal writes to, a socket, a device, whatever poll(2) can wait for.
///
/// Where [`block_on`](crate::block_on) runs the future, its thread waits for the file in the sleep in which it waits for the server's sockets, so that the
/// program needs no other thread; wherever another executor does, async-io waits for it, by a thread of its own. (`smol::Async` always waits by that.)
/// One task waits for it at a time, of the thread that has it: of several, the last is woken. What another executor's `block_on` runs within `block_on` waits
/// for ever.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let (mut writer, mut reader) = UnixStream::pair()?;
/// let readable = smol_mcp::Readable::new(reader.try_clone()?);
/// writer.write_all(b"!")?;
/// smol_mcp::block_on(readable.wait())?;
/// reader.read_exact(&mut [0])?;
/// # std::io::Result::Ok(())
/// ```
pub struct Readable(Waited);

impl Readable {
    /// A file to wait for. Whether reads of it block is left as it is.
    pub fn new(file: impl Into<OwnedFd>) -> Self {
        Self(Waited::new(file.into()))
    }

    /// Ready once there is something to read, or the end, or an error: what a read would not wait for.
    ///
    /// # Errors
    /// Those of the system: async-io has no more files, or this is none that it can wait for (a regular one, say, which always is ready).
    pub async fn wait(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_wait(cx)).await
    }

    fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Waited for first, and asked then: what comes in between wakes it.
            let told = self.0.poll_readable(cx)?;
            if self.is_readable()? {
                return Poll::Ready(Ok(()));
            }
            // It was told of what somebody has read by now.
            if told.is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn is_readable(&self) -> io::Result<bool> {
        let mut files = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut files, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            // Then it is asked again.
            Err(Errno::INTR) => Ok(true),
            ready => Ok(ready? > 0),
        }
    }
}

impl AsFd for Readable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readable").field(&self.0.as_fd()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    use rustix::event::epoll::{self, CreateFlags};
    use smol::future::or;

    use super::super::park::block_on;
    use super::*;

    fn pair() -> (UnixStream, UnixStream, Readable) {
        let (writer, reader) = UnixStream::pair().unwrap();
        let readable = Readable::new(reader.try_clone().unwrap());
        (writer, reader, readable)
    }

    fn run(is_ours: bool, future: impl Future<Output = ()>) {
        if is_ours {
            block_on(future);
        } else {
            smol::block_on(future);
        }
    }

    fn say_soon(writer: &UnixStream) -> thread::JoinHandle<()> {
        let mut writer = writer.try_clone().unwrap();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            writer.write_all(b"ab").unwrap();
        })
    }

    #[test]
    fn it_is_ready_while_there_is_something() {
        for is_ours in [true, false] {
            let (writer, mut reader, readable) = pair();
            for _ in 0..2 {
                let speaker = say_soon(&writer);
                run(is_ours, async {
                    readable.wait().await.unwrap();
                    // Also when it was told already, and not all was read.
                    reader.read_exact(&mut [0]).unwrap();
                    readable.wait().await.unwrap();
                    reader.read_exact(&mut [0]).unwrap();
                    let now = or(async { readable.wait().await.map(|()| true).unwrap() }, async { false }).await;
                    assert!(!now, "nothing is there");
                });
                speaker.join().unwrap();
            }
            assert_eq!(readable.0.is_by_async_io(), !is_ours);
            drop(writer);
            run(is_ours, async { readable.wait().await.unwrap() });
            assert_eq!(reader.read(&mut [0]).unwrap(), 0, "its end is something, too");
        }
    }

    #[test]
    fn it_goes_from_one_executor_to_another() {
        let (writer, mut reader, readable) = pair();
        for is_ours in [true, false, true] {
            let speaker = say_soon(&writer);
            run(is_ours, async { readable.wait().await.unwrap() });
            reader.read_exact(&mut [0; 2]).unwrap();
            speaker.join().unwrap();
        }
    }

    #[test]
    fn those_that_are_dropped_leave_room_for_others() {
        block_on(async {
            for _ in 0..100 {
                let (writer, _reader, readable) = pair();
                let waits = async { readable.wait().await.unwrap() };
                or(waits, smol::future::yield_now()).await;
                assert!(!readable.0.is_by_async_io());
                let speaker = say_soon(&writer);
                readable.wait().await.unwrap();
                speaker.join().unwrap();
            }
        });
    }

    #[test]
    fn one_that_is_dropped_is_closed_at_once() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        let speaker = say_soon(&writer);
        block_on(async {
            let readable = Readable::new(reader);
            readable.wait().await.unwrap();
            drop(readable);
            // Its other end sees that before this thread sleeps again: a write fails, and does not wait for a reader.
            assert_eq!(writer.write(b"!").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        });
        speaker.join().unwrap();
    }

    #[test]
    fn another_of_the_same_file_is_told_as_well() {
        let (writer, mut reader) = UnixStream::pair().unwrap();
        let all = Waited::epoll(epoll::create(CreateFlags::CLOEXEC).unwrap());
        block_on(async {
            // As beside a server, which tells of all.
            let beside = poll_fn(|cx| all.poll_readable(cx));
            let again = async {
                for _ in 0..4 {
                    let speaker = say_soon(&writer);
                    let readable = Readable::new(reader.try_clone().unwrap());
                    readable.wait().await.unwrap();
                    reader.read_exact(&mut [0; 2]).unwrap();
                    speaker.join().unwrap();
                }
                Ok(())
            };
            let late = async {
                async_io::Timer::after(Duration::from_secs(60)).await;
                panic!("nobody was woken")
            };
            or(or(again, beside), late).await.unwrap();
        });
    }

    #[test]
    fn what_never_waits_is_ready() {
        // poll(2): regular files are always readable.
        let readable = Readable::new(tempfile::tempfile().unwrap());
        block_on(or(async { readable.wait().await.unwrap() }, pending()));
    }
}
