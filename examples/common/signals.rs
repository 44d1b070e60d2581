//! The signals that end a program, or make it read its files again.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, read};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};
use smol_mcp::{Handle, Readable};

use super::service::Manager;

/// From now on no SIGTERM, SIGINT or SIGHUP ends the process by itself; the future gives the name of one that comes. Where there is a server
/// that reads its files of tokens and keys again, SIGHUP makes it do so; where whoever started the process had it ignored (nohup), it stays so.
///
/// No thread waits for them but the one that serves.
pub(crate) fn signals(reads_again: Option<Handle>) -> io::Result<impl Future<Output = io::Result<&'static str>>> {
    let (told, tell) = UnixStream::pair()?;
    told.set_nonblocking(true)?;
    let told = Readable::new(told);
    let hup = (reads_again.is_some() || !is_hup_ignored()).then_some((SIGHUP, "SIGHUP"));
    let mut wanted = Vec::new();
    for (signal, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].into_iter().chain(hup) {
        let came = Arc::new(AtomicBool::new(false));
        // In this order: what is told has come.
        flag::register(signal, came.clone())?;
        pipe::register(signal, tell.try_clone()?)?;
        wanted.push((signal, name, came));
    }
    Ok(async move {
        loop {
            told.wait().await?;
            // A byte for each that came; of many, the rest are read in the next turn.
            match read(&told, &mut [0_u8; 16]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error != Errno::AGAIN && error != Errno::INTR => return Err(error.into()),
                _ => {}
            }
            for (signal, name, came) in &wanted {
                match (came.swap(false, Ordering::SeqCst), &reads_again) {
                    (false, _) => {}
                    (true, Some(handle)) if *signal == SIGHUP => reload(handle).await,
                    (true, _) => return Ok(*name),
                }
            }
        }
    })
}

async fn reload(handle: &Handle) {
    let manager = Manager::from_env();
    manager.reloading();
    handle.reload();
    // The server does so when it is polled next, which is before this.
    smol::future::yield_now().await;
    manager.ready(format_args!("its files were read again"));
}

/// Whether the process was started so that SIGHUP, the first signal, does nothing (proc(5), `SigIgn`).
fn is_hup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
