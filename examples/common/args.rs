//! The command line of the examples, parsed without a process: arguments and environment in, what to do out.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::help::{FLAGS, help};
use super::stderr::is_levels;

/// The variable that holds the token when no flag gives it.
pub(crate) const TOKEN_VARIABLE: &str = "SMOL_MCP_TOKEN";
/// Where a server listens unless told otherwise: this machine alone can reach it.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
/// The most of a wrong value that is shown again, in characters: enough to recognise it in one line.
const SHOWN_CHARS_MAX: usize = 60;
/// Where systemd puts what a unit is given by `LoadCredential=`: of these, `token` is the file of tokens.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
const CREDENTIAL: &str = "token";
/// The folders, with colons between, that systemd makes for `StateDirectory=`: in the first the sessions' key is kept.
const STATE_VARIABLE: &str = "STATE_DIRECTORY";
const KEY_FILE: &str = "session.key";

/// What an example is, for its help.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name, with which its messages begin.
    pub(crate) name: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// The flags it has beside the common ones.
    pub(crate) own: &'static [OwnFlag],
}

/// A flag of one example alone; given twice, the later one holds.
#[derive(Debug)]
pub(crate) struct OwnFlag {
    /// Its name without dashes.
    pub(crate) name: &'static str,
    /// What the help calls its value; empty: it takes none.
    pub(crate) value: &'static str,
    /// What it does, in a line.
    pub(crate) help: &'static str,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Action {
    /// To serve.
    Run(Box<Args>),
    /// To print this, the help or the version, and end well.
    Show(String),
}

/// The flags of a run. What was not given is left to the library's defaults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Args {
    /// Where to listen; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// The token that clients must present; none: no token is asked for.
    pub(crate) token: Option<String>,
    /// The file of further tokens, with names and scopes.
    pub(crate) token_file: Option<PathBuf>,
    /// Web origins allowed beside the default ones.
    pub(crate) allow_origins: Vec<String>,
    /// Host names by which clients may call the server, beside the default ones.
    pub(crate) allow_hosts: Vec<String>,
    /// The URL under which a proxy publishes the server.
    pub(crate) public_base: Option<String>,
    /// The file that keeps the sessions' key over a restart.
    pub(crate) key_file: Option<PathBuf>,
    /// Addresses and networks of proxies, which are not held to one address' share.
    pub(crate) trusted_proxies: Vec<String>,
    /// Connections at once.
    pub(crate) connections: Option<u16>,
    /// Connections of one address at once.
    pub(crate) connections_per_address: Option<u16>,
    /// Requests of one address, and in how many seconds.
    pub(crate) requests_per_address: Option<(u32, u32)>,
    /// Requests of one principal, and in how many seconds.
    pub(crate) requests_per_principal: Option<(u32, u32)>,
    /// Wrong tokens of one address, and in how many seconds.
    pub(crate) wrong_tokens_per_address: Option<(u32, u32)>,
    /// Entries of the audit ring.
    pub(crate) audit: Option<u16>,
    /// Event streams of one address at once.
    pub(crate) streams_per_address: Option<u16>,
    /// Event streams at once.
    pub(crate) streams: Option<u16>,
    /// Sessions remembered.
    pub(crate) sessions: Option<u16>,
    /// Calls at once.
    pub(crate) calls: Option<u16>,
    /// Bytes of a request body.
    pub(crate) body_bytes: Option<u64>,
    /// Bytes of memory that the server may take.
    pub(crate) max_memory: Option<u64>,
    /// What is logged to stderr; else the environment says it.
    pub(crate) log: Option<String>,
    /// Whether only the memory budget is asked for.
    pub(crate) print_budget: bool,
    /// The example's own flags that were given.
    own: Vec<(&'static str, OsString)>,
}

impl Args {
    /// The value of one of the example's own flags, if it was given.
    pub(crate) fn own(&self, name: &str) -> Option<&OsStr> {
        self.own.iter().rev().find(|(own, _)| *own == name).map(|(_, value)| value.as_os_str())
    }
}

impl Args {
    /// All values of one of them.
    pub(crate) fn all_own(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.own.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value.as_os_str())
    }

    /// There are files that are read again on SIGHUP.
    pub(crate) fn has_files(&self) -> bool {
        self.token_file.is_some() || self.own("oauth-jwks").is_some()
    }
}

