//! What all examples share: their command line, the log on stderr, the line that says they are ready, and the wait for a signal.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "shared by path: each example uses a part of it")]

pub(crate) mod args;
mod beside;
mod help;
pub(crate) mod oauth;
pub(crate) mod service;
mod signals;
pub(crate) mod stderr;

use std::convert::Infallible;
use std::env;
use std::fmt::Display;
use std::future::pending;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use smol_mcp::{Bound, ClientLogger, Config, Handle, PromptsOf, ResourcesOf, Server, Tools};

pub(crate) use args::{Action, Args, Program, parse};
use beside::WhenWoken;
use service::Manager;
pub(crate) use signals::signals;
use stderr::Stderr;

/// The path at which the examples serve MCP.
const MCP_PATH: &str = "/mcp";

/// The whole of an example: reads the command line, makes the server, serves it until a signal comes.
pub(crate) fn main<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>>(
    program: &Program,
    server: impl FnOnce(&Args) -> Result<Server<A, R, P>, String>,
) -> ExitCode {
    main_with(program, |_, config| Ok(config), server)
}

/// The same, with more to say on how it is set up.
pub(crate) fn main_with<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>>(
    program: &Program,
    set_up: impl FnOnce(&Args, Config) -> Result<Config, String>,
    server: impl FnOnce(&Args) -> Result<Server<A, R, P>, String>,
) -> ExitCode {
    match args_or_exit(program) {
        Ok(args) => run(program, &args, set_up, |args| Ok((server(args)?, pending()))),
        Err(code) => code,
    }
}

/// The same, for a command line that has been read, and with something that goes on beside the server as long as that runs.
pub(crate) fn run<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, B: Future<Output = Infallible>>(
    program: &Program,
    args: &Args,
    set_up: impl FnOnce(&Args, Config) -> Result<Config, String>,
    server: impl FnOnce(&Args) -> Result<(Server<A, R, P>, B), String>,
) -> ExitCode {
    let server = server(args);
    let config = match set_up(args, config(args)) {
        Ok(config) => config,
        Err(error) => {
            complain(program, &error);
            return ExitCode::FAILURE;
        }
    };
    if let (true, Ok((server, _))) = (args.print_budget, &server) {
        print_budget(server, &config);
        return ExitCode::SUCCESS;
    }
    log_to_stderr(args.log.as_deref());
    let bound =
        server.and_then(|(server, beside)| Ok((bind(server, config).map_err(|error| error.to_string())?, beside)));
    let ended = bound.and_then(|(bound, beside)| serve(bound, beside, args).map_err(|error| error.to_string()));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(program, &error);
            ExitCode::FAILURE
        }
    }
}

/// The settings of rates, in the order in which they are read below.
const RATES: [fn(Config, u32, u32) -> Config; 3] =
    [Config::requests_per_address, Config::requests_per_principal, Config::wrong_tokens_per_address];

/// For what has timers: they are made ready now, while there are files for them. async-io, to which they belong, does so when the first is used, and panics
/// where there are none.
pub(crate) fn begin_timers() {
    smol::block_on(async { _ = smol::Timer::after(Duration::from_millis(1)).await });
}

/// What the command line says of the server.
pub(crate) fn config(args: &Args) -> Config {
    let mut config = Config::new().listen(args.listen);
    config = args.token.iter().fold(config, Config::token);
    config = args.token_file.iter().fold(config, Config::token_file);
    config = args.allow_origins.iter().fold(config, Config::allow_origin);
    config = args.allow_hosts.iter().fold(config, Config::allow_host);
    config = args.public_base.iter().fold(config, Config::public_base);
    config = args.key_file.iter().fold(config, Config::key_file);
    config = args.trusted_proxies.iter().fold(config, Config::trusted_proxy);
    config = (args.connections_per_address.into_iter())
        .fold(config, |config, number| config.connections_per_address(number.into()));
    config = args.connections.into_iter().fold(config, |config, number| config.connections(number.into()));
    config =
        (args.streams_per_address.into_iter()).fold(config, |config, number| config.streams_per_address(number.into()));
    let rates = [args.requests_per_address, args.requests_per_principal, args.wrong_tokens_per_address];
    for (rate, set) in rates.into_iter().zip(RATES) {
        config = rate.into_iter().fold(config, |config, (count, seconds)| set(config, count, seconds));
    }
    config = args.audit.into_iter().fold(config, |config, number| config.audit(number.into()));
    config = args.streams.into_iter().fold(config, |config, number| config.streams(number.into()));
    config = args.calls.into_iter().fold(config, |config, number| config.calls(number.into()));
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    config = args.body_bytes.into_iter().fold(config, |config, number| config.body_bytes(bytes(number)));
    config = args.max_memory.into_iter().fold(config, Config::max_memory);
    args.sessions.into_iter().fold(config, |config, number| config.sessions(number.into()))
}

