//! What a `requestState` is good for, and what it is not.

use core::cell::RefCell;
use core::pin::pin;
use core::task::{Context as Polling, Poll, Waker};

use super::input::*;
use super::slips::Slips;
use crate::app::{Ask, Identity, InputError, Ticket};
use crate::app::{Call, Context, Elicit, Elicited, ToolResult, Tools, pass};
use crate::http::{Framing, ResponseHead, Status};
use crate::json::{self, Kind};
use crate::limits::{CLOCK_SET_MIN_UNIX_S, ONCE_BYTES_MAX, REQUEST_STATE_AGE_MAX_S, REQUEST_STATE_BYTES_MAX};
use crate::outlet::{Out, Outlet};
use crate::rpc::{Envelope, KeptRequests, Request};
use crate::session::Revision;
use crate::session::{Key, PrincipalId};

const NOW: u64 = CLOCK_SET_MIN_UNIX_S + 1_000_000;

crate::args! {
    struct Name {
        name: String,
    }

    struct Order {
        a: u8,
    }
}

struct App {
    made: RefCell<u32>,
}

crate::tools! {
    impl App {
        /// Asks twice, and makes a number before.
        #[additive]
        async fn twice(&self, call: &mut Call<'_>, args: Order) -> ToolResult {
            let made = call.once("made", async { *self.made.borrow_mut() += u32::from(args.a); *self.made.borrow() }).await?;
            let first = call.elicit::<Name>("first", "Your first name?").await?;
            let (second, third) =
                call.ask((Elicit::<Name>::new("second", "Your second?"), Elicit::<Name>::new("third", "Your third?"))).await?;
            let name = |name: Elicited<Name>| name.accepted().map_or("-".into(), |name| name.name);
            call.reply(format_args!("{made}: {} {} {}", name(first), name(second), name(third))).await
        }
    }
}

fn key() -> Key {
    Key::new([7; 32])
}

fn identity() -> Identity {
    Identity { name: "t".into(), version: "1".into(), public: true.into(), ..Identity::default() }
}

fn principal(of: u8) -> PrincipalId {
    PrincipalId::of_token_hash(&[of; 32])
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}"#;

fn message(more: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{more}"name":"twice","arguments":{{"a":1}},{META}}}}}"#
    )
}

// The state of a message, opened.
fn opened(message: &str, principal: PrincipalId, unix_s: u64) -> Result<String, &'static str> {
    let mut doc = message.as_bytes().to_vec();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    open(&key(), &mut envelope, &mut doc, principal, unix_s)?;
    assert_eq!(json::validate(&doc), Ok(Kind::Object), "the message is one still");
    let state = envelope.request_state.map(|state| state.span.of(&doc).to_vec()).unwrap_or_default();
    Ok(String::from_utf8(state).unwrap())
}

