//! The budget: its rows against the sizes of the types, its table, and a server that may not have so much.

use std::io::ErrorKind;

use super::plan::Plan;
use super::storage::{Heap, Memory, Parts};
use super::{Config, MemoryBudget, Server, Storage};
use crate::limits::{
    CALLS_DEFAULT, CONNECTIONS_DEFAULT, KERNEL_DOUBLES, LISTEN_BACKLOG, RECEIVE_BUFFER_BYTES, REFUSALS_MAX,
    RESERVED_BUFFERS, SEND_BUFFER_BYTES, TRANSMIT_BYTES,
};
use crate::{Call, ToolResult, args, tools};

args! {
    struct Text {
        /// A text.
        text: String,
    }
}

struct Plain;

tools! {
    impl Plain {
        /// Says it.
        #[read_only]
        async fn say(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }
    }
}

struct Tasks;

tools! {
    impl Tasks {
        /// Says it, holding a kilobyte meanwhile.
        #[read_only]
        #[task]
        async fn say(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            let held = [args.text.len(); 512];
            call.write(&args.text).await;
            call.reply(format_args!("{}", held.len())).await
        }
    }
}

// What is allocated at once, or lies in a storage.
fn pools(plan: &Plan) -> usize {
    [
        (plan.conns.count(), plan.conns.bytes()),
        (plan.streams.count(), plan.streams.bytes() + plan.rests.bytes()),
        (plan.sessions.count(), plan.sessions.bytes()),
        (plan.names.count(), plan.names.bytes()),
        (plan.requests.count(), plan.requests.bytes() + plan.answers.bytes()),
        (plan.ring.count(), plan.ring.bytes()),
        (plan.uris.count(), plan.uris.bytes()),
        (plan.inputs.count(), plan.inputs.bytes() + plan.input_bytes.bytes()),
        (plan.tasks.count(), plan.tasks.bytes() + plan.task_inboxes.bytes() + plan.task_inputs.bytes()),
        (plan.tasks.count(), plan.task_requests.bytes() + plan.task_results.bytes()),
    ]
    .iter()
    .map(|(count, bytes)| count * bytes)
    .sum()
}

#[test]
fn a_storage_is_as_large_as_its_rows() {
    fn check<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const T: usize>() {
        let capacities = Storage::<C, S, N, B, R, 3, T>::CAPACITIES;
        let sum = pools(&Plan::of(capacities));
        let size = size_of::<Parts<C, S, N, B, R, 3, T>>();
        // At most a word is lost between any two parts.
        assert!(size >= sum && size - sum < 20 * size_of::<usize>(), "{size} bytes, {sum} in rows");
    }
    check::<7, 1, 1, 2, 16_384, 0>();
    check::<16, 8, 16, 4, 32_768, 0>();
    check::<100, 90, 333, 9, 20_001, 5>();
}

#[test]
fn what_is_taken_of_the_heap_is_what_is_planned() {
    let capacities = Config::new().checked(true).unwrap();
    let mut taken = Heap(capacities).take().unwrap();
    let plan = Plan::of(capacities);
    let views = super::storage::Lend::lend(&mut taken);
    assert_eq!(views.conns.capacity(), plan.conns.count());
    assert_eq!((views.streams.capacity(), views.rests.capacity()), (plan.streams.count(), plan.rests.count()));
    assert_eq!((views.sessions.capacity(), views.names.capacity()), (plan.sessions.count(), plan.names.count()));
    assert_eq!((views.requests.len(), views.requests[0].len()), (plan.requests.count(), plan.requests.bytes()));
    assert_eq!((views.answers.len(), views.answers[0].len()), (plan.answers.count(), TRANSMIT_BYTES));
    assert_eq!((views.tasks.slots.len(), views.task_requests.len()), (plan.tasks.count(), plan.tasks.count()));
}

fn row(budget: &MemoryBudget, name: &str) -> Option<(usize, usize)> {
    budget.rows().iter().find(|row| row.name().starts_with(name)).map(|row| (row.count(), row.bytes_each()))
}

