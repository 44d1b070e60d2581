//! Long answers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smol_mcp::Config;

use crate::alone;
use crate::app::Running;
use crate::counting::counts;
use crate::forms::{self, FORMS, Form};
use crate::support::example::emulated;

/// Bytes of the longest answer.
const HUNDRED_MB: usize = 100_000_000;
/// Bytes of a tool's.
const TEN_MB: usize = 10_000_000;
/// By how much these two are divided where the processor is emulated.
const LESS_WHERE_EMULATED: usize = 5;
/// Bytes of the others.
const TWO_MB: usize = 2_000_000;
/// Bytes by which the server's heap may grow while it answers at any length: what async-io keeps for a connection that came in the meantime, and
/// what the executor keeps for those that wait.
const GROWTH_BYTES_MAX: i64 = 16 * 1024;
/// How long another client may wait for its answer in the meantime, in a debug build on a busy machine.
const OTHERS_WAIT_MAX: Duration = Duration::from_millis(1500);

/// A call in one form while another client is served: what came, and how much the server's heap grew by it.
struct Watched {
    answers: Vec<Value>,
    long: Vec<usize>,
}

fn watched(server: &Running, form: Form, method: &str, params: &Value) -> Watched {
    let mut other = server.connect();
    forms::must_serve(&mut other);
    let before = counts();
    let (mut grown, mut slowest, mut served, mut due) = (0, Duration::ZERO, 0, 1_000_000);
    let begun = Instant::now();
    let (answers, long) = form.ask(server, method, params, &mut |read| {
        grown = grown.max(counts().live - before.live);
        if read >= due {
            due = read + 1_000_000;
            let asked = Instant::now();
            forms::must_serve(&mut other);
            slowest = slowest.max(asked.elapsed());
            served += 1;
        }
    });
    println!(
        "# {form:?} {method}: {long:?} bytes in {:?}; the heap grew by {grown}; {served} others, {slowest:?}",
        begun.elapsed()
    );
    assert!(grown <= GROWTH_BYTES_MAX, "{form:?}: the server's heap grew by {grown} bytes");
    let bytes: usize = long.iter().sum();
    assert!(served >= bytes / 2_000_000, "{form:?}: {served} others were served");
    assert!(slowest <= OTHERS_WAIT_MAX, "{form:?}: another waited {slowest:?}");
    Watched { answers, long }
}

fn as_long(bytes: usize) -> usize {
    if emulated() { bytes / LESS_WHERE_EMULATED } else { bytes }
}

fn twice(form: Form, bytes: usize) -> Vec<usize> {
    if form == Form::Batch { vec![bytes, bytes] } else { vec![bytes] }
}

#[test]
fn a_text_of_ten_megabytes_goes_out_in_every_form() {
    let _alone = alone();
    let server = Running::start(Config::new(), 0);
    let bytes = as_long(TEN_MB);
    for form in FORMS {
        let params = json!({"name": "long", "arguments": {"bytes": bytes}});
        let came = watched(&server, form, "tools/call", &params);
        assert_eq!(came.long, twice(form, bytes), "{form:?}");
        for answer in &came.answers {
            assert_eq!(answer["result"]["isError"], false, "{form:?}: {answer}");
            assert_eq!(answer["result"]["content"], json!([{"type": "text", "text": ""}]), "{form:?}");
        }
    }
}

#[test]
fn a_file_goes_out_in_every_form() {
    let _alone = alone();
    let server = Running::start(Config::new(), TWO_MB);
    for kind in ["text", "blob"] {
        // A resource tells no progress: it is an event stream only where all answers are events.
        for form in FORMS.into_iter().filter(|form| !form.is_events() || *form == Form::HttpSse) {
            let uri = format!("long://{kind}/{TWO_MB}");
            let came = watched(&server, form, "resources/read", &json!({"uri": uri}));
            assert_eq!(came.long, twice(form, TWO_MB), "{form:?}");
            for answer in &came.answers {
                assert_eq!(answer["result"]["contents"], json!([{"uri": uri, kind: ""}]), "{form:?}");
            }
        }
    }
}

#[test]
fn a_file_of_a_hundred_megabytes_goes_out() {
    let _alone = alone();
    let bytes = as_long(HUNDRED_MB);
    let server = Running::start(Config::new(), bytes);
    for (form, kind) in [(Form::Json("2025-11-25"), "text"), (Form::HttpSse, "blob")] {
        let uri = format!("long://{kind}/{bytes}");
        let came = watched(&server, form, "resources/read", &json!({"uri": uri}));
        assert_eq!(came.long, [bytes], "{form:?}");
    }
}

#[test]
fn a_tool_can_send_a_file() {
    let _alone = alone();
    let server = Running::start(Config::new(), 1_000_000);
    let params = json!({"name": "file", "arguments": {"bytes": 1_000_000}});
    assert_eq!(watched(&server, Form::Modern, "tools/call", &params).long, [1_000_000]);
}
