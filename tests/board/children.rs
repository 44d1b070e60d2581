//! The commands of the board example that are hard to have: that write without end, that become another user, and whose paths change while the user
//! is asked.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::client::{Client, Session};
use crate::support::machine::{Folder, Machine};
use crate::support::{until, wire};
use rustix::process::{Pid, Signal, getuid, kill_process};
use serde_json::{Value, json};

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

fn run(board: &mut Machine, name: &str) -> (bool, String) {
    board.call("run_command", &json!({ "name": name }))
}

/// The CPU that a process has taken, in hundredths of a second.
fn cpu(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn what_writes_without_end_takes_little_of_the_server() {
    let config = "[command.endless]\nabout = \"Writes.\"\nargv = [\"/usr/bin/yes\"]\ntimeout-seconds = 3\noutput-bytes-max = 10\n";
    let mut board = Machine::start(Folder::new(&[]), config);
    let before = cpu(board.example.child.id());
    let (is_error, text) = run(&mut board, "endless");
    assert!(!is_error && text.starts_with("failed: killed") && text.contains("\nstdout:\ny\ny\ny\ny\ny\n("), "{text}");
    let taken = cpu(board.example.child.id()) - before;
    // It takes nearly all of the three seconds to read all that is written.
    assert!(taken < 75 || crate::support::example::emulated(), "{taken} hundredths of a second");
}

/// The programs that wrote their numbers there.
fn sleepers(pids: &Path) -> Vec<Pid> {
    let all = fs::read_to_string(pids).unwrap_or_default();
    all.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

/// Ends those, also where the test fails.
struct Sleepers(PathBuf);

impl Drop for Sleepers {
    fn drop(&mut self) {
        for pid in sleepers(&self.0) {
            // Mostly it has ended.
            let is_ours = fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"/bin/sleep\x00600\x00");
            if is_ours {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

#[test]
fn what_becomes_another_user_is_told_and_has_no_place() {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !getuid().is_root() || !setpriv.exists() {
        println!("left out: only root can make a program that becomes root");
        return;
    }
    let dir = Folder::new(&[]);
    let (own, pids) = (dir.path("bin/setpriv"), dir.path("pids"));
    fs::copy(setpriv, &own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o4755)).unwrap();
    fs::write(&pids, "").unwrap();
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o755)).unwrap();
    let sleep = dir.program("sleep", &format!("echo $$ >> {}; exec /bin/sleep 600", pids.display()));
    let command = |name: &str, program: &str| {
        format!("[command.{name}]\nabout = \"Sleeps.\"\nargv = [{program}]\ntimeout-seconds = 0.3\n")
    };
    let root =
        format!("\"{}\", \"--reuid=0\", \"--regid=0\", \"--clear-groups\", \"{}\"", own.display(), sleep.display());
    // One becomes root itself, and one starts what does.
    let starts = dir.program("starts", &format!("{} & wait", root.replace(['"', ','], "")));
    let config = command("becomes", &root) + &command("starts", &format!("\"{}\"", starts.display()));
    let mut board = Machine::start_by(dir, &config, |command| {
        command.uid(NOBODY).gid(NOBODY);
    });
    let _cleaning = Sleepers(pids.clone());
    // More of them than there are places, one after the other; each is one at a time.
    for (round, name) in ["becomes", "becomes", "becomes", "becomes", "becomes", "starts"].into_iter().enumerate() {
        let (_, text) = run(&mut board, name);
        assert!(text.starts_with("failed: it took longer than 300ms, COULD NOT BE ENDED"), "{round} {name}: {text}");
    }
    let ended: Vec<_> = sleepers(&pids).into_iter().map(|pid| kill_process(pid, Signal::KILL)).collect();
    assert_eq!(ended, [Ok(()); 6], "they went on");
    // Those that the server started are waited for when they end.
    let id = board.example.child.id();
    let children = || fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("CONFIG_PROC_CHILDREN");
    until("no child is left", || children().trim().is_empty().then_some(()));
}

/// A client of 2025-06-18 whose user can be asked.
fn asking(board: &Machine) -> (Client, Session) {
    let mut client = board.example.connect();
    let params = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": { "elicitation": {} },
        "clientInfo": { "name": "asks", "version": "1" },
    });
    let answer = client.ask(&wire::post_to("/mcp", &[], &wire::request("init", "initialize", &params)));
    let session = Session::new(answer.header("mcp-session-id").expect("a session id"), "2025-06-18");
    assert_eq!(client.ask(&session.post(&wire::notification("notifications/initialized", &json!({})))).status, 202);
    (client, session)
}

/// Runs a command, does something while the user is asked, who then says yes; the question and the answer.
fn asked(board: &Machine, arguments: &Value, meanwhile: impl FnOnce()) -> (String, Value) {
    let (mut client, session) = asking(board);
    let call = wire::call(1, "run_command", &json!({ "name": "tell", "arguments": arguments }));
    assert_eq!(client.open(&session.post(&call)).status, 200);
    let question = client.message();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    meanwhile();
    let yes = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": { "confirm": true } } });
    assert_eq!(board.example.connect().ask(&session.post(&yes.to_string())).status, 202);
    (question["params"]["message"].as_str().unwrap().to_owned(), client.message())
}

#[test]
fn a_link_that_comes_while_the_user_is_asked_is_not_followed() {
    let dir = Folder::new(&[("files/a.txt", "inside"), ("outside/b.txt", "outside")]);
    let (files, outside) = (dir.path("root/files"), dir.path("root/outside/b.txt"));
    let config = format!(
        "[command.tell]\nabout = \"Tells.\"\nargv = [\"/bin/cat\", \"{{file}}\"]\nconfirm = true\n\
         argument.file = {{ type = \"path\", folder = \"{}\" }}\n",
        files.display()
    );
    let board = Machine::start(dir, &config);
    let arguments = json!({ "file": "a.txt" });
    let begun = Instant::now();
    let (question, answer) = asked(&board, &arguments, || {});
    assert!(question.starts_with("Run tell?\n/bin/cat ") && question.ends_with("/files/a.txt"), "{question}");
    assert_eq!(answer["result"]["content"][0]["text"], "exit status 0\nstdout:\ninside\n");
    let (_, answer) = asked(&board, &arguments, || {
        fs::remove_file(files.join("a.txt")).unwrap();
        symlink(&outside, files.join("a.txt")).unwrap();
    });
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(answer["result"]["isError"] == true && text.starts_with("file: expected a path below"), "{answer}");
    // Nor one that leads to another file of the folder, of which nobody was asked.
    fs::remove_file(files.join("a.txt")).unwrap();
    fs::write(files.join("a.txt"), "inside").unwrap();
    fs::write(files.join("c.txt"), "another").unwrap();
    let (_, answer) = asked(&board, &arguments, || {
        fs::remove_file(files.join("a.txt")).unwrap();
        symlink("c.txt", files.join("a.txt")).unwrap();
    });
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(answer["result"]["isError"] == true && text.contains("is not what was asked about any more"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}
