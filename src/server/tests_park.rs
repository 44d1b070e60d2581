//! Waiting for files, and being woken by others.

use std::future::{pending, poll_fn};
use std::sync::mpsc;
use std::time::Instant;

use std::os::fd::AsFd;

use rustix::io::{read, write};
use smol::future::{BoxedLocal, or, yield_now};

use super::super::sockets::Sockets;
use super::super::tick::Tick;
use super::super::waited::Waited;
use super::*;

fn counter() -> Waited {
    Waited::new(eventfd(0, EventfdFlags::CLOEXEC.union(EventfdFlags::NONBLOCK)).unwrap())
}

fn count_up(file: &impl AsFd) {
    assert_eq!(write(file, &1_u64.to_ne_bytes()), Ok(8));
}

/// Waits until there is something to read, and reads it; how often it was looked at.
async fn counted(file: &Waited) -> usize {
    let mut looks = 0;
    poll_fn(|cx| {
        looks += 1;
        let told = file.poll_readable(cx);
        match read(file, &mut [0_u8; 8]) {
            Ok(_) => Poll::Ready(looks),
            Err(_) if told.is_ready() => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(_) => Poll::Pending,
        }
    })
    .await
}

async fn late() -> usize {
    async_io::Timer::after(Duration::from_secs(60)).await;
    panic!("nobody was woken");
}

/// After a moment, from another thread.
fn soon(act: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        act();
    })
}

#[test]
fn a_file_wakes_each_time_and_only_then() {
    let (file, copy) = (counter(), counter());
    let other = file.file();
    block_on(or(async { _ = late().await }, async {
        for _ in 0..3 {
            let other = other.clone();
            let counting = soon(move || count_up(&other));
            // It is looked at when it is waited for, and when it woke.
            assert_eq!(counted(&file).await, 2);
            counting.join().unwrap();
        }
        assert!(!file.is_by_async_io(), "async-io has nothing to do with it");
        assert!(poll_fn(|cx| Poll::Ready(copy.poll_readable(cx))).await.is_pending());
    }));
}

#[test]
fn another_thread_wakes_it() {
    let (tell, told) = async_channel::bounded::<usize>(1);
    for number in 0..50 {
        let tell = tell.clone();
        let telling = thread::spawn(move || tell.send_blocking(number).unwrap());
        assert_eq!(block_on(or(late(), async { told.recv().await.unwrap() })), number);
        telling.join().unwrap();
    }
}

/// Each waits for the other's word, as fast as they can: no wake is lost.
#[test]
fn no_wake_is_lost() {
    const TIMES: usize = 20_000;
    let (there, from_here) = async_channel::bounded(1);
    let (here, from_there) = async_channel::bounded(1);
    let other = thread::spawn(move || {
        block_on(async {
            for _ in 0..TIMES {
                here.send(from_here.recv().await.unwrap()).await.unwrap();
            }
        });
    });
    block_on(async {
        for number in 0..TIMES {
            there.send(number).await.unwrap();
            assert_eq!(or(late(), async { from_there.recv().await.unwrap() }).await, number);
        }
    });
    other.join().unwrap();
}

#[test]
fn timers_of_async_io_wake_it() {
    let begun = Instant::now();
    block_on(async_io::Timer::after(Duration::from_millis(30)));
    assert!(begun.elapsed() >= Duration::from_millis(30));
}

/// A future that always goes on by itself does not keep others from their files.
#[test]
fn who_never_sleeps_hears_of_files() {
    let file = counter();
    let busy = async {
        loop {
            yield_now().await;
        }
    };
    count_up(&file);
    let done = async {
        counted(&file).await;
        let other = file.file();
        let counting = soon(move || count_up(&other));
        counted(&file).await;
        counting.join().unwrap();
    };
    block_on(or(busy, or(async { _ = late().await }, done)));
}

/// Wherever it is polled next, it is waited for there.
#[test]
fn what_is_waited_for_can_move() {
    let file = counter();
    let waits = || poll_fn(|cx| Poll::Ready(file.poll_readable(cx).is_pending()));
    assert!(!file.has_moved(), "nobody waits for it, and nobody sleeps");
    assert!(block_on(async { file.has_moved() && waits().await && !file.has_moved() }));
    assert!(file.has_moved());
    assert!(smol::block_on(async { waits().await && !file.has_moved() }));
    assert!(block_on(async {
        // One within another sleeps for both.
        assert!(file.has_moved() && waits().await && !file.has_moved());
        block_on(async { assert!(!file.has_moved() && waits().await && !file.has_moved()) });
        !file.has_moved()
    }));
    let (other, looked) = (file.file(), mpsc::channel());
    let counting = soon(move || count_up(&other));
    looked.0.send(smol::block_on(or(late(), counted(&file)))).unwrap();
    assert_eq!(looked.1.recv(), Ok(2));
    counting.join().unwrap();
}