impl Default for Args {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            token: None,
            token_file: None,
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            public_base: None,
            key_file: None,
            trusted_proxies: Vec::new(),
            connections: None,
            connections_per_address: None,
            requests_per_address: None,
            requests_per_principal: None,
            wrong_tokens_per_address: None,
            audit: None,
            streams_per_address: None,
            streams: None,
            sessions: None,
            calls: None,
            body_bytes: None,
            max_memory: None,
            log: None,
            print_budget: false,
            own: Vec::new(),
        }
    }
}

/// What is wrong with the command line or the environment, in one line. A token is never part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses `arguments` (without the program's name), with `variable` to look up the environment.
pub(crate) fn parse<A>(
    program: &Program,
    arguments: A,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Action, UsageError>
where
    A: IntoIterator<Item = OsString>,
{
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut args = Args::default();
    // The variable first, since a flag wins; and checked even so, since the next start may be without the flag.
    if let Some(token) = variable(TOKEN_VARIABLE) {
        args.token = Some(token_of(TOKEN_VARIABLE, token)?);
    }
    while let Some(argument) = parser.next().map_err(|error| UsageError(one_line(&error.to_string())))? {
        let flag = match argument {
            lexopt::Arg::Long(name) => name.to_owned(),
            lexopt::Arg::Short('h') => "help".to_owned(),
            lexopt::Arg::Short('V') => "version".to_owned(),
            lexopt::Arg::Short(letter) => return Err(unknown(&format!("-{letter}"))),
            lexopt::Arg::Value(value) => return Err(unknown(&value.to_string_lossy())),
        };
        match flag.as_str() {
            "help" => return Ok(Action::Show(help(program))),
            "version" => return Ok(Action::Show(format!("{} {}\n", program.name, program.version))),
            "print-budget" => args.print_budget = true,
            "token-env" => args.token = Some(token_in(&value_of(&flag, &mut parser)?, &variable)?),
            _ => take(program, &mut args, &flag, &mut parser)?,
        }
    }
    given_by_manager(&mut args, variable);
    Ok(Action::Run(Box::new(args)))
}

/// What systemd gives a service, where no flag says otherwise. A file of tokens that is not there is a mistake then too: without it everybody could
/// come in.
fn given_by_manager(args: &mut Args, variable: impl Fn(&str) -> Option<OsString>) {
    let folder = |name| variable(name).filter(|folder| !folder.is_empty());
    let asks = args.token.is_some() || args.token_file.is_some() || args.own("oauth-issuer").is_some();
    if !asks {
        args.token_file = folder(CREDENTIALS_VARIABLE).map(|folder| Path::new(&folder).join(CREDENTIAL));
    }
    if args.key_file.is_none() {
        let first = |folders: OsString| {
            Some(PathBuf::from(OsStr::from_bytes(folders.as_bytes().split(|byte| *byte == b':').next()?)))
        };
        args.key_file = folder(STATE_VARIABLE).and_then(first).map(|folder| folder.join(KEY_FILE));
    }
}

/// Takes the value of one flag.
fn take(program: &Program, args: &mut Args, flag: &str, parser: &mut lexopt::Parser) -> Result<(), UsageError> {
    let own = program.own.iter().find(|own| own.name == flag);
    if own.is_none() && !FLAGS.iter().any(|(name, _, _)| *name == flag) {
        return Err(unknown(&format!("--{flag}")));
    }
    if let Some(own) = own {
        let value = if own.value.is_empty() { OsString::new() } else { value_of(flag, parser)? };
        args.own.push((own.name, value));
        return Ok(());
    }
    let value = value_of(flag, parser)?;
    let text = || value.to_string_lossy();
    match flag {
        "listen" => args.listen = text().parse().map_err(|_| wrong(flag, LISTEN_EXPECTED, &text()))?,
        "token" => args.token = Some(token_of("--token", value)?),
        "token-file" => args.token_file = Some(value.into()),
        "allow-origin" => args.allow_origins.push(checked(flag, text().into_owned(), is_origin, ORIGIN_EXPECTED)?),
        "allow-host" => args.allow_hosts.push(checked(flag, text().into_owned(), is_host, HOST_EXPECTED)?),
        "public-base" => args.public_base = Some(checked(flag, text().into_owned(), is_base, BASE_EXPECTED)?),
        "key-file" => args.key_file = Some(value.into()),
        "trusted-proxy" => args.trusted_proxies.push(text().into_owned()),
        "connections-per-address" => args.connections_per_address = Some(count(flag, &text())?),
        "streams-per-address" => args.streams_per_address = Some(count(flag, &text())?),
        "requests-per-address" => args.requests_per_address = Some(rate(flag, &text())?),
        "requests-per-principal" => args.requests_per_principal = Some(rate(flag, &text())?),
        "wrong-tokens" => args.wrong_tokens_per_address = Some(rate(flag, &text())?),
        "audit" => args.audit = Some(count(flag, &text())?),
        "connections" => args.connections = Some(count(flag, &text())?),
        "streams" => args.streams = Some(count(flag, &text())?),
        "calls" => args.calls = Some(count(flag, &text())?),
        "body-bytes" => args.body_bytes = Some(bytes(flag, &text())?),
        "log" => args.log = Some(checked(flag, text().into_owned(), is_levels, LOG_EXPECTED)?),
        "max-memory" => args.max_memory = Some(bytes(flag, &text())?),
        _ => args.sessions = Some(count(flag, &text())?),
    }
    Ok(())
}

const LISTEN_EXPECTED: &str = "an address and a port, such as 0.0.0.0:8000 or [::1]:8000 (a name is not looked up)";
const ORIGIN_EXPECTED: &str = "an origin without a path, such as https://app.example.com, or * for all";
const HOST_EXPECTED: &str = "a host name or address, with or without a port, such as board.example.com";
const LOG_EXPECTED: &str = "error, warn, info, debug, trace or off, or such for a part, as in warn,smol_mcp=debug";
const BASE_EXPECTED: &str = "a URL, such as https://example.com/board";

fn checked(flag: &str, value: String, is_right: impl Fn(&str) -> bool, expected: &str) -> Result<String, UsageError> {
    if is_right(&value) { Ok(value) } else { Err(wrong(flag, expected, &value)) }
}

fn count(flag: &str, value: &str) -> Result<u16, UsageError> {
    let number = value.parse().ok().filter(|&number: &u16| number > 0);
    number.ok_or_else(|| wrong(flag, "a number from 1 to 65535", value))
}

/// How often, and in how many seconds: `100/10`.
fn rate(flag: &str, value: &str) -> Result<(u32, u32), UsageError> {
    let number = |text: &str| text.parse().ok().filter(|number: &u32| *number > 0);
    let rate = value.split_once('/').and_then(|(count, seconds)| Some((number(count)?, number(seconds)?)));
    rate.ok_or_else(|| wrong(flag, "how often in how many seconds, such as 100/10", value))
}

/// A number of bytes, also as `512k` or `64M`: of 1024, and of 1024 times that.
fn bytes(flag: &str, value: &str) -> Result<u64, UsageError> {
    let (digits, unit) = match value.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1 << 10),
        None => value.strip_suffix('M').map_or((value, 1), |digits| (digits, 1 << 20)),
    };
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    let bytes = number.and_then(|number| number.checked_mul(unit)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| wrong(flag, "a number of bytes, such as 65536, 512k or 64M", value))
}

