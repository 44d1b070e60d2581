//! No content of any file, and no shape of the tree, makes a report fail otherwise than by saying what is lacking.

use std::fs;
use std::path::Path;

use super::sources::{netlink, root::Root};
use super::{all_reports, copy_of};

/// The longest that all reports together may become, in bytes: a model has to read them.
const REPORTS_BYTES_MAX: usize = 512 * 1024;
/// Rounds in which all files hold random bytes.
const ROUNDS: u64 = 40;

/// What numbers and tables are made of.
const SIGNS: &[u8] = b"0123456789-.,:=/ \t\n()[]|\\xABCDEF\0";

/// A small generator (xorshift64*), so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % end.max(1)
    }

    /// Bytes of one of several kinds: any, those that numbers and tables are made of, or `original` with some changed.
    fn bytes(&mut self, original: &[u8]) -> Vec<u8> {
        let length = self.below(300);
        match self.below(3) {
            0 => (0..length).map(|_| self.next().to_le_bytes()[3]).collect(),
            1 => (0..length).map(|_| SIGNS[self.below(SIGNS.len())]).collect(),
            _ => {
                let mut bytes = original.to_vec();
                for _ in 0..self.below(8) {
                    let at = self.below(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.next().to_le_bytes()[3];
                    }
                }
                bytes
            }
        }
    }
}

fn check(root: &Path, what: &dyn std::fmt::Debug) {
    let reports = all_reports(&Root::new(root));
    let length: usize = reports.iter().map(String::len).sum();
    assert!(length < REPORTS_BYTES_MAX, "{what:?} made reports of {length} bytes");
    assert!(reports.iter().all(|report| !report.is_empty()), "{what:?}");
    let control = |report: &String| report.contains(|letter: char| letter.is_control() && letter != '\n');
    assert!(!reports.iter().any(control), "{what:?} let control characters through: {reports:?}");
}

#[test]
fn each_file_malformed_on_its_own() {
    for machine in ["pi", "garden"] {
        malformed_on_its_own(machine);
    }
}

fn malformed_on_its_own(machine: &str) {
    let (dir, files) = copy_of(machine);
    let huge = b"99999999999999999999 ".repeat(10_000);
    for file in &files {
        let original = fs::read(file).unwrap();
        let middle = original.len() / 2;
        let variants: [&[u8]; 5] =
            [b"", b"\xff\xfe\x80(\xc3\0\0", b"-9223372036854775809", &huge, original.get(..middle).unwrap_or_default()];
        for bytes in variants {
            fs::write(file, bytes).unwrap();
            check(dir.path(), &(file, bytes.get(..20)));
        }
        fs::remove_file(file).unwrap();
        check(dir.path(), &(file, "removed"));
        fs::create_dir(file).unwrap();
        check(dir.path(), &(file, "a folder"));
        fs::remove_dir(file).unwrap();
        fs::write(file, original).unwrap();
    }
}

#[test]
fn every_cut_of_the_tables() {
    let (dir, files) = copy_of("pi");
    let tables = [
        "mounts",
        "fib_trie",
        "route",
        "if_inet6",
        "ipv6_route",
        "wireless",
        "stat",
        "meminfo",
        "cpuinfo",
        "uptime",
        "loadavg",
        "trigger",
    ];
    for file in files.iter().filter(|file| tables.iter().any(|table| file.ends_with(table))) {
        let original = fs::read(file).unwrap();
        // The end, where a line breaks off, in every place; the rest in steps.
        let start = original.len().saturating_sub(20);
        for cut in (0..start).step_by(61).chain(start..original.len()) {
            fs::write(file, &original[..cut]).unwrap();
            check(dir.path(), &(file, cut));
        }
        fs::write(file, original).unwrap();
    }
}

#[test]
fn random_bytes_in_every_file() {
    for machine in ["pi", "garden"] {
        random_bytes(machine);
    }
}

fn random_bytes(machine: &str) {
    let (dir, files) = copy_of(machine);
    let originals: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for seed in 1..=ROUNDS {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for (file, original) in files.iter().zip(&originals) {
            fs::write(file, random.bytes(original)).unwrap();
        }
        check(dir.path(), &seed);
    }
}

#[test]
fn links_in_circles_and_crowds_of_everything() {
    let (dir, _) = copy_of("pi");
    let class = dir.path().join("sys/class");
    std::os::unix::fs::symlink("loop", class.join("leds/loop")).unwrap();
    std::os::unix::fs::symlink("..", class.join("net/up")).unwrap();
    for number in 0..150 {
        for folder in ["leds/led", "net/veth", "thermal/thermal_zone", "hwmon/hwmon9"] {
            fs::create_dir_all(class.join(format!("{folder}{number}"))).unwrap();
        }
        fs::create_dir_all(dir.path().join(format!("proc/9{number}"))).unwrap();
    }
    let mounts: Vec<String> = (0..5000).map(|number| format!("/dev/sd{number} /mnt/{number} ext4 rw 0 0")).collect();
    fs::write(dir.path().join("proc/self/mounts"), mounts.join("\n")).unwrap();
    check(dir.path(), &"crowds");
    let reports = all_reports(&Root::new(dir.path()));
    assert!(reports[2].contains("There are more mounts than were read"));
    assert!(reports[3].contains("There are more interfaces"));
    assert!(reports[6].contains("There are more; only the first"));
}

/// One address as the kernel lists it: 192.168.1.7/24 of interface 3, with a label of five bytes.
fn listed_address() -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(44_u32.to_ne_bytes());
    message.extend([20_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
    message.extend([0; 8]);
    message.extend([2, 24, 0, 0]);
    message.extend(3_u32.to_ne_bytes());
    message.extend([9_u16.to_ne_bytes(), 3_u16.to_ne_bytes()].concat());
    message.extend(b"eth0\0\0\0\0");
    message.extend([8_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
    message.extend([192, 168, 1, 7]);
    message
}

#[test]
fn the_kernels_list_of_addresses_in_any_shape() {
    let one = listed_address();
    let two = [one.clone(), one.clone()].concat();
    let read = |bytes: &[u8]| {
        let mut found = Vec::new();
        (netlink::read_datagram(bytes, &mut found), found)
    };
    let address = ([192, 168, 1, 7].into(), 24, 3);
    assert_eq!(read(&two), (true, vec![address, address]));
    let done = [one.as_slice(), &20_u32.to_ne_bytes(), &3_u16.to_ne_bytes(), &[0; 14]].concat();
    assert_eq!(read(&done), (false, vec![address]));
    assert_eq!(read(&[]), (false, vec![]));
    for cut in 0..two.len() {
        assert!(read(&two[..cut]).1.len() < 2);
    }
    let mut random = Random(7);
    for _ in 0..20_000 {
        let mut bytes = two.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next().to_le_bytes()[3];
        }
        read(&bytes);
    }
}
