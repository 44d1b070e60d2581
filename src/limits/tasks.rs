//! The limits of tasks.

/// Tasks at once (2026-07-28), running or kept for their results, where the configuration does not say and the application has tools that run
/// as tasks: a household's agents have one or two each.
pub const TASKS_DEFAULT: usize = 8;

/// Tasks at once, whatever the configuration says: one bit each in a `u64` of every listener.
pub const TASKS_MAX: usize = 64;

/// Bytes of a task's request, and of its result: that of a transmit buffer. A larger request is answered as a call without a task; a task with
/// a larger result fails, and says so.
pub const TASK_BYTES_MAX: usize = 16 * 1024;

/// Bytes of what a task asks its client, and of the answers, until the tool has read them: forms and short texts.
pub const TASK_INPUT_BYTES_MAX: usize = 8 * 1024;

/// Bytes of what a running task says of how far it is (`statusMessage`): a line.
pub const TASK_NOTE_BYTES_MAX: usize = 120;

/// Milliseconds that a task may run, where the configuration does not say: an hour. It holds no connection and no request buffer.
pub const TASK_TIMEOUT_MS_DEFAULT: u64 = 60 * 60 * 1000;

/// Milliseconds that a task is kept after its end, where the configuration does not say: a client that lost its network has time to come back.
pub const TASK_TTL_MS_DEFAULT: u64 = 5 * 60 * 1000;

/// Milliseconds that a task is kept once its client has read how it ended, or has cancelled it: for an answer that got lost on its way.
pub const TASK_TOLD_MS: u64 = 30_000;

/// Milliseconds that clients are asked to wait between two looks at a task (`pollIntervalMs`).
pub const TASK_POLL_MS: u32 = 1_000;

/// Bytes of an event that tells how far a task is: its result, or what it asks, and what surrounds that.
pub const TASK_EVENT_BYTES_MAX: usize = TASK_BYTES_MAX + 2 * 1024;
const _: () = assert!(TASK_INPUT_BYTES_MAX <= TASK_BYTES_MAX, "the larger of the two must fit");
