//! How many files this program, and what it starts, may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many files, if the machine lets.
pub(crate) fn allow_files(files: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Some(files as u64).max(limit.current);
    setrlimit(Resource::Nofile, Rlimit { current: wanted.min(limit.maximum.or(wanted)), maximum: limit.maximum })
        .expect("files enough for all of them (ulimit -n)");
}
