//! What waits for a buffer, by what can be seen of it.

use super::conns::Sort;
use super::peek::sort_of;

fn post(head: &str, body: &str) -> String {
    format!("POST /mcp HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}")
}

fn sort(request: &str) -> Sort {
    sort_of(request.as_bytes(), request.len())
}

fn with_length(body: &str) -> String {
    post(&format!("content-LENGTH:  {} ", body.len()), body)
}

#[test]
fn what_frees_others() {
    for body in [
        r#"{"jsonrpc":"2.0","id":"smol-1-2","result":{}}"#,
        r#"{"method": "notifications/cancelled"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"[{"id":1,"method":"ping"},{"id":2,"result":{}}]"#,
        r#"{"method":"server/discover"}"#,
        r#"{"method" :  "tasks/update"}"#,
    ] {
        assert_eq!(sort(&with_length(body)), Sort::Frees, "{body}");
    }
    assert_eq!(sort("DELETE /mcp HTTP/1.1\r\nHost: x\r\n\r\n"), Sort::Frees);
}

#[test]
fn what_does_not() {
    for (body, expected) in [
        (r#"{"method":"tools/call","params":{"name":"ping"}}"#, Sort::Call),
        (r#"{"method":"resources/read"}"#, Sort::Call),
        (r#"[{"method":"ping"},{"method":"tools/call"}]"#, Sort::Call),
        (r#"{"method":"tools/list"}"#, Sort::Light),
        (r#"{"method":"initialize"}"#, Sort::Light),
        (r#"[{"method":"tools/list"},{"method":"ping"}]"#, Sort::Light),
    ] {
        assert_eq!(sort(&with_length(body)), expected, "{body}");
    }
    assert_eq!(sort("GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"), Sort::Light);
}

#[test]
fn a_part_waits_wherever_it_ends() {
    let whole = with_length(r#"{"method":"ping"}"#);
    for end in 1..whole.len() {
        assert_eq!(sort(&whole[..end]), Sort::Begun, "{:?}", &whole[..end]);
    }
    // What looks like its end is none.
    assert_eq!(sort(&post("Content-Length: 60000", r#"{"result":{}}"#)), Sort::Begun);
    let chunked = post("Transfer-Encoding: chunked", "10\r\n{\"id\":1,\"result\"\r\n");
    assert_eq!(sort(&chunked), Sort::Begun);
    assert_eq!(sort(&format!("{chunked}4\r\n:{{}}}}\r\n0\r\n\r\n")), Sort::Frees);
}

#[test]
fn what_can_not_be_seen_whole() {
    // An answer that is there, beyond what is looked at.
    let long = post("Content-Length: 8000", r#"{"id":"smol-1-1","result":{"#);
    assert_eq!(sort_of(long.as_bytes(), long.len() + 8000), Sort::Frees);
    // One of which more is there, but not all.
    assert_eq!(sort_of(long.as_bytes(), long.len() + 5000), Sort::Call);
    // Its client waits for leave to send it.
    assert_eq!(sort(&post("Content-Length: 8000\r\nExpect: 100-continue", "")), Sort::Call);
    // What is no request is refused by whoever reads it.
    assert_eq!(sort(&post("Content-Length: x", "")), Sort::Frees);
    assert_eq!(sort_of(b"", 0), Sort::Begun);
}
