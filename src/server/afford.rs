//! What a server takes, held against what it may take ([`Config::max_memory`]): which capacity to lower, and to what.

use std::fmt::Write;
use std::future::Future;
use std::io;

use super::budget::{Futures, MemoryBudget, Size};
use super::config::Config;
use super::plan::{Offer, Settings};
use super::start::futures;
use super::storage::Storage;
use super::{Bound, Server};
use crate::app::{App, Check, PromptsOf, ResourcesOf, Tools};
use crate::limits::{BODY_BYTES_ADVISED_MIN, CONNECTIONS_FOR_CALLS_MIN};

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Server<A, R, P, H> {
    /// All that this server can take of the machine's memory when it runs with this configuration: the sum that
    /// [`Config::max_memory`] is held against.
    pub fn memory_budget(&self, config: &Config) -> MemoryBudget {
        config.budget_with(Offer::of::<App<A, R, P, H>>(), Some(Self::futures()))
    }

    /// The same in memory that the program brings ([`Bound::run_in`]).
    pub fn memory_budget_in<
        const C: usize,
        const S: usize,
        const N: usize,
        const B: usize,
        const Q: usize,
        const I: usize,
        const T: usize,
    >(
        &self,
        config: &Config,
        _: &Storage<C, S, N, B, Q, I, T>,
    ) -> MemoryBudget {
        Bound::<A, R, P, H>::budget_in::<C, S, N, B, Q, I, T>(config.settings(Offer::of::<App<A, R, P, H>>()))
    }

    /// Holds a configuration to its `max_memory`.
    ///
    /// # Errors
    /// It takes more; the text says which capacity to lower, and to what.
    pub(super) fn afford(&self, config: &Config) -> Result<(), String> {
        check(config, &|config| self.memory_budget(config).total())
    }

    fn futures() -> Futures {
        futures::<App<A, R, P, H>>(bytes_of_run(Bound::<A, R, P, H>::run))
    }
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Bound<A, R, P, H> {
    /// Holds a storage to the configuration's `max_memory`.
    ///
    /// # Errors
    /// `InvalidInput`: it takes more; the text says what takes most.
    pub(super) fn afford_in<
        const C: usize,
        const S: usize,
        const N: usize,
        const B: usize,
        const Q: usize,
        const I: usize,
        const T: usize,
    >(
        &self,
        _: &Storage<C, S, N, B, Q, I, T>,
    ) -> io::Result<()> {
        check_storage(&Self::budget_in::<C, S, N, B, Q, I, T>(self.settings), self.max_memory)
            .map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))
    }

    fn budget_in<
        const C: usize,
        const S: usize,
        const N: usize,
        const B: usize,
        const Q: usize,
        const I: usize,
        const T: usize,
    >(
        settings: Settings,
    ) -> MemoryBudget {
        let server = bytes_of_run_in(Self::run_in::<C, S, N, B, Q, I, T>);
        Storage::<C, S, N, B, Q, I, T>::budget_with(settings, Some(futures::<App<A, R, P, H>>(server)))
    }
}

fn bytes_of_run<B, F: Future>(_: fn(B) -> F) -> usize {
    size_of::<F>()
}

fn bytes_of_run_in<B, S, F: Future>(_: fn(B, S) -> F) -> usize {
    size_of::<F>()
}

/// A capacity that can be lowered.
struct Capacity {
    name: &'static str,
    get: fn(&Config) -> usize,
    set: fn(&mut Config, usize),
    least: usize,
}

