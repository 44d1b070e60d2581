//! Who runs where: servers on one CPU, the load on another.

use std::fs;
use std::path::PathBuf;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::process::Process;

/// The CPUs that are used.
pub(crate) struct Cpus {
    load: CpuSet,
    servers: CpuSet,
    /// They are two.
    pub(crate) are_apart: bool,
}

impl Cpus {
    /// The first and the last that this program may use; from now on the load runs on the first.
    pub(crate) fn choose() -> Self {
        let allowed = sched_getaffinity(None).expect("the CPUs of this thread");
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
        let one = |cpu: Option<&usize>| {
            let mut set = CpuSet::new();
            set.set(*cpu.expect("it runs somewhere"));
            set
        };
        let cpus = Self { load: one(all.first()), servers: one(all.last()), are_apart: all.len() > 1 };
        sched_setaffinity(None, &cpus.load).unwrap();
        cpus
    }

    /// What this starts runs where the servers do.
    pub(crate) fn there<T>(&self, start: impl FnOnce() -> T) -> T {
        sched_setaffinity(None, &self.servers).unwrap();
        let started = start();
        sched_setaffinity(None, &self.load).unwrap();
        started
    }
}

/// The time that all threads of a process had on a CPU, in nanoseconds.
pub(crate) fn spent_ns(process: &Process) -> u64 {
    let of_task = |task: PathBuf| {
        let text = fs::read_to_string(task.join("schedstat")).expect("a kernel with schedstat");
        text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).expect("a number")
    };
    let tasks = fs::read_dir(format!("/proc/{}/task", process.child.id())).expect("it runs");
    tasks.map(|task| of_task(task.unwrap().path())).sum()
}
