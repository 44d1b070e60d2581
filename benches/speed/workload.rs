//! What is measured.

use crate::wire::{Ask, Revision};

/// One thing that clients do.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    /// What `--only` and the table call it.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) revision: Revision,
    /// Clients at once.
    pub(crate) clients: usize,
    /// Their thread looks for answers again and again (`load`).
    pub(crate) is_awake: bool,
    /// `--quick` has it too.
    pub(crate) is_quick: bool,
    /// What is counted besides: system calls, instructions and allocations of each request.
    pub(crate) is_counted: bool,
}

/// How they do it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `tools/call` again and again.
    Call,
    /// The same, each time by a new connection.
    Once,
    /// `tools/list` of 50 tools.
    List,
    /// A result of 1 MB.
    Big,
    /// Streams are opened, and stay.
    Open,
    /// All of them are told something.
    Fanout,
    /// The program starts and answers.
    Start,
}

impl Kind {
    /// What they ask.
    pub(crate) fn ask(self) -> Ask {
        match self {
            Self::Call | Self::Once | Self::Start => Ask::Echo,
            Self::List => Ask::List,
            Self::Big => Ask::Big,
            Self::Open | Self::Fanout => Ask::Listen,
        }
    }
}

const CALL: Workload = Workload {
    name: "call-8",
    kind: Kind::Call,
    revision: Revision::Modern,
    clients: 8,
    is_awake: true,
    is_quick: true,
    is_counted: false,
};

const SESSION: Workload = Workload { revision: Revision::Session, ..CALL };

/// All of them, in the order of the table.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "call-1", clients: 1, is_awake: false, ..CALL },
    Workload { is_counted: true, ..CALL },
    Workload { name: "call-64", clients: 64, ..CALL },
    Workload { name: "call-256", clients: 256, ..CALL },
    Workload { name: "call-8-asleep", is_awake: false, ..CALL },
    Workload { name: "call-64-asleep", clients: 64, is_awake: false, ..CALL },
    Workload { name: "session-call-1", clients: 1, is_awake: false, is_quick: false, ..SESSION },
    Workload { name: "session-call-8", is_counted: true, ..SESSION },
    Workload { name: "session-call-64", clients: 64, is_quick: false, ..SESSION },
    Workload { name: "session-call-256", clients: 256, is_quick: false, ..SESSION },
    Workload { name: "once-8", kind: Kind::Once, is_counted: true, ..CALL },
    Workload { name: "list-8", kind: Kind::List, is_counted: true, ..CALL },
    Workload { name: "big-1", kind: Kind::Big, clients: 1, is_awake: false, ..CALL },
    Workload { name: "open-1000", kind: Kind::Open, clients: 1_000, ..CALL },
    Workload { name: "open-10000", kind: Kind::Open, clients: 10_000, is_quick: false, ..CALL },
    Workload { name: "session-open-1000", kind: Kind::Open, clients: 1_000, is_quick: false, ..SESSION },
    Workload { name: "notify-1000", kind: Kind::Fanout, clients: 1_000, ..CALL },
    Workload { name: "start", kind: Kind::Start, clients: 1, ..CALL },
];

impl Workload {
    /// What the table calls it.
    pub(crate) fn title(&self) -> String {
        let revision = match self.revision {
            Revision::Modern => "2026-07-28",
            Revision::Session => "2025-11-25",
        };
        let clients = match self.clients {
            1 => "1 connection".to_owned(),
            clients => format!("{clients} connections"),
        };
        match self.kind {
            Kind::Call if self.clients > 1 && !self.is_awake => {
                format!("`tools/call`, {clients}, {revision}, clients that sleep")
            }
            Kind::Call => format!("`tools/call`, {clients}, {revision}"),
            Kind::Once => "`tools/call`, a connection each".to_owned(),
            Kind::List => format!("`tools/list` of 50, {clients}"),
            Kind::Big => "a result of 1 MB".to_owned(),
            Kind::Open => format!("opening {} streams, {revision}", self.clients),
            Kind::Fanout => format!("a notification to {} streams", self.clients),
            Kind::Start => "start to first answer".to_owned(),
        }
    }
}
