//! What the machine is called, as that changes while the server runs. (Its addresses are asked of each connection.)

use super::core::Core;

/// Shows the machine's name, as the system tells it.
pub(super) fn host_name<T>(look: impl FnOnce(&str) -> T) -> T {
    look(&rustix::system::uname().nodename().to_string_lossy())
}

impl<A> Core<'_, A> {
    /// A machine may get its name, or another one, after the server has started: from DHCP, by `hostnamectl`, when it is set up.
    pub(super) fn keep_name(&self) {
        host_name(|name| {
            if self.endpoint.guard.rename(name) {
                log::info!("this machine is called {name:?} now, and so is the server");
            }
        });
    }
}