// One pass of the tool: what is answered.
fn run(app: &App, message: &str) -> serde_json::Value {
    let mut doc = message.as_bytes().to_vec();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    open(&key(), &mut envelope, &mut doc, principal(1), NOW).unwrap();
    let request = Request { doc: &doc, envelope: &envelope, revision: Revision::V2026_07_28 };
    let (key, identity, slips) = (key(), identity(), Slips::new(1));
    let asks = Pass::new(&request, (&key, &slips), &identity, principal(1), NOW, 64 * 1024);
    let mut buf = vec![0; 32 * 1024];
    let outlet = RefCell::new(Outlet::new(&mut buf, ResponseHead::new(Status::OK, Framing::None), false));
    {
        let context = Context { ask: &asks, ..Context::NONE };
        let mut call = Call::new(Out::new(&outlet), &request, &context);
        let mut ran = pin!(async {
            let result = pass(&asks, pin!(Some(app.call_tool(0, &mut call)))).await;
            if let Some(result) = result {
                call.close(result, Some(&identity)).await;
            }
        });
        assert!(ran.as_mut().poll(&mut Polling::from_waker(Waker::noop())).is_ready(), "nothing is waited for");
    }
    outlet.borrow_mut().finish();
    let sent = String::from_utf8(outlet.borrow_mut().pending().to_vec()).unwrap();
    serde_json::from_str(sent.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn state(answer: &serde_json::Value) -> String {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    answer["result"]["requestState"].as_str().unwrap().to_owned()
}

fn asked(answer: &serde_json::Value) -> Vec<String> {
    answer["result"]["inputRequests"].as_object().unwrap().keys().cloned().collect()
}

fn answers(state: &str, answers: &[(&str, &str)]) -> String {
    let answers: Vec<String> = answers
        .iter()
        .map(|(key, name)| format!(r#""{key}":{{"action":"accept","content":{{"name":"{name}"}}}}"#))
        .collect();
    message(&format!(r#""requestState":"{state}","inputResponses":{{{}}},"#, answers.join(",")))
}

#[test]
fn a_call_of_several_rounds_carries_what_it_was_told() {
    let app = App { made: RefCell::new(0) };
    let first = run(&app, &message(""));
    assert_eq!(asked(&first), ["first"]);
    let second = run(&app, &answers(&state(&first), &[("first", r#"A\"na"#)]));
    assert_eq!(asked(&second), ["second", "third"]);
    assert_ne!(state(&first), state(&second));
    // One of two came: the other is asked again.
    let third = run(&app, &answers(&state(&second), &[("third", "C"), ("unknown", "x")]));
    assert_eq!(asked(&third), ["second"]);
    let last = run(&app, &answers(&state(&third), &[("second", "B"), ("first", "changed")]));
    assert_eq!(last["result"]["content"][0]["text"], "1: A\"na B C");
    assert_eq!(*app.made.borrow(), 1, "what has an effect happened once");
    assert!(!opened(&answers(&state(&third), &[]), principal(1), NOW).unwrap().contains("unknown"));
}

#[test]
fn what_is_no_answer_is_asked_again() {
    let app = App { made: RefCell::new(0) };
    for answer in ["12345", "{}", r#"{"action":"maybe"}"#, r#"{"action":"accept","content":7}"#, "[]", "null"] {
        let again = run(&app, &message(&format!(r#""inputResponses":{{"first":{answer}}},"#)));
        assert_eq!(asked(&again), ["first"], "{answer}");
    }
    let again = run(&app, &message(r#""inputResponses":null,"requestState":null,"#));
    assert_eq!(asked(&again), ["first"]);
    // An answer that is one, but does not fit the form, ends the call.
    let misfit = run(&app, &message(r#""inputResponses":{"first":{"action":"accept","content":{"name":7}}},"#));
    assert_eq!(misfit["result"]["isError"], true, "{misfit}");
}

#[test]
fn what_was_changed_is_refused() {
    let app = App { made: RefCell::new(0) };
    let good = state(&run(&app, &answers(&state(&run(&app, &message(""))), &[("first", "Ana")])));
    let text = answers(&good, &[]);
    let payload = opened(&text, principal(1), NOW).unwrap();
    assert_eq!(payload, r#"{"kept":{"made":1},"answers":{"first":{"action":"accept","content":{"name":"Ana"}}}}"#);
    // Every bit of every character that still is one; and other lengths.
    for at in 0..good.len() {
        for bit in 0..7 {
            let mut bad = good.clone().into_bytes();
            bad[at] ^= 1 << bit;
            let Ok(bad) = String::from_utf8(bad) else { continue };
            if bad.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                assert_eq!(opened(&answers(&bad, &[]), principal(1), NOW), Err(BAD_STATE), "{at} {bit}");
            }
        }
        assert_eq!(opened(&answers(&good[..at], &[]), principal(1), NOW), Err(BAD_STATE), "cut at {at}");
    }
    for bad in [format!("{good}A"), format!("{good}="), format!("A{good}"), format!("{good}-TAMPERED")] {
        assert_eq!(opened(&answers(&bad, &[]), principal(1), NOW), Err(BAD_STATE));
    }
    for bad in ["7", "{}", "true", "[]"] {
        assert_eq!(opened(&message(&format!(r#""requestState":{bad},"#)), principal(1), NOW), Err(BAD_STATE));
    }
    assert!(opened(&message(r#""inputResponses":[],"#), principal(1), NOW).is_err());
}

#[test]
fn it_is_good_for_its_own_request_only() {
    let app = App { made: RefCell::new(0) };
    let text = answers(&state(&run(&app, &message(""))), &[]);
    let opens = |text: &str, of: u8, unix_s| opened(text, principal(of), unix_s).is_ok();
    assert!(opens(&text, 1, NOW));
    assert!(!opens(&text, 2, NOW), "another caller");
    for (this, other) in [
        ("tools/call", "prompts/get"),
        (r#""name":"twice""#, r#""name":"other""#),
        (r#""name":"twice""#, r#""uri":"twice""#),
        (r#"{"a":1}"#, r#"{"a":2}"#),
        (r#""arguments":{"a":1},"#, ""),
    ] {
        assert!(text.contains(this) && !opens(&text.replace(this, other), 1, NOW), "{other}");
    }
    // Another id, as the specification wants, and another place in the message.
    assert!(opens(&text.replace(r#""id":1"#, r#""id":"two""#), 1, NOW));
    assert!(opens(&text, 1, NOW + REQUEST_STATE_AGE_MAX_S));
    assert!(!opens(&text, 1, NOW + REQUEST_STATE_AGE_MAX_S + 1), "too old");
    assert!(opens(&text, 1, 0), "the clock went back");
    let mut doc = text.into_bytes();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    assert!(open(&Key::new([8; 32]), &mut envelope, &mut doc, principal(1), NOW).is_err(), "another server");
}

#[test]
fn what_is_too_large_to_keep_is_refused() {
    let app = App { made: RefCell::new(0) };
    let first = state(&run(&app, &message("")));
    let long = "x".repeat(1000);
    let fits = run(&app, &answers(&first, &[("first", &long)]));
    assert_eq!(asked(&fits), ["second", "third"]);
    let long = "x".repeat(REQUEST_STATE_BYTES_MAX);
    let second = r#"{"action":"accept","content":{"name":"B"}}"#;
    let answer = format!(r#"{{"action":"decline","content":{{"name":"{long}"}}}}"#);
    let text = format!(r#""requestState":"{first}","inputResponses":{{"first":{answer},"third":{second}}},"#);
    let refused = run(&app, &message(&text));
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    assert_eq!(refused["result"]["content"][0]["text"], InputError::TooLarge.text());
}

#[test]
fn a_value_is_kept_whole_or_not_at_all() {
    let mut doc = message("").into_bytes();
    let mut envelope = Envelope::default();
    envelope.scan(&mut doc, &mut KeptRequests::new()).unwrap();
    let request = Request { doc: &doc, envelope: &envelope, revision: Revision::V2026_07_28 };
    let (key, identity, slips) = (key(), identity(), Slips::new(1));
    let asks = Pass::new(&request, (&key, &slips), &identity, principal(1), NOW, 64 * 1024);
    let put = |name: &str, bytes: usize| {
        asks.keep(name, &|w| {
            w.string(&"k".repeat(bytes));
        })
    };
    assert_eq!(put("a", 10), Ok(()));
    assert_eq!(put("b", ONCE_BYTES_MAX), Err(InputError::TooLarge));
    assert_eq!(put("c", 20), Ok(()));
    let mut payload = Vec::new();
    asks.payload(&mut |piece| payload.extend_from_slice(piece));
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["kept"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "c"]);
    assert!(matches!(asks.poll_answer(&mut Polling::from_waker(Waker::noop()), Ticket(0, 0)), Poll::Ready(Err(_))));
}