/// Says on stdout what memory the server can take (`--print-budget`).
pub(crate) fn print_budget<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>>(server: &Server<A, R, P>, config: &Config) {
    say(&server.memory_budget(config).to_string());
}

/// On the socket of the service manager, else on one of the server's own.
fn bind<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>>(
    server: Server<A, R, P>,
    config: Config,
) -> io::Result<Bound<A, R, P>> {
    match service::listener()? {
        Some(listener) => server.bind_to(listener, config),
        None => server.bind(config),
    }
}

/// Says that the server is ready, and serves until a signal comes.
fn serve<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>>(
    bound: Bound<A, R, P>,
    beside: impl Future<Output = Infallible>,
    args: &Args,
) -> io::Result<()> {
    let handle = bound.handle();
    let signals = signals(args.has_files().then(|| handle.clone()))?;
    let manager = Manager::from_env();
    if let Some(address) = bound.local_addr() {
        ready_line(address);
        manager.ready(format_args!("MCP on {address}{MCP_PATH}"));
    }
    let until_signal = async {
        let signal = signals.await?;
        log::info!("{signal}");
        manager.stopping();
        handle.shutdown();
        pending().await
    };
    let beside = async { match beside.await {} };
    let beside = smol::future::or(until_signal, smol::future::or(manager.feed(), beside));
    // Begun before the server is: outputs are safe before a client can set them.
    smol_mcp::block_on(smol::future::or(WhenWoken::new(beside), bound.run()))
}

/// The arguments this process was started with. Where there is nothing to run, since help was asked for or an argument is wrong, it has
/// been printed, and what remains is to exit with this code: 0 or 1.
pub(crate) fn args_or_exit(program: &Program) -> Result<Args, ExitCode> {
    match parse(program, env::args_os().skip(1), |name| env::var_os(name)) {
        Ok(Action::Run(args)) => Ok(*args),
        Ok(Action::Show(text)) => {
            say(&text);
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            complain(program, &error);
            Err(ExitCode::FAILURE)
        }
    }
}

/// Says on stderr why the program ends, in one line: `board: cannot listen on 127.0.0.1:8000: address in use`; or in several, where there are
/// several reasons.
pub(crate) fn complain(program: &Program, error: &dyn Display) {
    for line in error.to_string().lines() {
        // There is nobody else to tell when stderr is closed.
        let _ = writeln!(io::stderr(), "{}: {line}", program.name);
    }
}

/// Says on stdout where MCP clients find the server, once it listens at `address`. A stdout that is closed or full is no reason to end.
pub(crate) fn ready_line(address: SocketAddr) {
    say(&format!("listening on http://{address}{MCP_PATH}\n"));
}

/// Sends the log to stderr, at the level that the flag says, or a variable ([`stderr::LEVEL_VARIABLES`]), or `warn`.
pub(crate) fn log_to_stderr(flag: Option<&str>) {
    let logger = Stderr::new(flag);
    let level = logger.level();
    // It fails only where a logger is installed already, which then serves.
    if log::set_logger(Box::leak(Box::new(logger))).is_ok() {
        log::set_max_level(level);
    }
}

/// Sends the log to stderr, and what is of this level or more severe to the server's clients too.
pub(crate) fn log_to_clients(handle: Handle, level: log::LevelFilter, flag: Option<&str>) {
    let stderr = Stderr::new(flag);
    let both = level.max(stderr.level());
    let logger = ClientLogger::new(handle, level).beside(Box::new(stderr));
    if log::set_logger(Box::leak(Box::new(logger))).is_ok() {
        log::set_max_level(both);
    }
}

/// Prints without the panic that `println!` has when nobody reads.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
