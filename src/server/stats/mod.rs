//! What a server counts, for whoever wants to know how it is doing: [`Handle::stats`](crate::Handle::stats).
//!
//! A counter begins at 0 when the server starts, and only grows. `now` is how many there are at this moment, `most` how many there were at the
//! fullest moment since the start, and `capacity` how many there can be: where `most` comes near to `capacity`, that is the setting to raise.

mod collect;

pub(super) use collect::Tally;

use std::cell::Cell;
use std::fmt;

/// A number that only grows. Counted on the server's one thread, so that it is a plain addition.
#[derive(Default)]
pub(super) struct Count(Cell<u64>);

impl Count {
    /// One more.
    pub(super) fn add(&self) {
        self.add_many(1);
    }

    /// So many more.
    pub(super) fn add_many(&self, more: u64) {
        self.0.set(self.0.get().saturating_add(more));
    }

    /// There are so many now: it holds the most that there ever were.
    pub(super) fn reach(&self, now: usize) {
        self.0.set(self.0.get().max(now as u64));
    }

    fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Declares the groups of counters once: as they are read, as they are counted, and their names.
macro_rules! groups {
    ($(
        $(#[$about:meta])*
        $field:ident: $group:ident = $tally:ident {
            $($(#[$grows:meta])* $counter:ident,)*
        }
    )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            #[non_exhaustive]
            pub struct $group {
                $($(#[$grows])* pub $counter: u64,)*
            }

            #[derive(Default)]
            pub(super) struct $tally {
                $(pub(super) $counter: Count,)*
            }

            impl $tally {
                fn read(&self) -> $group {
                    $group { $($counter: self.$counter.get(),)* }
                }
            }
        )*

        /// What a server holds now, and what has happened since it started; from [`Handle::stats`](crate::Handle::stats).
        ///
        /// Displayed it is one line for each group, as `refused: host=2 origin=0 ...`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Milliseconds since the server started.
            pub uptime_ms: u64,
            $($(#[$about])* pub $field: $group,)*
        }

        impl Stats {
            /// Shows every number: its group, its name, and how much it is. For programs that tell them elsewhere; the names stay the same,
            /// and further ones may come.
            pub fn each(&self, mut show: impl FnMut(&'static str, &'static str, u64)) {
                show("server", "uptime_ms", self.uptime_ms);
                $($(show(stringify!($field), stringify!($counter), self.$field.$counter);)*)*
            }
        }

        /// All counters, as they are counted.
        #[derive(Default)]
        pub(super) struct Counters {
            $(pub(super) $field: $tally,)*
        }

        impl Counters {
            fn read(&self) -> Stats {
                Stats { uptime_ms: 0, $($field: self.$field.read(),)* }
            }
        }
    };
}

groups! {
    /// Connections, whoever accepted them.
    connections: Connections = ConnectionsTally {
        /// Open now, with those that are told that there is no room.
        now,
        /// The most that were open at once.
        most,
        /// The places there are: as many as configured, and four that only tell newcomers that there is no room.
        capacity,
        /// A connection came, by the listener or by [`Handle::connect`](crate::Handle::connect), and got a place, be it only to be refused.
        accepted,
        /// The connection that was idle longest was closed, so that a newcomer got its place.
        reclaimed_idle,
        /// One that had not brought a whole head within a second was closed, so that a newcomer got its place.
        reclaimed_slow,
        /// Accepting failed for want of files or memory; it is tried again a moment later.
        accept_errors,
        /// A newcomer went before it was accepted.
        accept_aborted,
        /// [`Handle::connect`](crate::Handle::connect) was called while the queue of commands was full: the connection was closed.
        not_taken,
    }

    /// Request buffers: what a connection has from the first byte of a request to the end of its answer.
    buffers: Buffers = BuffersTally {
        /// In use now.
        now,
        /// The most that were in use at once.
        most,
        /// How many there are: one for each call, and one for what frees others.
        capacity,
        /// Connections that wait for one now.
        waiting,
        /// The most that waited at once.
        waiting_most,
    }

    /// Requests over HTTP. What was `received` is `served`, `broken`, among what was [refused](Refused) for more than its head and framing, or
    /// still being worked on.
    requests: Requests = RequestsTally {
        /// The head of a request came, whole, readable, and of a body that can be taken.
        received,
        /// A request came to the end of its answer, or became a stream; calls whose tool failed are among them, and those whose client went.
        served,
        /// The connection ended within a body.
        broken,
    }

    /// What was not served, by the reason. Each is counted once, in one of them.
    refused: Refused = RefusedTally {
        /// A connection got `503`: all connections are taken, and none could make room. (`Config::connections`)
        house,
        /// A connection got `503`: its address has as many as one may have. (`Config::connections_per_address`)
        share,
        /// A connection got `503` after its request had waited in vain for a buffer. (`Config::calls`)
        buffers,
        /// `400`, `414`, `417`, `431`, `501`, `505`: it is no HTTP that is spoken here, or a head too large.
        wire,
        /// `413`: the body is too large. (`Config::body_bytes`)
        body,
        /// `408`: the head did not come within its time.
        slow_head,
        /// `408`: the body did not come within its time.
        slow_body,
        /// `403`, `400`: the server is not called by one of its names. (`Config::allow_host`)
        host,
        /// `403`: a web page from elsewhere. (`Config::allow_origin`)
        origin,
        /// `401`, `400`: there is no token, or it is none of the server's. (`Config::token`)
        token,
        /// `429`: the address sent more requests than it may. (`Config::requests_per_address`)
        address_rate,
        /// `429`, or in a batch an error: the principal sent more requests than it may. (`Config::requests_per_principal`)
        principal_rate,
        /// `429`: the address brought more wrong tokens than it may. (`Config::wrong_tokens_per_address`)
        wrong_tokens,
        /// An error of the tool: it was called more often than it may be. (`#[rate(..)]`)
        tool_rate,
        /// `404`, `405`, `415`: no such endpoint, method, or type of content.
        path,
        /// `404`: the session ended, or this server did not issue it. Its client begins anew.
        session,
        /// `400`: no message of MCP, or header and message disagree.
        message,
        /// A JSON-RPC error: no such method, tool, resource or prompt, or wrong parameters.
        request,
        /// `503`: all calls are taken, found out when the request was read already. (`Config::calls`)
        calls,
        /// `503`: all sessions are in use. (`Config::sessions`)
        sessions,
        /// `503`: all streams are taken. (`Config::streams`)
        streams,
        /// `503`: the address has as many streams as one may have. (`Config::streams_per_address`)
        streams_share,
        /// `503`: the server is shutting down.
        stopping,
    }

    /// Connections that were closed for their slowness. (Requests that came too slowly got a `408`: see [`Refused`].)
    deadlines: Deadlines = DeadlinesTally {
        /// A new connection brought nothing for 10 s.
        silent,
        /// A connection was idle for as long as it may. (`Config::idle_timeout_ms`)
        idle,
        /// The client of an answer did not read it.
        write,
        /// The client of a stream did not read it.
        stream,
    }

    /// Calls: tools, reading resources, prompts, completion. What was `started` is `finished`, `failed`, `panicked`, `timed_out`,
    /// `cancelled`, `abandoned`, or runs `now`.
    calls: Calls = CallsTally {
        /// Running now.
        now,
        /// The most that ran at once.
        most,
        /// How many can run at once. (`Config::calls`)
        capacity,
        /// A call began.
        started,
        /// A handler came to its end, or asked its client what it will be told by another call.
        finished,
        /// A handler returned an error; wrong arguments of a tool are one.
        failed,
        /// A handler panicked.
        panicked,
        /// A handler was dropped for its time. (`Config::tool_timeout_ms`)
        timed_out,
        /// A handler was dropped as its client cancelled the call, or ended the session or the stream that it was to be answered by.
        cancelled,
        /// A handler was dropped as its client's connection ended: in 2026-07-28 that is how a call is cancelled.
        abandoned,
    }

    /// Tasks (`io.modelcontextprotocol/tasks`).
    tasks: Tasks = TasksTally {
        /// Running now, or kept for their results.
        now,
        /// The most that were there at once.
        most,
        /// How many there can be. (`Config::tasks`)
        capacity,
        /// A task was created.
        started,
        /// A tool came to its end, or returned an error.
        finished,
        /// A tool panicked, or its result was too large.
        failed,
        /// A tool was dropped for its time. (`Config::task_timeout_ms`)
        timed_out,
        /// A tool was dropped as its client cancelled the task.
        cancelled,
        /// There was no place for a task, or its request was too large: it ran as a plain call, or was refused.
        refused,
    }

    /// Questions to clients of older revisions.
    inputs: Inputs = InputsTally {
        /// Open now.
        now,
        /// The most that were open at once.
        most,
        /// How many can be open. (`Config::inputs`)
        capacity,
        /// A question was put.
        asked,
        /// A client answered, or refused to.
        answered,
        /// No answer came in time. (`Config::input_timeout_ms`)
        timed_out,
        /// There was no place for a question: an error of its tool.
        refused,
    }

    /// Event streams.
    streams: Streams = StreamsTally {
        /// Open now.
        now,
        /// The most that were open at once.
        most,
        /// How many there can be. (`Config::streams`)
        capacity,
        /// A stream was opened.
        opened,
        /// A stream ended, for whatever reason.
        closed,
        /// Of these: its client read so slowly that events were overwritten which it had not got.
        lost,
        /// Of these: one of 2024-11-05 that had sent nothing for half a minute, and made room for another.
        reclaimed,
        /// Of these: the same session, or call, opened a newer one.
        replaced,
    }

    /// Sessions of the older revisions.
    sessions: Sessions = SessionsTally {
        /// In memory now.
        now,
        /// The most that were in memory at once.
        most,
        /// How many there can be. (`Config::sessions`)
        capacity,
        /// A client opened a session.
        opened,
        /// A client came back with the id of a session that was not in memory.
        restored,
        /// An idle session made room for another. Its id brings it back.
        evicted,
        /// Of these: it lost a log level or subscriptions.
        evicted_with_state,
        /// A client stayed away for so long that its session was let go. Its id brings it back.
        expired,
        /// A client ended its session, or (2024-11-05) the session's stream closed.
        ended,
    }

    /// What the application tells all clients.
    events: Events = EventsTally {
        /// An event was stored, to be read by whoever listens.
        appended,
        /// An answer whose connection broke was too large to be kept, so that its client can't fetch it.
        too_large,
        /// A message or a change was not taken, as the queue of commands was full; records of a [`ClientLogger`](crate::ClientLogger) too.
        not_taken,
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut group, mut result) = ("", Ok(()));
        self.each(|of, name, value| {
            let begin = if group == of { "" } else { of };
            let line_break = if group.is_empty() || begin.is_empty() { "" } else { "\n" };
            let colon = if begin.is_empty() { "" } else { ":" };
            result = result.and_then(|()| write!(f, "{line_break}{begin}{colon} {name}={value}"));
            group = of;
        });
        result
    }
}
