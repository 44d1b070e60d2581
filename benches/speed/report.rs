//! A run: what was measured, and on which machine.

use std::env;
use std::fs;
use std::process::Command;

use crate::cpus::Cpus;
use crate::figures::Figures;
use crate::servers::Server;
use crate::workload::Workload;

/// What a run gave.
pub(crate) struct Report {
    /// Each workload, with the servers that took it; the floor is the first of them.
    pub(crate) rows: Vec<(Workload, Vec<(Server, Figures)>)>,
    /// The machine and the run, in a line.
    pub(crate) machine: String,
}

impl Report {
    /// What a server did with a workload, and the floor; none where it was not measured.
    pub(crate) fn find(&self, workload: &str, server: Server) -> Option<(&Figures, &Figures)> {
        let (_, all) = self.rows.iter().find(|(other, _)| other.name == workload)?;
        let (_, figures) = all.iter().find(|(other, _)| *other == server)?;
        Some((figures, &all[0].1))
    }
}

/// The machine, in a line.
pub(crate) fn machine(cpus: &Cpus, rounds: usize) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let field = |name: &str| cpu_info.lines().find_map(|line| line.strip_prefix(name)?.split_once(": ")).map(|at| at.1);
    let model = field("model name").or(field("Model")).unwrap_or("an unnamed CPU");
    let kind =
        if field("flags").is_some_and(|flags| flags.contains(" hypervisor")) { "a virtual machine, " } else { "" };
    let count = cpu_info.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-V").output();
    let rustc = rustc.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
    let rustc = rustc.split(' ').nth(1).unwrap_or("?").to_owned();
    let apart =
        if cpus.are_apart { "servers on one CPU, clients on another" } else { "servers and clients on one CPU" };
    format!(
        "{kind}{model}, {count} CPUs, Linux {}, Rust {rustc}; {apart}; medians of {rounds} rounds; load average before: {}",
        kernel.trim(),
        load.split(' ').next().unwrap_or("?"),
    )
}
