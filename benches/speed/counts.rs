//! What is counted rather than timed: the system calls, instructions and allocations of a request.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::load::{Load, Until};
use crate::process::Process;
use crate::servers::target;

/// For so long system calls are counted.
const TRACED: Duration = Duration::from_millis(150);
/// After which perf counts: it says nothing when it does.
const PERF_STARTS: Duration = Duration::from_millis(200);
/// What valgrind counts is the difference of a run with so many requests, and one with so many more.
const COUNTED: (usize, usize) = (100, 500);

/// Of each request; none where it was not counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) system_calls: Option<f64>,
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: Option<f64>,
}

/// The tools that are here.
pub(crate) struct Tools {
    perf: bool,
    strace: bool,
    valgrind: bool,
}

impl Tools {
    /// Looks for them, and says on stderr what is missing.
    pub(crate) fn find() -> Self {
        let works = |words: &[&str]| {
            let mut command = Command::new(words[0]);
            let ran = command.args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
            ran.is_ok_and(|status| status.success())
        };
        let tools = Self {
            perf: works(&["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"]),
            strace: works(&["strace", "-c", "true"]),
            valgrind: works(&["valgrind", "--version"]),
        };
        if !tools.perf && !tools.strace {
            eprintln!("no system calls are counted: there is no strace here (apt-get install strace)");
        }
        if !tools.valgrind {
            eprintln!(
                "no instructions and allocations are counted: there is no valgrind here (apt-get install valgrind)"
            );
        }
        tools
    }

    /// The system calls of a request, of all threads. By perf where one may use it, since it holds nobody up: below strace a server is so slow
    /// that it finds all clients waiting whenever it looks, and looks less often.
    pub(crate) fn system_calls(&self, process: &Process, load: &mut Load) -> Option<f64> {
        let id = process.child.id().to_string();
        let out = target().join("speed/system_calls");
        let out = out.to_str().expect("a path in UTF-8");
        let trace = |words: &[&str], ready: &dyn Fn(), load: &mut Load| {
            let requests = during(words, ready, || load.run(Until::Time(TRACED))).len();
            (fs::read_to_string(out).unwrap(), requests as f64)
        };
        let (calls, requests) = if self.perf {
            let perf = ["perf", "stat", "-x", ",", "-o", out, "-e", "raw_syscalls:sys_enter", "-p", &id];
            let (text, requests) = trace(&perf, &|| thread::sleep(PERF_STARTS), load);
            let line = text.lines().find(|line| line.contains("sys_enter")).expect("perf counts");
            (line.split(',').next().and_then(|calls| calls.parse::<f64>().ok()).expect("a number"), requests)
        } else if self.strace {
            let strace = ["strace", "-c", "-f", "-q", "-o", out, "-p", &id];
            let (text, requests) = trace(&strace, &|| await_tracer(process), load);
            let line = text.lines().rfind(|line| line.ends_with(" total")).expect("strace counts");
            (line.split_whitespace().nth(3).and_then(|calls| calls.parse().ok()).expect("a number"), requests)
        } else {
            return None;
        };
        Some(calls / requests)
    }

    /// The instructions of a request outside the kernel, by callgrind, of a server that `start` starts below these words. `load` makes it work.
    pub(crate) fn instructions(
        &self,
        start: impl Fn(&[&str]) -> Process,
        load: impl Fn(&Process) -> Load,
    ) -> Option<f64> {
        self.valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected : ", start, load)
    }

    /// The allocations of a request, whoever makes them.
    pub(crate) fn allocations(
        &self,
        start: impl Fn(&[&str]) -> Process,
        load: impl Fn(&Process) -> Load,
    ) -> Option<f64> {
        let memcheck = ["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"];
        self.valgrind(&memcheck, "total heap usage: ", start, load)
    }

    fn valgrind(
        &self,
        flags: &[&str],
        label: &str,
        start: impl Fn(&[&str]) -> Process,
        load: impl Fn(&Process) -> Load,
    ) -> Option<f64> {
        if !self.valgrind {
            return None;
        }
        let log = target().join("speed/valgrind");
        let to_log = format!("--log-file={}", log.display());
        let under: Vec<&str> = ["valgrind", &to_log].into_iter().chain(flags.iter().copied()).collect();
        let [few, more] = [COUNTED.0, COUNTED.0 + COUNTED.1].map(|requests| {
            let mut process = start(&under);
            load(&process).run(Until::Count(requests));
            end(&mut process.child, Signal::TERM);
            figure(&log, label)
        });
        Some((more - few).max(0.0) / COUNTED.1 as f64)
    }
}

// Runs this beside the work, from when it is ready.
fn during<T>(words: &[&str], ready: &dyn Fn(), work: impl FnOnce() -> T) -> T {
    let mut command = Command::new(words[0]);
    let mut child = command.args(&words[1..]).stderr(Stdio::null()).spawn().expect("it was found before");
    ready();
    let done = work();
    end(&mut child, Signal::INT);
    done
}

fn end(child: &mut Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
    child.wait().unwrap();
}

fn await_tracer(process: &Process) {
    let is_traced = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", process.child.id())).unwrap();
        let mut texts = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
        texts.all(|text| !text.contains("TracerPid:\t0\n"))
    };
    while !is_traced() {
        thread::sleep(Duration::from_millis(10));
    }
}

// The number after the label, which may have commas.
fn figure(log: &Path, label: &str) -> f64 {
    let text = fs::read_to_string(log).unwrap();
    let rest = text.split(label).nth(1).unwrap_or_else(|| panic!("no {label:?} in {text}"));
    let digits: String = rest.chars().filter(|c| *c != ',').take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}
