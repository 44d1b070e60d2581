//! What a server says of itself must be such that it can be told.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use smol_mcp::testing::TestServer;
use smol_mcp::{Config, Server, tools};

struct Nothing;

tools! { impl Nothing {} }

fn refused(extensions: &[(&'static str, &'static str)]) -> Option<String> {
    let server = Server::new("test", "1", Nothing);
    let server = extensions.iter().fold(server, |server, (name, settings)| server.extension(*name, *settings));
    TestServer::new(server, Config::default()).err().map(|error| error.to_string())
}

#[test]
fn extensions_have_a_prefix_and_an_object() {
    for name in ["com.example/x", "a/B", "io.modelcontextprotocol/skills", "a1.b-2/c_d.e-f", "x/1"] {
        assert_eq!(refused(&[(name, "{}")]), None, "{name}");
    }
    for name in ["", "x", "/x", "x/", "1a/x", "a./x", ".a/x", "a-/x", "a/_x", "a/x/y", "a b/c", "é/x", "a/\""] {
        assert!(refused(&[(name, "{}")]).unwrap().starts_with("extension: expected a name such as"), "{name}");
    }
    for settings in ["", "[]", "null", "{", "{}{}", "{\"a\"}", "1"] {
        assert!(refused(&[("a/b", settings)]).unwrap().contains("must be a JSON object"), "{settings}");
    }
    assert_eq!(refused(&[("a/b", "{}"), ("a/c", " {\"d\": 1} ")]), None);
    assert!(refused(&[("io.modelcontextprotocol/tasks", "{}")]).unwrap().contains("#[task]"));
    assert!(refused(&[("a/b", "{}"), ("a/b", "{}")]).unwrap().ends_with("a/b is declared twice"));
}
