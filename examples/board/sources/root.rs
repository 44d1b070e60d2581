//! The folder under which `proc`, `sys` and `etc` are read: `/`, or a copy of a board's files.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::text::clean;

/// The most that is read of one file, in bytes: the mounts of a machine with many containers and the `cpuinfo` of 40 cores fit.
pub(crate) const FILE_BYTES_MAX: usize = 64 * 1024;
/// The most entries looked at in one folder: four times the processes that are read, for folders whose first entries are not wanted.
pub(crate) const ENTRIES_MAX: usize = 4096;
/// The longest value of a one-line file that is shown, in bytes: as long as the longest file name.
pub(crate) const LINE_BYTES_MAX: usize = 255;

/// Where a machine's files are. Paths are given below it, as in `proc/meminfo`.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    dir: PathBuf,
    live: bool,
}

impl Root {
    /// A root at `dir`, which need not exist (everything is then absent).
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let live = fs::canonicalize(&dir).is_ok_and(|whole| whole == Path::new("/"));
        Self { dir, live }
    }

    /// Whether this is the running machine, of which the kernel itself may be asked too.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The text of a file and whether it was cut at [`FILE_BYTES_MAX`]; of a cut file only whole lines are given.
    /// Bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn read(&self, path: &str) -> Result<(String, bool), Lack> {
        let limit = FILE_BYTES_MAX as u64;
        let mut bytes = Vec::new();
        let read = self.open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
        read.map_err(|error| Lack::from_io(path, &error))?;
        let cut = bytes.len() > FILE_BYTES_MAX;
        if cut {
            bytes.truncate(FILE_BYTES_MAX);
            let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(FILE_BYTES_MAX, |newline| newline + 1);
            bytes.truncate(whole);
        }
        Ok((String::from_utf8_lossy(&bytes).into_owned(), cut))
    }

    /// The text of a file, as far as [`FILE_BYTES_MAX`].
    pub(crate) fn text(&self, path: &str) -> Result<String, Lack> {
        self.read(path).map(|(text, _)| text)
    }

    /// The first line of a file without surrounding blanks and NULs, fit to be shown; an empty one is [`Why::Empty`].
    pub(crate) fn line(&self, path: &str) -> Result<String, Lack> {
        let text = self.text(path)?;
        let line = clean(text.trim_start().lines().next().unwrap_or_default(), LINE_BYTES_MAX);
        if line.is_empty() { Err(Lack::new(path, Why::Empty)) } else { Ok(line) }
    }

    /// The number that a file consists of.
    pub(crate) fn number<T: FromStr>(&self, path: &str) -> Result<T, Lack> {
        self.line(path)?.parse().map_err(|_| Lack::unclear(path, "a number"))
    }

    /// The decimal number that a file consists of; what is no finite one is not understood.
    pub(crate) fn decimal(&self, path: &str) -> Result<f64, Lack> {
        let number = self.number::<f64>(path)?;
        if number.is_finite() { Ok(number) } else { Err(Lack::unclear(path, "a number")) }
    }

    /// Where a link leads, as it is written there.
    pub(crate) fn link(&self, path: &str) -> Option<PathBuf> {
        fs::read_link(self.below(path).ok()?).ok()
    }

    /// Whether there is anything at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.below(path).is_ok_and(|whole| whole.exists())
    }

    /// The folders in a folder (or links to folders, as in `/sys/class`), in natural order.
    pub(crate) fn folders(&self, path: &str, max: usize) -> Result<Names, Lack> {
        let dir = self.below(path).map_err(|error| Lack::from_io(path, &error))?;
        self.names(path, max, |name| dir.join(name).is_dir())
    }

    /// The names in a folder for which `wanted` holds, in natural order; at most `max`. A name that is not UTF-8 or
    /// holds control characters is passed over: it could not be shown, nor asked for.
    pub(crate) fn names(&self, path: &str, max: usize, wanted: impl Fn(&str) -> bool) -> Result<Names, Lack> {
        let entries = self.below(path).and_then(fs::read_dir).map_err(|error| Lack::from_io(path, &error))?;
        let mut names = Names { list: Vec::new(), more: false };
        for (looked_at, entry) in entries.enumerate() {
            let name = entry.map_err(|error| Lack::from_io(path, &error))?.file_name();
            let Some(name) = name.to_str().filter(|name| !name.contains(char::is_control) && wanted(name)) else {
                continue;
            };
            if names.list.len() == max || looked_at >= ENTRIES_MAX {
                names.more = true;
                break;
            }
            names.list.push(name.to_owned());
        }
        names.list.sort_by(|a, b| natural(a).cmp(&natural(b)));
        Ok(names)
    }

    /// Writes a value into an existing file, in one piece, as the kernel's attribute files want it.
    pub(crate) fn write(&self, path: &str, value: &str) -> Result<(), Lack> {
        let open = |whole: PathBuf| OpenOptions::new().write(true).truncate(true).open(whole);
        let written = self.below(path).and_then(open).and_then(|mut file| file.write_all(value.as_bytes()));
        written.map_err(|error| Lack::from_io(path, &error))
    }

    fn open(&self, path: &str) -> io::Result<File> {
        File::open(self.below(path)?)
    }

    /// The whole path, refused where a part of it would lead elsewhere: names come out of files, such as a mount's device.
    fn below(&self, path: &str) -> io::Result<PathBuf> {
        let strange = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\0');
        if path.split('/').any(strange) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(self.dir.join(path))
    }
}