#[test]
fn where_there_is_no_room_async_io_waits() {
    let files: Vec<Waited> = (0..=PARKED_FILES_MAX).map(|_| counter()).collect();
    block_on(or(async { _ = late().await }, async {
        for file in &files {
            assert!(poll_fn(|cx| Poll::Ready(file.poll_readable(cx).is_pending())).await);
        }
        let by_async_io: Vec<bool> = files.iter().map(Waited::is_by_async_io).collect();
        assert!(by_async_io.iter().enumerate().all(|(at, is)| *is == (at == PARKED_FILES_MAX)), "{by_async_io:?}");
        let (last, other) = (&files[PARKED_FILES_MAX], files[PARKED_FILES_MAX].file());
        let counting = soon(move || count_up(&other));
        counted(last).await;
        counting.join().unwrap();
    }));
    // What is gone makes room.
    block_on(async {
        for _ in 0..3 * PARKED_FILES_MAX {
            let file = counter();
            assert!(poll_fn(|cx| Poll::Ready(file.poll_readable(cx).is_pending())).await);
            count_up(&file);
            assert!(!file.is_by_async_io());
            drop(file);
            yield_now().await;
        }
    });
}

/// It ends with what it was given, though something still waits.
#[test]
fn it_ends_when_its_future_does() {
    let file = counter();
    let done = block_on(or(async { 1 }, async {
        counted(&file).await;
        pending().await
    }));
    assert_eq!(done, 1);
}

/// A task of an executor waits wherever that is run next, though nobody asks it.
#[test]
fn who_waited_elsewhere_is_woken() {
    let runs: [fn(BoxedLocal<()>); 3] =
        [|run| block_on(run), |run| smol::block_on(run), |run| block_on(async { block_on(run) })];
    for run in runs {
        let file = Rc::new(counter());
        let (mine, other) = (file.clone(), file.file());
        let executor = Rc::new(smol::LocalExecutor::new());
        let task = executor.spawn(async move { counted(&mine).await });
        let begin = async {
            for _ in 0..5 {
                yield_now().await;
            }
        };
        block_on(executor.run(begin));
        let counting = soon(move || count_up(&other));
        run(Box::pin(async move { _ = or(late(), executor.run(task)).await }));
        counting.join().unwrap();
    }
}

/// One within another, while the tasks of the outer one go on.
#[test]
fn the_inner_one_wakes_for_the_outer_one() {
    let file = Rc::new(counter());
    let (mine, other) = (file.clone(), file.file());
    let executor = smol::LocalExecutor::new();
    let task = executor.spawn(async move { counted(&mine).await });
    block_on(executor.run(async {
        for _ in 0..5 {
            yield_now().await;
        }
        let counting = soon(move || count_up(&other));
        block_on(executor.run(or(late(), task)));
        counting.join().unwrap();
    }));
}

/// The engine looks at its sockets, too, and is told of the tick then.
#[test]
fn a_look_at_the_sockets_loses_no_tick() {
    let (sockets, mut tick) = (Sockets::new().unwrap(), Tick::new());
    tick.set(20);
    let mut polls = 0;
    let ticks = poll_fn(|cx| {
        polls += 1;
        let _ = sockets.poll(cx, &cx.waker().clone());
        tick.heed(cx);
        // One comes meanwhile.
        thread::sleep(Duration::from_millis(30));
        assert!(!sockets.look(|_, _| {}).unwrap());
        if polls >= 6 { Poll::Ready(polls) } else { Poll::Pending }
    });
    assert_eq!(block_on(or(late(), ticks)), 6);
}

/// By async-io, in a park, and by async-io again, which still tells of what was.
#[test]
fn the_tick_keeps_its_file() {
    let mut tick = Tick::new();
    tick.set(20);
    tick.heed(&mut Context::from_waker(Waker::noop()));
    let mut polls = 0;
    block_on(poll_fn(|cx| {
        polls += 1;
        if polls == 1 {
            tick.heed(cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }));
    thread::sleep(Duration::from_millis(30));
    tick.heed(&mut Context::from_waker(Waker::noop()));
    assert!(tick.has_file());
}
