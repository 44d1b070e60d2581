//! Contents that come from files, and from what sends bytes in pieces.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use std::io::{self, Read};

use serde_json::Value;
use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, ReadResult, Reading, Server, ToolResult, args, resources, tools};

/// Characters of every length, and bytes that are none: a lone continuation, a begun character, an overlong form, a surrogate, and an end too soon.
const BYTES: &[u8] =
    b"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|\x80|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf0\x9f\"\xff\n\xe2\x82";

/// A source that gives so many bytes at once, is interrupted before each, and may fail at its end.
struct Source {
    bytes: Vec<u8>,
    piece: usize,
    interrupted: bool,
    fails: bool,
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() && self.fails {
            return Err(io::Error::other("the disk is gone"));
        }
        let length = self.piece.min(buf.len()).min(self.bytes.len());
        buf[..length].copy_from_slice(&self.bytes.drain(..length).collect::<Vec<_>>());
        Ok(length)
    }
}

fn source(args: Piece) -> Source {
    Source {
        bytes: BYTES.repeat(args.times as usize),
        piece: args.bytes as usize,
        interrupted: false,
        fails: args.fails,
    }
}

args! {
    #[derive(Copy)]
    struct Piece {
        bytes: u32,
        times: u32,
        fails: bool,
    }
}

struct App;

tools! {
    impl App {
        /// A text from a source.
        #[read_only]
        async fn text(&self, call: &mut Call<'_>, args: Piece) -> ToolResult {
            call.write("before: ").await;
            call.text_from(source(args)).await
        }

        /// A text that is cut anywhere, between others.
        #[read_only]
        async fn mixed(&self, call: &mut Call<'_>, args: Piece) -> ToolResult {
            for piece in BYTES.chunks(args.bytes as usize) {
                call.write_utf8(piece).await;
                call.write(".").await;
            }
            call.done().await
        }

        /// A picture from a source.
        #[read_only]
        async fn image(&self, call: &mut Call<'_>, args: Piece) -> ToolResult {
            call.begin_image("image/png").await.write_from(source(args)).await?;
            call.done().await
        }
    }
}

resources! {
    impl App {
        /// The same as a resource.
        #[uri("source://text/{bytes}/{times}/{fails}")]
        async fn a_text(&self, call: &mut Reading<'_>, args: Piece) -> ReadResult {
            call.text_from(source(args)).await
        }

        /// And as bytes.
        #[uri("source://blob/{bytes}/{times}/{fails}")]
        async fn a_blob(&self, call: &mut Reading<'_>, args: Piece) -> ReadResult {
            call.blob_from(source(args)).await
        }
    }
}

fn server() -> TestServer {
    TestServer::new(Server::new("sources", "1", App).resources(), Config::new().calls(1)).unwrap()
}

fn call(server: &mut TestServer, tool: &str, bytes: usize, times: usize, fails: bool) -> Value {
    let arguments = format!(r#"{{"bytes":{bytes},"times":{times},"fails":{fails}}}"#);
    serde_json::from_str::<Value>(&server.call_tool(tool, &arguments)).unwrap()["result"].take()
}

fn read(server: &mut TestServer, kind: &str, bytes: usize, times: usize, fails: bool) -> Value {
    serde_json::from_str(&server.read_resource(&format!("source://{kind}/{bytes}/{times}/{fails}"))).unwrap()
}

#[test]
fn pieces_of_every_size_make_the_same_text() {
    let mut server = server();
    for bytes in (1..BYTES.len() + 2).chain([5000]) {
        for times in [1, 100] {
            let expected = String::from_utf8_lossy(&BYTES.repeat(times)).into_owned();
            let result = call(&mut server, "text", bytes, times, false);
            assert_eq!(result["content"][0]["text"], format!("before: {expected}"), "pieces of {bytes}");
            let contents = read(&mut server, "text", bytes, times, false);
            assert_eq!(contents["result"]["contents"][0]["text"], expected, "pieces of {bytes}");
        }
    }
}

#[test]
fn what_comes_in_between_ends_a_character() {
    let mut server = server();
    for bytes in 1..BYTES.len() {
        let pieces = BYTES.chunks(bytes).map(|piece| String::from_utf8_lossy(piece).into_owned() + ".");
        let result = call(&mut server, "mixed", bytes, 1, false);
        assert_eq!(result["content"][0]["text"], pieces.collect::<String>(), "pieces of {bytes}");
    }
}

#[test]
fn pieces_of_every_size_make_the_same_bytes() {
    let mut server = server();
    // Once for each remainder of three.
    for times in [1, 2, 3, 200] {
        let expected = read(&mut server, "blob", 5000, times, false)["result"]["contents"][0]["blob"].take();
        assert_eq!(expected.as_str().unwrap().len(), (BYTES.len() * times).div_ceil(3) * 4);
        for bytes in 1..8 {
            assert_eq!(read(&mut server, "blob", bytes, times, false)["result"]["contents"][0]["blob"], expected);
            assert_eq!(call(&mut server, "image", bytes, times, false)["content"][0]["data"], expected);
        }
    }
}

#[test]
fn a_source_that_fails_is_told_as_long_as_nothing_was_sent() {
    let mut server = server();
    let result = call(&mut server, "text", 10, 3, true);
    assert_eq!(result["isError"], true);
    assert_eq!(result["content"][0]["text"], "the disk is gone");
    assert_eq!(read(&mut server, "text", 10, 3, true)["error"]["message"], "the disk is gone");
    assert_eq!(read(&mut server, "blob", 10, 0, true)["error"]["message"], "the disk is gone");
    assert_eq!(call(&mut server, "image", 10, 3, true)["content"][0]["text"], "the disk is gone");
}
