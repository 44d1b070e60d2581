//! What a program writes into a pipe: the first of it is kept, the rest read and counted, so that the program need not wait.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::read;
use smol::{Async, Timer};

/// How much is read at once, in bytes: half of what a pipe holds.
const PIECE_BYTES: usize = 32 * 1024;

/// How long nothing is read after a piece of which nothing was kept: a program that writes without end is to take no more of the CPU than this.
const PAUSE: Duration = Duration::from_millis(10);

/// The end of a pipe, and what was read from it.
pub(super) struct Capture {
    pipe: Option<Async<OwnedFd>>,
    piece: Vec<u8>,
    captured: Captured,
    max: usize,
}

/// What a program wrote.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// The first of it.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes more there were.
    pub(crate) lost: u64,
}

impl Capture {
    /// Reads this pipe, and keeps `max` bytes of it.
    pub(super) fn new(pipe: Option<impl Into<OwnedFd>>, max: usize) -> io::Result<Self> {
        let pipe = pipe.map(|pipe| Async::new(pipe.into())).transpose()?;
        let captured = Captured { bytes: Vec::with_capacity(max), lost: 0 };
        Ok(Self { pipe, piece: vec![0; PIECE_BYTES], captured, max })
    }

    /// Reads to the end.
    pub(super) async fn read(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        loop {
            let piece = &mut self.piece;
            let Ok(count @ 1..) = pipe.read_with(|pipe| read(pipe, &mut piece[..]).map_err(io::Error::from)).await
            else {
                return;
            };
            let kept = count.min(self.max - self.captured.bytes.len());
            self.captured.bytes.extend(piece.iter().take(kept));
            self.captured.lost += (count - kept) as u64;
            // A program that writes without end must not keep the thread.
            if kept > 0 {
                smol::future::yield_now().await;
            } else {
                Timer::after(PAUSE).await;
            }
        }
    }

    /// What was read.
    pub(super) fn done(self) -> Captured {
        self.captured
    }
}

impl Captured {
    /// As text, fit to be shown: without control characters but line breaks and tabs, and what is no UTF-8 as U+FFFD.
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let shown = text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
        shown.collect()
    }
}