const CAPACITIES: [Capacity; 7] = [
    Capacity {
        name: "connections",
        get: |config| config.connections,
        set: |config, value| {
            config.connections = value;
            // Streams that were not said follow by themselves.
            let most = value.saturating_sub(CONNECTIONS_FOR_CALLS_MIN);
            config.streams = config.streams.map(|streams| streams.min(most));
        },
        least: CONNECTIONS_FOR_CALLS_MIN + 1,
    },
    Capacity {
        name: "streams",
        get: |config| config.streams_at_once(),
        set: |config, value| config.streams = Some(value),
        least: 1,
    },
    Capacity {
        name: "sessions",
        get: |config| config.sessions,
        set: |config, value| config.sessions = value,
        least: 1,
    },
    Capacity { name: "calls", get: |config| config.calls, set: |config, value| config.calls = value, least: 1 },
    Capacity {
        name: "body_bytes",
        get: |config| config.body_bytes,
        set: |config, value| config.body_bytes = value,
        least: BODY_BYTES_ADVISED_MIN,
    },
    Capacity { name: "inputs", get: |config| config.inputs, set: |config, value| config.inputs = value, least: 0 },
    Capacity { name: "tasks", get: |config| config.tasks, set: |config, value| config.tasks = value, least: 0 },
];

impl Capacity {
    // The configuration with another value of it.
    fn with(&self, config: &Config, value: usize) -> Config {
        let mut config = config.clone();
        (self.set)(&mut config, value);
        config
    }

    // What is given back where it is as low as it can be.
    fn share(&self, config: &Config, total: Total<'_>) -> u64 {
        let lowest = (self.get)(config).min(self.least);
        total(config).saturating_sub(total(&self.with(config, lowest)))
    }
}

/// What a configuration takes.
type Total<'t> = &'t dyn Fn(&Config) -> u64;

// As `Server::afford`.
fn check(config: &Config, total: Total<'_>) -> Result<(), String> {
    let Some(max) = config.max_memory else { return Ok(()) };
    let now = total(config);
    if now <= max {
        return Ok(());
    }
    let mut text = format!("max_memory: the budget of {} is above {}", Size(now), Size(max));
    let lowered = match lowered(config, max, total) {
        Ok(lowered) => lowered,
        Err(least) => return Err(format!("{text}, and the smallest server of this program takes {}", Size(least))),
    };
    let mut capacities: Vec<_> = CAPACITIES.iter().map(|capacity| (capacity.share(config, total), capacity)).collect();
    capacities.sort_by_key(|(share, _)| std::cmp::Reverse(*share));
    let mut lead = "; lower";
    for (share, capacity) in capacities {
        let (from, to) = ((capacity.get)(config), (capacity.get)(&lowered));
        if from != to && !(capacity.name == "streams" && lowered.streams.is_none()) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{lead} {} from {from} ({}) to {to}", capacity.name, Size(share));
            lead = ",";
        }
    }
    Err(text)
}

// A configuration that takes no more than `max`: what takes most is lowered, to a half at most, and again what then takes most. Where there
// is none, the bytes of the smallest.
fn lowered(config: &Config, max: u64, total: Total<'_>) -> Result<Config, u64> {
    let mut config = config.clone();
    loop {
        let greatest = CAPACITIES.iter().max_by_key(|capacity| capacity.share(&config, total));
        let Some(greatest) = greatest.filter(|greatest| greatest.share(&config, total) > 0) else {
            return Err(total(&config));
        };
        let value = (greatest.get)(&config);
        let half = (value / 2).max(greatest.least);
        let fits = |value: usize| total(&greatest.with(&config, value)) <= max;
        if fits(half) {
            let most = greatest_that(half, value, fits);
            return Ok(greatest.with(&config, rounded(most, half)));
        }
        config = greatest.with(&config, half);
    }
}

// The greatest value that fits, of those from `lowest`, which does, up to `highest`, which does not.
fn greatest_that(lowest: usize, highest: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (lowest, highest);
    while bad.saturating_sub(good) > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    good
}

// Two digits, and noughts.
fn rounded(value: usize, lowest: usize) -> usize {
    let mut unit = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    (value / unit * unit).max(lowest)
}

