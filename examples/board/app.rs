//! The application: the machine, what its configuration allows, and the server that tells of both.

use std::cell::OnceCell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;

use smol::future::{or, zip};
use smol_mcp::{Handle, Server, WithResources};

use crate::children::Children;
use crate::commands::Commands;
use crate::config::Config;
use crate::control::Control;
use crate::sensing::Sensing;
use crate::sources::host;
use crate::sources::root::Root;

/// The machine, as its files tell of it, what may be done with it, and the way to the server itself.
pub(crate) struct Board {
    pub(crate) root: Root,
    pub(crate) config: Config,
    pub(crate) control: Rc<Control>,
    pub(crate) sensing: Rc<Sensing>,
    pub(crate) children: Rc<Children>,
    pub(crate) commands: Commands,
    pub(crate) handle: Rc<OnceCell<Handle>>,
}

/// What goes on beside the server: outputs return to their safe states, sensors are looked at, programs that take long to die are waited for.
pub(crate) struct Beside {
    control: Rc<Control>,
    sensing: Rc<Sensing>,
    children: Rc<Children>,
    handle: Handle,
}

/// The server, which tells clients from the first message on which machine it is; and what is to be [kept](Beside::keep) beside it.
pub(crate) fn board(root: Root, config: Config) -> (Server<Board, WithResources>, Beside) {
    let host = host::read(&root);
    let mut machine = host.name.value().map_or("a Linux machine", String::as_str).to_owned();
    if let Some(model) = host.model.value() {
        machine = format!("{machine} ({model})");
    }
    let os = host.os.value().map_or(String::new(), |os| format!(", {os}"));
    let instructions = format!(
        "This server runs on the machine that it tells of: {machine}{os}. Its tools read how that machine is doing now, and do with it \
         what its configuration allows; begin with `overview`. \"Not on this machine\" in an answer means that the hardware or the kernel \
         does not have it: asking again won't help."
    );
    let app = Board::new(root, config);
    let (control, sensing, children) = (app.control.clone(), app.sensing.clone(), app.children.clone());
    let (of_clients, handle) = (control.clone(), app.handle.clone());
    let server = Server::new("board", env!("CARGO_PKG_VERSION"), app).on_client(move |event| {
        of_clients.on_client(event);
    });
    // It is set once, here.
    let _ = handle.set(server.handle());
    let beside = Beside { control, sensing, children, handle: server.handle() };
    (server.title(machine).instructions(instructions).resources(), beside)
}

impl Board {
    /// All parts, of which nothing is started yet.
    pub(crate) fn new(root: Root, mut config: Config) -> Self {
        Self {
            control: Control::new(&config, &root, config.simulate),
            sensing: Rc::new(Sensing::new(root.clone(), std::mem::take(&mut config.sensors))),
            children: Rc::new(Children::new()),
            commands: Commands::new(std::mem::take(&mut config.commands)),
            root,
            config,
            handle: Rc::default(),
        }
    }
}

impl Beside {
    /// Goes on for as long as the server runs.
    pub(crate) async fn keep(self) -> Infallible {
        let others = async {
            zip(self.sensing.run(self.handle), self.children.bury()).await;
            pending().await
        };
        or(self.control.keep(), others).await
    }
}
