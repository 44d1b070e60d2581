//! The memory budget: the written sum of all that a server can take (DESIGN D1, D12).

use core::fmt;

use super::audit::AuditEntry;
use super::core::Core;
use super::handle::Command;
use super::park;
use super::plan::{Capacities, Plan, Settings};
use super::ready::Ready;
use super::waited::Waited;
use crate::limits::{
    ASYNC_IO_BYTES, BLOCK_BYTES, COMMANDS_MAX, HANDLE_BYTES, KERNEL_DOUBLES, KERNEL_SOCKET_BYTES, LISTEN_BACKLOG,
    MESSAGE_PARAMS_BYTES_MAX, RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES,
};
use crate::rate::Bucket;

/// Rows that a budget has at most.
const ROWS_MAX: usize = 29;

/// What a server can take of the machine's memory when all of its capacities are used up: a sum, row by row, of what the process has and of what
/// the kernel has for its sockets. It is known before the server starts, and can be held to a limit when the program is compiled:
///
/// ```
/// use smol_mcp::{Config, MemoryBudget};
///
/// static CONFIG: Config = Config::new().connections(16).calls(2).body_bytes(16 * 1024).tasks(0);
/// const BUDGET: MemoryBudget = CONFIG.memory_budget();
/// const _: () = assert!(BUDGET.process() < 1024 * 1024 && BUDGET.total() < 8 * 1024 * 1024);
///
/// println!("{BUDGET}"); // a table
/// ```
/// From [`Config::memory_budget`](crate::Config::memory_budget) or [`Storage::memory_budget`](crate::Storage::memory_budget) it lacks what only
/// the application's types decide: the size of the futures of its handlers, of which there is one for each call and each task, and its tools
/// as they are listed.
/// [`Server::memory_budget`](crate::Server::memory_budget) has them.
///
/// Not in it are what the application has of its own, also on behalf of a handler (`Box`, `String`), and what any program has: stacks, libc, a
/// logger; in the examples of this crate these are at most [`RUNTIME_BYTES`](crate::limits::RUNTIME_BYTES).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    rows: [BudgetRow; ROWS_MAX],
    used: usize,
}

/// One row of a [`MemoryBudget`]: so many things of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    name: &'static str,
    count: usize,
    bytes: usize,
    kernel: bool,
}

/// The bytes of the futures that a server makes when it starts: their size is a matter of the application's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Futures {
    /// Of what serves a connection; it holds the futures of the handlers.
    pub(super) call: usize,
    /// Of what runs a task; the same.
    pub(super) task: usize,
    /// Of the whole: what the application runs.
    pub(super) server: usize,
}

impl BudgetRow {
    const NONE: Self = Self { name: "", count: 0, bytes: 0, kernel: false };

    /// What it is.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Bytes of one.
    pub const fn bytes_each(&self) -> usize {
        self.bytes
    }

    /// Bytes of all.
    pub const fn total(&self) -> u64 {
        (self.count as u64).saturating_mul(self.bytes as u64)
    }

    /// It is the kernel's, which keeps it on the server's behalf.
    pub const fn is_kernel(&self) -> bool {
        self.kernel
    }
}

impl MemoryBudget {
    /// The rows: the process' first, then the kernel's.
    pub const fn rows(&self) -> &[BudgetRow] {
        self.rows.split_at(self.used).0
    }

    /// Bytes of the process.
    pub const fn process(&self) -> u64 {
        self.sum(false)
    }

    /// Bytes of the kernel, which no process is charged for: sockets and their buffers.
    pub const fn kernel(&self) -> u64 {
        self.sum(true)
    }

    /// Both.
    pub const fn total(&self) -> u64 {
        self.process().saturating_add(self.kernel())
    }

    const fn sum(&self, kernel: bool) -> u64 {
        let (mut rest, mut sum) = (self.rows(), 0_u64);
        while let Some((row, others)) = rest.split_first() {
            if row.kernel == kernel {
                sum = sum.saturating_add(row.total());
            }
            rest = others;
        }
        sum
    }

    /// The budget of a server of these capacities, whose settings (tokens, names) take so many bytes; without its futures, where they are not
    /// known.
    pub(super) const fn of(capacities: Capacities, settings: Settings, futures: Option<Futures>) -> Self {
        let plan = Plan::of(capacities);
        Self { rows: [BudgetRow::NONE; ROWS_MAX], used: 0 }
            .of_clients(&plan)
            .of_calls(&plan, futures)
            .of_the_rest(&plan, settings, futures)
            .of_the_kernel(&plan)
    }

    const fn of_clients(self, plan: &Plan) -> Self {
        let connections = plan.conns.count();
        // Beside its slot, a place in the queue for a buffer.
        let connection = plan.conns.bytes() + plan.queue.bytes();
        self.with("connections", connections, connection)
            .with("wakers", plan.wakers(), Ready::WAKER_BYTES + Ready::WOKEN_BYTES + BLOCK_BYTES)
            .with("async-io", 1, ASYNC_IO_BYTES)
            .with("streams", plan.streams.count(), plan.streams.bytes() + plan.rests.bytes())
            .with("sessions", plan.sessions.count(), plan.sessions.bytes())
            .with("names of clients", plan.names.count(), plan.names.bytes())
    }

