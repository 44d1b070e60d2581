//! One workload, by all servers, by turns.

use std::thread;
use std::time::{Duration, Instant};

use crate::counts::{Counts, Tools};
use crate::cpus::{Cpus, spent_ns};
use crate::figures::{Figures, Turn};
use crate::load::{Load, Manner, Until};
use crate::process::{Memory, Process};
use crate::records::{self, Setting};
use crate::servers::{Programs, Server};
use crate::streams::Streams;
use crate::wire::{self, Ask};
use crate::workload::{Kind, Workload};

/// After so long a server that started is idle.
const IDLE: Duration = Duration::from_millis(500);
/// Streams that touch what streams share, and are no more than a server takes by itself.
const FEW: usize = 16;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Turns of each server.
    pub(crate) rounds: usize,
    /// The same where each turn starts a server.
    pub(crate) fresh_rounds: usize,
    /// The length of one.
    pub(crate) turn: Duration,
    /// Before it, so that what is touched first is touched.
    pub(crate) warm_up: Duration,
    /// Notifications, or starts, of one.
    pub(crate) repeats: usize,
    /// Instructions and allocations are counted too.
    pub(crate) counts: bool,
}

/// What starts and loads servers.
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    /// Who takes turns, the floor first.
    pub(crate) servers: &'static [Server],
    pub(crate) cpus: Cpus,
    pub(crate) tools: Tools,
    pub(crate) effort: Effort,
}

/// A server that takes its turns.
struct Contender<W> {
    server: Server,
    process: Process,
    work: W,
    idle: Memory,
    turns: Vec<Turn>,
}

impl Bench {
    /// What the workload costs each server that takes it; the floor is the first.
    pub(crate) fn run(&self, workload: &Workload) -> Vec<(Server, Figures)> {
        let setting = records::make(self, workload);
        match workload.kind {
            Kind::Call | Kind::Once | Kind::List | Kind::Big => self.requests(workload, &setting),
            Kind::Open => self.openings(workload, &setting),
            Kind::Fanout => self.notifications(workload, &setting),
            Kind::Start => self.starts(workload, &setting),
        }
    }

    /// Starts a server where servers run, below these words if there are any.
    pub(crate) fn start(&self, server: Server, workload: &Workload, setting: &Setting, under: &[&str]) -> Process {
        self.cpus.there(|| self.programs.start(server, workload, setting, under))
    }

    // Clients that ask again and again.
    fn requests(&self, workload: &Workload, setting: &Setting) -> Vec<(Server, Figures)> {
        let mut contenders = self.contenders(workload, setting, |server, process| load(server, process, workload));
        self.rounds(&mut contenders, |_, process, work| {
            work.run(Until::Time(self.effort.warm_up));
            let before = spent_ns(process);
            let waits = work.run(Until::Time(self.effort.turn));
            let requests = waits.len();
            Turn::new(waits, spent_ns(process) - before, requests)
        });
        let finish = |contender: Contender<Load>| {
            let Contender { server, process, mut work, idle, turns } = contender;
            let after = process.memory();
            let counts = self.counts(server, workload, setting, &process, &mut work);
            (server, Figures { turns, idle, after, counts })
        };
        contenders.into_iter().map(finish).collect()
    }

    // Streams that are opened. What is open is open, so each turn has a server of its own.
    fn openings(&self, workload: &Workload, setting: &Setting) -> Vec<(Server, Figures)> {
        let needle = workload.kind.ask().needle(workload.revision);
        // What the room for more of them takes is theirs, and what any load takes is not: it is compared with a server as it is by itself, which
        // had a few.
        let small = Workload { clients: FEW, ..*workload };
        let open = |server, process: &Process, workload: &Workload| {
            let requests = records::requests(server, process, workload, workload.clients);
            let before = spent_ns(process);
            let (streams, waits) = Streams::open(process.address, &requests, needle);
            (streams, Turn::new(waits, spent_ns(process) - before, workload.clients))
        };
        let mut all: Vec<(Server, Figures)> = Vec::new();
        for server in (0..self.effort.fresh_rounds).flat_map(|_| self.takers(workload)) {
            let process = self.start(server, workload, setting, &[]);
            let (streams, turn) = open(server, &process, workload);
            if let Some((_, figures)) = all.iter_mut().find(|(other, _)| *other == server) {
                figures.turns.push(turn);
            } else {
                let after = process.settled();
                let other = self.start(server, &small, setting, &[]);
                drop(open(server, &other, &small));
                let idle = other.settled();
                all.push((server, Figures { turns: vec![turn], idle, after, counts: Counts::default() }));
            }
            drop(streams);
        }
        all
    }

