//! Mounted filesystems that hold files: how large, how full. From `/proc/1/mounts` and, on the running machine, `statvfs`.
//!
//! A filesystem whose server does not answer would block the only thread, so those of networks and of user-space daemons are named but
//! not asked, and neither is anything mounted below one.

use std::fmt;

use serde::Serialize;

use super::root::{Known, Lack, Root, Why, first_of};
use super::text::{Bytes, clean, percent};

const MOUNTS: [&str; 3] = ["proc/1/mounts", "proc/self/mounts", "proc/mounts"];
/// Filesystems shown: machines have a handful; what containers mount is mostly the same again.
pub(crate) const DISKS_MAX: usize = 64;
/// The longest mount point or device that is shown, in bytes.
pub(crate) const PATH_BYTES_MAX: usize = 255;
/// The unit of `/sys/class/block/*/size`, in bytes, whatever the disk's own.
const SECTOR_BYTES: u64 = 512;

/// Mounted filesystems that hold files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Disks {
    /// Each device once, in the order in which they were mounted.
    pub(crate) disks: Vec<Disk>,
    /// Whether the machine has more mounts than were read.
    pub(crate) more: bool,
}

/// A mounted filesystem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Disk {
    /// Where it is mounted.
    pub(crate) mounted_on: String,
    /// The device or the server's share.
    pub(crate) device: String,
    /// Its type, such as `ext4`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Whether it is mounted read-only.
    pub(crate) read_only: bool,
    /// How full it is.
    pub(crate) space: Space,
}

/// How full a filesystem is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Space {
    /// As the filesystem itself says.
    Filled {
        /// What files can use, all in all.
        size_bytes: Bytes,
        /// What they use.
        used_bytes: Bytes,
        /// What ordinary users can still fill (some is kept for root).
        available_bytes: Bytes,
    },
    /// Only the size of the device is known.
    SizeOnly {
        /// The device's size.
        size_bytes: Known<Bytes>,
    },
    /// Not asked, since it may never answer.
    NotAsked,
}

/// Reads what is mounted.
pub(crate) fn read(root: &Root) -> Result<Disks, Lack> {
    let (text, cut) = first_of(MOUNTS.map(|path| root.read(path)))?;
    let mut disks = Disks { disks: Vec::new(), more: cut };
    let mut remote: Vec<String> = Vec::new();
    for mount in text.lines().filter_map(Mount::parse) {
        let kind = mount.class();
        if kind == Class::Remote {
            remote.push(mount.on.clone());
        }
        if kind == Class::Kernel || disks.disks.iter().any(|disk| kind == Class::Local && disk.device == mount.device) {
            continue;
        }
        if disks.disks.len() == DISKS_MAX {
            disks.more = true;
            break;
        }
        // What was mounted over is out of sight.
        disks.disks.retain(|disk| disk.mounted_on != mount.on);
        let beyond = remote.iter().any(|server| is_at_or_below(&mount.on, server));
        let space = if beyond { Space::NotAsked } else { space(root, &mount) };
        disks.disks.push(Disk {
            mounted_on: clean(&mount.on, PATH_BYTES_MAX),
            device: mount.device,
            kind: mount.kind,
            read_only: mount.read_only,
            space,
        });
    }
    if disks.disks.is_empty() { Err(Lack::new(MOUNTS[0], Why::Unclear("a filesystem on a disk"))) } else { Ok(disks) }
}

impl fmt::Display for Disks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for disk in &self.disks {
            writeln!(
                f,
                "{} ({}, {}{}): {}",
                disk.mounted_on,
                disk.device,
                disk.kind,
                if disk.read_only { ", read-only" } else { "" },
                disk.space
            )?;
        }
        if self.more { writeln!(f, "There are more mounts than were read.") } else { Ok(()) }
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filled { size_bytes, used_bytes, available_bytes } => {
                let share = percent(used_bytes.0, used_bytes.0.saturating_add(available_bytes.0));
                write!(f, "{size_bytes} total, {used_bytes} used ({share} %), {available_bytes} available")
            }
            Self::SizeOnly { size_bytes } => write!(f, "size {size_bytes}; how full it is is not told"),
            Self::NotAsked => f.write_str("not asked how full it is, since a server that does not answer would block"),
        }
    }
}

/// One line of the kernel's list.
struct Mount {
    device: String,
    on: String,
    kind: String,
    read_only: bool,
}

/// What is known of a type of filesystem.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// On a disk of this machine.
    Local,
    /// Served by another machine, or by a program.
    Remote,
    /// The kernel's own, or in memory.
    Kernel,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (device, on, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Self {
            device: clean(&unescape(device), PATH_BYTES_MAX),
            on: unescape(on),
            kind: clean(kind, PATH_BYTES_MAX),
            read_only: options.split(',').any(|option| option == "ro"),
        })
    }

    fn class(&self) -> Class {
        let served = [
            "nfs", "cifs", "smb", "ceph", "9p", "afs", "gluster", "lustre", "virtiofs", "fuse", "davfs", "ocfs2",
            "gfs2", "ncp", "coda",
        ];
        match self.kind.as_str() {
            // The kernel's switch for FUSE and the counters of an NFS server are no filesystems with files.
            "fusectl" | "nfsd" => Class::Kernel,
            kind if served.iter().any(|served| kind.starts_with(served)) => Class::Remote,
            "ubifs" | "jffs2" | "zfs" | "btrfs" | "bcachefs" => Class::Local,
            // Routers and containers have their root here; elsewhere it is one image of many.
            "overlay" if self.on == "/" => Class::Local,
            // Read-only images, each full by nature.
            "squashfs" if self.device.starts_with("/dev/loop") => Class::Kernel,
            "devtmpfs" | "tmpfs" | "autofs" | "ramfs" => Class::Kernel,
            _ if self.device.starts_with("/dev/") => Class::Local,
            _ => Class::Kernel,
        }
    }
}

fn space(root: &Root, mount: &Mount) -> Space {
    if root.is_live() {
        if let Ok(stat) = rustix::fs::statvfs(mount.on.as_str()) {
            let bytes = |blocks: u64| Bytes(blocks.saturating_mul(stat.f_frsize));
            return Space::Filled {
                size_bytes: bytes(stat.f_blocks),
                used_bytes: bytes(stat.f_blocks.saturating_sub(stat.f_bfree)),
                available_bytes: bytes(stat.f_bavail),
            };
        }
    }
    let name = mount.device.rsplit('/').next().unwrap_or_default();
    let sectors = root.number::<u64>(&format!("sys/class/block/{name}/size"));
    Space::SizeOnly { size_bytes: Known(sectors.map(|sectors| Bytes(sectors.saturating_mul(SECTOR_BYTES)))) }
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// The kernel writes a blank in a path as `\040`: a backslash and three octal digits.
fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits =
            after.get(..3).filter(|digits| byte == b'\\' && digits.iter().all(|digit| (b'0'..b'8').contains(digit)));
        let code = digits.and_then(|digits| {
            u8::try_from(digits.iter().fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'))).ok()
        });
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
