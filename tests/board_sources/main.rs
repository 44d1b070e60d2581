//! The sources of the board example, read from copies of a board's `/proc` and `/sys`: what they tell, what they say is lacking, and
//! that no content of any file can make them fail otherwise.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]
#![allow(dead_code, reason = "shared by path: a part of it is used here")]

#[path = "../../examples/board/sources/mod.rs"]
mod sources;

mod hostile;
mod leds;
mod lines;
mod meters;
mod pi;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sources::processes::{Order, Wanted};
use sources::root::{Lack, Root};

/// A tree of files under `tests/fixtures`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A folder of its own with these files.
fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let whole = dir.path().join(path);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, bytes).unwrap();
    }
    dir
}

/// A copy of a fixture that may be changed, and its files.
fn copy_of(name: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
    let (from, to) = (fixture(name), tempfile::tempdir().unwrap());
    let files = files_below(&from);
    let copied = files.iter().map(|file| {
        let copy = to.path().join(file.strip_prefix(&from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(file, &copy).unwrap();
        copy
    });
    let copied = copied.collect();
    (to, copied)
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Every report as text, or what is lacking; each is also written as JSON, by both crates.
fn all_reports(root: &Root) -> Vec<String> {
    let sample = sources::processes::sample(root);
    let wanted = |by| Wanted { by, count: 10, commands: true };
    let by_memory = sample
        .as_ref()
        .map(|now| sources::processes::since_start(root, now, wanted(Order::Memory)))
        .map_err(Lack::clone);
    let by_cpu =
        sample.as_ref().map(|now| sources::processes::compare(root, now, now, wanted(Order::Cpu))).map_err(Lack::clone);
    vec![
        rendered(Ok(sources::host::read(root))),
        rendered(sources::memory::read(root)),
        rendered(sources::disks::read(root)),
        rendered(sources::network::read(root)),
        rendered(sources::temperatures::read(root)),
        alarms(root),
        rendered(sources::leds::read(root)),
        rendered(by_memory),
        rendered(by_cpu),
        rendered(sources::power::read(root)),
        rendered(sources::watchdog::read(root)),
        meters(root),
    ]
}

/// The alarms of all chips.
fn alarms(root: &Root) -> String {
    let alarms = [false, true].map(|slow| sources::sensors::alarms(root, slow)).concat();
    let lines: Vec<String> = alarms.iter().map(|(name, alarm)| format!("{name}: {alarm}")).collect();
    if lines.is_empty() { "not on this machine (no /sys)".to_owned() } else { lines.join("\n") }
}

/// All sensors, each read.
fn meters(root: &Root) -> String {
    let line = |meter: sources::meters::Meter| {
        let value = meter.read(root).map_or_else(|lack| lack.to_string(), |value| value.to_string());
        assert!(
            !meter.path().is_empty() && meter.id.len() <= sources::meters::ID_BYTES_MAX && meter.decimals() < 3,
            "{meter:?}"
        );
        format!("{} {} {}: {value} {} {}\n", meter.id, meter.label, meter.quantity, meter.unit, meter.is_slow())
    };
    let lines: String = sources::meters::list(root).into_iter().map(line).collect();
    if lines.is_empty() { "not on this machine (no /sys)".to_owned() } else { lines }
}

/// A report as text, after it was written as JSON too.
fn rendered<R: std::fmt::Display + Serialize>(report: Result<R, Lack>) -> String {
    match report {
        Ok(report) => {
            let json = serde_json::to_string(&report).unwrap();
            let mut buffer = vec![0; json.len() * 2 + 1024];
            serde_json_core::to_slice(&report, &mut buffer).unwrap();
            report.to_string()
        }
        Err(lack) => lack.to_string(),
    }
}

/// The JSON of a report.
fn json(report: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(report).unwrap()
}