#[test]
fn the_kernel_s_share_is_what_it_was_told() {
    let budget = Config::new().memory_budget();
    let connections = CONNECTIONS_DEFAULT + REFUSALS_MAX;
    assert_eq!(row(&budget, "send buffers"), Some((connections, SEND_BUFFER_BYTES * KERNEL_DOUBLES)));
    assert_eq!(row(&budget, "receive buffers"), Some((connections, RECEIVE_BUFFER_BYTES * KERNEL_DOUBLES)));
    assert_eq!(row(&budget, "connections to be").unwrap().0, LISTEN_BACKLOG);
    assert_eq!(budget.total(), budget.process() + budget.kernel());
    let kernel = budget.rows().iter().filter(|row| row.is_kernel());
    assert_eq!(budget.kernel(), kernel.map(super::BudgetRow::total).sum::<u64>());
}

#[test]
fn a_server_adds_what_its_types_decide() {
    let config = Config::new();
    let plain = Server::new("plain", "1", Plain).memory_budget(&config);
    let tasks = Server::new("tasks", "1", Tasks).memory_budget(&config);
    let (calls, small) = row(&plain, "futures of calls").unwrap();
    let (_, large) = row(&tasks, "futures of calls").unwrap();
    assert_eq!(calls, CALLS_DEFAULT + RESERVED_BUFFERS);
    assert!(large >= small + 512 * size_of::<usize>(), "{large} is not {small} and what the handler holds");
    assert!(row(&tasks, "futures of tasks").unwrap().1 > 512 * size_of::<usize>());
    assert_eq!((row(&plain, "tasks"), row(&plain, "futures of tasks")), (None, None));
    assert!(row(&config.memory_budget(), "futures").is_none());
    assert!(plain.process() > config.tasks(0).memory_budget().process());
}

#[test]
fn it_is_a_table() {
    static CONFIG: Config = Config::new().connections(1000).body_bytes(1 << 20);
    const BUDGET: MemoryBudget = CONFIG.memory_budget();
    const _: () = assert!(BUDGET.total() > 1 << 20);
    let table = BUDGET.to_string();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("process                                     count   bytes each            bytes"));
    assert!(
        table.contains("\n  request buffers                               9    1 056 832        9 511 488\n"),
        "{table}"
    );
    assert!(table.contains("\nkernel  ") && table.contains("\ntotal  ") && table.ends_with(" MiB\n"), "{table}");
    let ends: Vec<_> = table.lines().map(|line| line.split_once("iB").map_or(line.len(), |_| 0)).collect();
    assert!(ends.iter().all(|end| [0, ends[0]].contains(end)), "the columns stand below each other: {table}");
    let sums: Vec<u64> = table.lines().filter(|line| line.contains("iB")).map(number).collect();
    assert_eq!(sums, [BUDGET.process(), BUDGET.kernel(), BUDGET.total()]);
}

// The number of a line of a sum.
fn number(line: &str) -> u64 {
    let number = line.split_once(' ').unwrap().1.trim_start_matches([' ', 's', 'u', 'm']);
    number.split_once("  ").unwrap().0.replace(' ', "").parse().unwrap()
}

#[test]
fn sizes_are_read_easily() {
    let shown = |bytes: u64| super::budget::Size(bytes).to_string();
    let cases = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (64 << 20, "64.0 MiB"),
        (u64::MAX, "17179869184.0 GiB"),
    ];
    for (bytes, text) in cases {
        assert_eq!(shown(bytes), text);
    }
}

#[test]
fn a_sum_that_no_number_holds_is_the_largest_number() {
    let config = Config::new().connections(usize::MAX).calls(usize::MAX).body_bytes(usize::MAX).sessions(usize::MAX);
    assert_eq!(config.memory_budget().total(), u64::MAX);
}

#[test]
fn a_storage_that_is_too_large_does_not_run() {
    static STORAGE: Storage<8, 2, 4, 2, 16_384> = Storage::new();
    let server = || Server::new("stored", "1", Plain);
    let config = || Config::new().listen(([127, 0, 0, 1], 0).into());
    let budget = server().memory_budget_in(&config(), &STORAGE);
    assert!(budget.process() > Storage::<8, 2, 4, 2, 16_384>::memory_budget().process());
    let bound = server().bind(config().connections(3).calls(1).body_bytes(4096).max_memory(budget.total() - 1));
    let error = crate::block_on(bound.unwrap().run_in(&STORAGE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().starts_with("max_memory: "), "{error}");
}