/// Names found in a folder.
#[derive(Debug)]
pub(crate) struct Names {
    /// The names, in natural order.
    pub(crate) list: Vec<String>,
    /// Whether there were more than were asked for.
    pub(crate) more: bool,
}

/// What could not be told, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// The file or files that were asked, below the root.
    pub(crate) path: String,
    /// What was wrong with them.
    pub(crate) why: Why,
}

/// Why something could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// There is no such file.
    Absent,
    /// It is there and holds nothing.
    Empty,
    /// This user may not.
    Denied,
    /// The kernel's files are mounted read-only for this program.
    ReadOnly,
    /// The kernel answered with this error: a sensor that sleeps, a device that went away.
    Failed(String),
    /// It holds something else than this.
    Unclear(&'static str),
}

impl Lack {
    /// A lack of what `path` should have told.
    pub(crate) fn new(path: impl Into<String>, why: Why) -> Self {
        Self { path: path.into(), why }
    }

    /// The file does not hold what it should.
    pub(crate) fn unclear(path: &str, expected: &'static str) -> Self {
        Self::new(path, Why::Unclear(expected))
    }

    fn from_io(path: &str, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
                if error.raw_os_error() != Some(EINVAL) =>
            {
                Why::Absent
            }
            io::ErrorKind::PermissionDenied => Why::Denied,
            io::ErrorKind::ReadOnlyFilesystem => Why::ReadOnly,
            _ => Why::Failed(error.to_string()),
        };
        Self::new(path, why)
    }
}

/// "Invalid argument", which drivers answer where they have no value now, such as the speed of a radio link.
const EINVAL: i32 = 22;

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.why {
            Why::Absent => write!(f, "not on this machine (no /{path})"),
            Why::Empty => write!(f, "none on this machine (/{path} is empty)"),
            Why::Denied => write!(f, "not allowed: permission denied for /{path}"),
            Why::ReadOnly => write!(f, "not allowed: /{path} is mounted read-only for this program"),
            Why::Failed(error) => write!(f, "not readable now (/{path}: {error})"),
            Why::Unclear(expected) => write!(f, "not understood (/{path} does not hold {expected})"),
        }
    }
}

/// A value, or why it is lacking: shown as either, in JSON as the value or `null`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known<T>(pub(crate) Result<T, Lack>);

impl<T> Known<T> {
    /// The value, if it is known.
    pub(crate) fn value(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }
}

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(value) => value.fmt(f),
            Err(lack) => lack.fmt(f),
        }
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// The first of several readings that tells something; what is lacking otherwise names all the files asked.
pub(crate) fn first_of<T>(readings: impl IntoIterator<Item = Result<T, Lack>>) -> Result<T, Lack> {
    let mut lack: Option<Lack> = None;
    for reading in readings {
        match (reading, &mut lack) {
            (Ok(value), _) => return Ok(value),
            (Err(next), None) => lack = Some(next),
            (Err(next), Some(all)) if all.why == Why::Absent && next.why == Why::Absent => {
                all.path.push_str(", no /");
                all.path.push_str(&next.path);
            }
            // A file that is there and could not be read tells more than one that is not there.
            (Err(next), Some(all)) if all.why == Why::Absent => *all = next,
            (Err(_), Some(_)) => {}
        }
    }
    Err(lack.unwrap_or_else(|| Lack::new("", Why::Empty)))
}

/// The order in which `zone2` comes before `zone10`.
fn natural(name: &str) -> (&str, usize, &str) {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (stem, name.len(), name)
}