    // Streams that are told something. What clients wait for is that the last of them has heard it.
    fn notifications(&self, workload: &Workload, setting: &Setting) -> Vec<(Server, Figures)> {
        let needle = workload.kind.ask().needle(workload.revision);
        let mut contenders = self.contenders(workload, setting, |server, process| {
            let requests = records::requests(server, process, workload, workload.clients);
            (Streams::open(process.address, &requests, needle).0, wire::connect(process.address))
        });
        let request = wire::modern(Ask::Notify, 0);
        self.rounds(&mut contenders, |_, process, (streams, caller)| {
            let before = spent_ns(process);
            let tell = |_| {
                let wait = streams.tell(caller, &request);
                assert_eq!(wire::receive(caller, |_| false).status(), 200);
                wait.as_nanos().try_into().unwrap_or(u32::MAX)
            };
            let waits: Vec<u32> = (0..self.effort.repeats).map(tell).collect();
            let told = waits.len() * workload.clients;
            Turn::new(waits, spent_ns(process) - before, told)
        });
        contenders.into_iter().map(Contender::figures).collect()
    }

    // From nothing to the first answer.
    fn starts(&self, workload: &Workload, setting: &Setting) -> Vec<(Server, Figures)> {
        let mut contenders = self.contenders(workload, setting, |_, _| ());
        self.rounds(&mut contenders, |server, _, ()| {
            let start = |_| {
                let started = Instant::now();
                let process = self.start(server, workload, setting, &[]);
                let request = records::requests(server, &process, workload, 1).remove(0);
                let answer = wire::exchange(&mut wire::connect(process.address), &request);
                let wait = started.elapsed().as_nanos().try_into().unwrap_or(u32::MAX);
                assert_eq!(answer.status(), 200);
                (wait, spent_ns(&process))
            };
            let (waits, cpu_ns): (Vec<u32>, Vec<u64>) = (0..self.effort.repeats).map(start).unzip();
            let starts = waits.len();
            Turn::new(waits, cpu_ns.iter().sum(), starts)
        });
        contenders.into_iter().map(Contender::figures).collect()
    }

    fn takers(&self, workload: &Workload) -> impl Iterator<Item = Server> {
        self.servers.iter().copied().filter(|server| server.takes(workload))
    }

    // Turn after turn: the first of each, the second of each.
    fn rounds<W>(&self, all: &mut [Contender<W>], turn: impl Fn(Server, &Process, &mut W) -> Turn) {
        for _ in 0..self.effort.rounds {
            for Contender { server, process, work, turns, .. } in all.iter_mut() {
                turns.push(turn(*server, process, work));
            }
        }
    }

    fn contenders<W>(
        &self,
        workload: &Workload,
        setting: &Setting,
        work: impl Fn(Server, &Process) -> W,
    ) -> Vec<Contender<W>> {
        let all: Vec<(Server, Process)> =
            self.takers(workload).map(|server| (server, self.start(server, workload, setting, &[]))).collect();
        thread::sleep(IDLE);
        let contender = |(server, process): (Server, Process)| {
            let idle = process.memory();
            let work = work(server, &process);
            Contender { server, process, work, idle, turns: Vec::new() }
        };
        all.into_iter().map(contender).collect()
    }

    fn counts(
        &self,
        server: Server,
        workload: &Workload,
        setting: &Setting,
        process: &Process,
        of_process: &mut Load,
    ) -> Counts {
        let system_calls = self.tools.system_calls(process, of_process);
        if !workload.is_counted || !self.effort.counts {
            return Counts { system_calls, ..Counts::default() };
        }
        let start = |under: &[&str]| self.start(server, workload, setting, under);
        let load = |process: &Process| load(server, process, workload);
        let instructions = self.tools.instructions(start, load);
        Counts { system_calls, instructions, allocations: self.tools.allocations(start, load) }
    }
}

impl<W> Contender<W> {
    fn figures(self) -> (Server, Figures) {
        let after = self.process.memory();
        (self.server, Figures { turns: self.turns, idle: self.idle, after, counts: Counts::default() })
    }
}

fn load(server: Server, process: &Process, workload: &Workload) -> Load {
    let manner = if workload.kind == Kind::Once { Manner::Anew } else { Manner::Keeps };
    let requests = records::requests(server, process, workload, workload.clients);
    let load = Load::new(process.address, manner, workload.kind.ask().needle(workload.revision), requests);
    if workload.is_awake { load.awake() } else { load }
}
