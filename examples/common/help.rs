//! What the flags of the examples do, for who asks.

use std::fmt::Write;

use super::args::Program;

/// The widest flag in the help, in columns.
const HELP_COLUMN: usize = 32;

/// The common flags: name, what the help calls the value, and what it does.
pub(super) const FLAGS: [(&str, &str, &str); 22] = [
    ("listen", "ADDR:PORT", "where to listen (default 127.0.0.1:8000: this machine alone)"),
    (
        "token",
        "TOKEN",
        "ask clients for this bearer token; other users see it in `ps`,\nso rather set SMOL_MCP_TOKEN (the flag wins)",
    ),
    ("token-env", "NAME", "the same, from this variable"),
    (
        "token-file",
        "PATH",
        "further tokens, a line each: NAME TOKEN scopes=a,b (README, \"Who may\ncome in\"); SIGHUP reads it again",
    ),
    ("allow-origin", "ORIGIN", "let web pages of this origin call the server; may be repeated"),
    ("allow-host", "HOST", "answer to this host name too; may be repeated"),
    ("public-base", "URL", "the URL under which a proxy publishes the server"),
    ("key-file", "PATH", "keep the sessions over a restart; the file is made if it is not there"),
    (
        "trusted-proxy",
        "ADDR",
        "a proxy's address or network: not held to one address' share, and\nbelieved in X-Forwarded-For (or Forwarded); may be repeated",
    ),
    ("requests-per-address", "N/S", "requests of one address in S seconds (100/10; default: any number)"),
    ("requests-per-principal", "N/S", "requests of the holder of one token in S seconds"),
    (
        "wrong-tokens",
        "N/S",
        "wrong tokens of one address in S seconds, before none of its\ntokens is looked at (default 10/60)",
    ),
    ("audit", "N", "keep the last calls and refusals, N of them, to be read as smol-mcp://audit"),
    ("connections", "N", "connections at once"),
    ("connections-per-address", "N", "of these, connections of one address (default: half)"),
    ("streams", "N", "event streams at once"),
    ("streams-per-address", "N", "of these, streams of one address (default: half)"),
    ("sessions", "N", "sessions remembered"),
    ("calls", "N", "calls that run at once"),
    ("body-bytes", "BYTES", "bytes of a request body (512k, 4M)"),
    ("log", "LEVEL", "what is logged to stderr: error, warn (default), info, debug, trace, off"),
    ("max-memory", "BYTES", "refuse to start where the budget is above this (64M)"),
];

/// All flags of a program, a line or two each.
pub(super) fn help(program: &Program) -> String {
    let Program { name, version, about, own } = program;
    let mut help = format!("{name} {version}\n{about}\n\nUsage: {name} [FLAGS]\n\n");
    let own = own.iter().map(|own| (own.name, own.value, own.help));
    let mut line = |flag: &str, text: &str| {
        let text = text.replace('\n', &format!("\n{:HELP_COLUMN$}", ""));
        // Writing to a String cannot fail.
        let _ = writeln!(help, "{:HELP_COLUMN$}{text}", format!("  {flag}"));
    };
    for (flag, value, text) in own.chain(FLAGS) {
        line(format!("--{flag} {value}").trim_end(), text);
    }
    line("--print-budget", "print what memory the server can take, and end");
    line("-h, --help", "print this help");
    line("-V, --version", "print the version");
    help.push_str(
        "\nEnvironment: SMOL_MCP_TOKEN (see --token), SMOL_MCP_LOG or RUST_LOG (see --log), and what systemd sets for\nits services \
         (README, \"As a service\").\n",
    );
    help
}