    const fn of_calls(self, plan: &Plan, futures: Option<Futures>) -> Self {
        let buffers = plan.requests.count();
        let future = size_of::<usize>() + BLOCK_BYTES;
        let input = plan.inputs.bytes() + plan.input_bytes.bytes();
        let texts = plan.task_inputs.bytes() + plan.task_requests.bytes() + plan.task_results.bytes();
        let task = plan.tasks.bytes() + plan.task_inboxes.bytes() + texts;
        let budget = self
            .with("request buffers", buffers, plan.requests.bytes())
            .with("transmit buffers", buffers, plan.answers.bytes())
            .with("calls", buffers, plan.workers.bytes() + future)
            .with("questions to clients", plan.inputs.count(), input)
            .with("tasks", plan.tasks.count(), task + future);
        match futures {
            Some(Futures { call, task, .. }) => budget
                .with("futures of calls, with the handlers'", buffers, call)
                .with("futures of tasks, with the handlers'", plan.tasks.count(), task),
            None => budget,
        }
    }

    const fn of_the_rest(self, plan: &Plan, settings: Settings, futures: Option<Futures>) -> Self {
        let core = size_of::<Core<'static, ()>>();
        let command = size_of::<Command>() + size_of::<usize>() + MESSAGE_PARAMS_BYTES_MAX;
        // The sockets, the tick, and the thread.
        let asleep = 2 * Waited::BYTES + Waited::EPOLL_BYTES + park::BYTES;
        let budget = self
            .with("event ring", 1, plan.ring.bytes())
            .with("an event on its way", 1, plan.scratch.bytes())
            .with("resources subscribed to", plan.uris.count(), plan.uris.bytes())
            .with("commands of the application", COMMANDS_MAX, command)
            .with("tokens, names, origins", 1, settings.bytes)
            .with("ends of access tokens", plan.streams.count(), settings.bytes_per_stream)
            .with("tools, as they are listed", 1, settings.listed_bytes)
            .with("rates", settings.buckets, size_of::<Bucket>())
            .with("audit entries", settings.entries, size_of::<AuditEntry>())
            .with("core, with the ended sessions", 1, core + Ready::bytes(plan.bits()) + asleep + HANDLE_BYTES);
        match futures {
            Some(Futures { server, .. }) => budget.with("future of the server", 1, server),
            None => budget,
        }
    }

    const fn of_the_kernel(self, plan: &Plan) -> Self {
        let connections = plan.conns.count();
        let (send, receive) = (SEND_BUFFER_BYTES * KERNEL_DOUBLES, RECEIVE_BUFFER_BYTES * KERNEL_DOUBLES);
        self.with_kernel("sockets", connections.saturating_add(1), KERNEL_SOCKET_BYTES)
            .with_kernel("send buffers", connections, send)
            .with_kernel("receive buffers", connections, receive)
            .with_kernel("connections to be accepted", LISTEN_BACKLOG, KERNEL_SOCKET_BYTES + receive)
    }

    const fn with(self, name: &'static str, count: usize, bytes: usize) -> Self {
        self.with_row(BudgetRow { name, count, bytes, kernel: false })
    }

    const fn with_kernel(self, name: &'static str, count: usize, bytes: usize) -> Self {
        self.with_row(BudgetRow { name, count, bytes, kernel: true })
    }

    // What there is none of needs no row.
    const fn with_row(mut self, row: BudgetRow) -> Self {
        if row.count > 0 && row.bytes > 0 && self.used < ROWS_MAX {
            self.rows[self.used] = row;
            self.used += 1;
        }
        self
    }
}

/// The budget as a table: a line for each row, and the sums.
impl fmt::Display for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, kernel, sum) in [("process", false, self.process()), ("kernel", true, self.kernel())] {
            writeln!(f, "{title:<NAME_COLUMNS$} {:>8} {:>12} {:>16}", "count", "bytes each", "bytes")?;
            for row in self.rows().iter().filter(|row| row.kernel == kernel) {
                let (count, each) = (Grouped(row.count as u64), Grouped(row.bytes as u64));
                writeln!(f, "  {:<INNER_COLUMNS$} {count:>8} {each:>12} {:>16}", row.name, Grouped(row.total()))?;
            }
            writeln!(f, "  {:<INNER_COLUMNS$} {:>8} {:>12} {:>16}  {}", "sum", "", "", Grouped(sum), Size(sum))?;
        }
        let total = self.total();
        writeln!(f, "{:<NAME_COLUMNS$} {:>8} {:>12} {:>16}  {}", "total", "", "", Grouped(total), Size(total))
    }
}

/// Columns of the names, and of those that stand below another.
const NAME_COLUMNS: usize = INNER_COLUMNS + 2;
const INNER_COLUMNS: usize = 38;

/// A number as people read it: 1 234 567.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 20 digits, and 6 gaps.
        let mut text = heapless::Deque::<u8, 26>::new();
        let (mut rest, mut digits) = (self.0, 0);
        loop {
            if digits > 0 && digits % 3 == 0 {
                let _ = text.push_front(b' ');
            }
            let _ = text.push_front(b"0123456789"[(rest % 10) as usize]);
            rest /= 10;
            digits += 1;
            if rest == 0 {
                break;
            }
        }
        f.pad(str::from_utf8(text.make_contiguous()).unwrap_or_default())
    }
}

/// Bytes as people compare them: 71.3 MiB.
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1024 => return write!(f, "{} B", self.0),
            1024..0x10_0000 => (1024, "KiB"),
            0x10_0000..0x4000_0000 => (0x10_0000, "MiB"),
            _ => (0x4000_0000, "GiB"),
        };
        let tenths = (u128::from(self.0) * 10 + unit / 2) / unit;
        write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
    }
}