/// A token as it can stand in a header (RFC 6750 2.1 asks for less than visible ASCII; what guards the door decides further).
fn token_of(from: &str, value: OsString) -> Result<String, UsageError> {
    let token = value.into_string().ok().filter(|token| is_visible(token));
    token.ok_or_else(|| {
        UsageError(format!(
            "{from}: expected visible ASCII characters without blanks (at least one; what came is not shown)"
        ))
    })
}

fn value_of(flag: &str, parser: &mut lexopt::Parser) -> Result<OsString, UsageError> {
    parser.value().map_err(|_| UsageError(format!("--{flag}: a value is missing")))
}

/// The token that this variable holds. Without it the door would stay open.
fn token_in(name: &OsStr, variable: impl Fn(&str) -> Option<OsString>) -> Result<String, UsageError> {
    let name = name.to_string_lossy();
    let token = variable(&name);
    token.map_or_else(
        // What was given may be a token by mistake: it is not repeated.
        || Err(UsageError("--token-env: expected the name of a variable that is set".to_owned())),
        |token| token_of("--token-env", token),
    )
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `SCHEME://HOST[:PORT]` (RFC 6454 6.2).
fn is_origin(text: &str) -> bool {
    text == "*" || text.split_once("://").is_some_and(|(scheme, host)| is_visible(scheme) && is_host(host))
}

fn is_host(text: &str) -> bool {
    is_visible(text) && !text.contains(['/', '?', '#', '@', ','])
}

fn is_base(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| is_visible(rest) && !rest.starts_with('/') && !rest.contains(['?', '#', '"']))
}

fn wrong(flag: &str, expected: &str, value: &str) -> UsageError {
    UsageError(format!("--{flag}: expected {expected}, got {:?}", one_line(value)))
}

fn unknown(argument: &str) -> UsageError {
    UsageError(format!("unexpected argument {:?} (see --help)", one_line(argument)))
}

/// Not more than fits in a line of a log, and in one line.
fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}