// The capacities of a storage are numbers of the program.
fn check_storage(budget: &MemoryBudget, max: Option<u64>) -> Result<(), String> {
    let Some(max) = max.filter(|max| budget.total() > *max) else { return Ok(()) };
    let most = budget.rows().iter().max_by_key(|row| row.total());
    let most = most.map_or("", |row| row.name());
    Err(format!(
        "max_memory: the budget of {} is above {}; make the storage smaller, of which the {most} take most",
        Size(budget.total()),
        Size(max)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Server, ToolResult, tools};

    struct App;

    tools! {
        impl App {
            /// Does nothing.
            #[read_only]
            #[task]
            async fn nothing(&self, call: &mut Call<'_>) -> ToolResult {
                call.text("").await
            }
        }
    }

    const MIB: u64 = 1 << 20;

    fn server() -> Server<App> {
        Server::new("budget", "1", App)
    }

    #[test]
    fn what_is_too_much_names_what_to_lower() {
        let no_tasks = || Config::new().tasks(0);
        let table: [(Config, u64, &[&str]); 8] = [
            (no_tasks(), 9 * MIB, &[]),
            (no_tasks(), 8 * MIB, &[" is above 8.0 MiB; lower connections from 64 ("]),
            (no_tasks().body_bytes(4 << 20).calls(17), 64 * MIB, &["; lower body_bytes from 4194304 (71.9 MiB) to 3"]),
            (no_tasks().calls(1024), 32 * MIB, &["; lower calls from 1024 (", ") to "]),
            (no_tasks().sessions(65_535).connections(3), 8 * MIB, &["; lower sessions from 65535 ("]),
            (
                no_tasks().connections(10_000).streams(9_000),
                64 * MIB,
                &["; lower connections from 10000 (", ", streams from 9000"],
            ),
            (no_tasks().inputs(1024).connections(3).body_bytes(4096), 9 * MIB, &["; lower inputs from 1024 ("]),
            (no_tasks(), MIB, &[" is above 1.0 MiB, and the smallest server of this program takes "]),
        ];
        for (config, max, words) in table {
            let said = server().afford(&config.max_memory(max)).err().unwrap_or_default();
            assert_eq!(said.is_empty(), words.is_empty(), "{said}");
            assert!(words.iter().all(|word| said.contains(word)), "{said:?} does not say {words:?}");
            assert!(!said.contains('\n'));
        }
        let tasks = Config::new().tasks(64).connections(3).max_memory(5 * MIB);
        let said = server().afford(&tasks).unwrap_err();
        assert!(said.contains("; lower tasks from 64 ("), "{said}");
    }

    #[test]
    fn what_is_advised_is_enough_and_not_too_little() {
        let total = |config: &Config| server().memory_budget(config).total();
        let configs = [
            Config::new(),
            Config::new().connections(60_000).streams(50_000).sessions(60_000),
            Config::new().calls(1024).body_bytes(1 << 20).inputs(1024).tasks(64),
            Config::new().connections(3).calls(1).sessions(1).body_bytes(1 << 30),
        ];
        for config in configs {
            for max in [4 * MIB, 5 * MIB, 8 * MIB, 64 * MIB, 500 * MIB] {
                let now = total(&config);
                let fits = lowered(&config, max, &total).expect("there is a smaller one");
                assert!(fits.checked(true).is_ok(), "what is advised is taken");
                assert!(total(&fits) <= max);
                // Two digits are said, so a tenth may be lost.
                assert!(now <= max || total(&fits) >= max - max / 8, "{} of {max}", total(&fits));
            }
            assert!(lowered(&config, MIB, &total).err().unwrap() > MIB);
        }
    }

    #[test]
    fn a_storage_is_held_to_it_too() {
        let budget = Storage::<16, 4, 8, 4, { 1 << 20 }>::memory_budget();
        assert!(check_storage(&budget, Some(budget.total())).is_ok());
        let said = check_storage(&budget, Some(4 * MIB)).unwrap_err();
        assert!(said.contains("is above 4.0 MiB") && said.contains("request buffers"), "{said}");
    }
}
