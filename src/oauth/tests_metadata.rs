//! What is published.

use std::rc::Rc;

use super::tests_mint::*;
use super::{Place, Protected};

fn protected(path: &str, base: Option<(&str, &str)>) -> Protected {
    let settings = settings().first_scopes(["read"]);
    let verifier = Rc::new(verifier(&settings));
    Protected::new(&settings, Place { origin: "https://board.example", path, base }, "a \"board\"", verifier)
}

#[test]
fn the_document() {
    assert_eq!(
        &*protected("/mcp", None).document(),
        concat!(
            r#"{"resource":"https://board.example/mcp","#,
            r#""authorization_servers":["https://login.example","https://other.example/"],"#,
            r#""scopes_supported":["read","lights","admin"],"bearer_methods_supported":["header"],"#,
            r#""resource_name":"a \"board\""}"#
        )
    );
}

#[test]
fn where_it_is() {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
    let table = [
        ("/mcp", None, "https://board.example/.well-known/oauth-protected-resource/mcp"),
        ("", None, "https://board.example/.well-known/oauth-protected-resource"),
        ("/a/mcp", None, "https://board.example/.well-known/oauth-protected-resource/a/mcp"),
        ("/mcp", Some(("https://x.example", "")), "https://board.example/.well-known/oauth-protected-resource/mcp"),
        ("/a/mcp", Some(("https://x.example", "/a")), "https://x.example/a/.well-known/oauth-protected-resource/mcp"),
    ];
    for (path, base, url) in table {
        let protected = protected(path, base);
        assert_eq!(protected.url(), url);
        for (below, is_there) in [
            ("", true),
            ("/", true),
            ("/mcp", true),
            ("/mcp/", true),
            (path, true),
            ("/a/mcp", path == "/a/mcp"),
            ("/sse", false),
            ("/mcp/x", false),
            ("//", false),
            ("x", false),
        ] {
            assert_eq!(protected.is_at(&format!("{WELL_KNOWN}{below}")), is_there, "{path}: {below}");
        }
        for other in ["/", "/mcp", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            assert!(!protected.is_at(other), "{other}");
        }
    }
}
