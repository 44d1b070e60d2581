//! Who calls.

use super::Call;
use crate::session::{Principal, Revision};

impl Call<'_> {
    /// The protocol revision that the client speaks.
    pub fn revision(&self) -> Revision {
        self.request.revision
    }

    /// The client's own name (`clientInfo.name`), where it told one: at most 32 bytes, and no proof of anything.
    pub fn client_name(&self) -> Option<&str> {
        self.context.client?.name()
    }

    /// The number of the client whose session the call belongs to, as [`ClientInfo`](crate::ClientInfo) and [`ClientEvent`](crate::ClientEvent) have it:
    /// for what is to end with its client ([`Server::on_client`](crate::Server::on_client)). None in 2026-07-28, which has no sessions: there a
    /// call is all that is known of its client.
    pub fn client(&self) -> Option<u64> {
        self.context.session.map(|session| session.client().0)
    }

    /// On whose behalf it is made: the holder of a token, or who else was let in.
    pub fn principal(&self) -> &Principal {
        self.context.principal
    }
}
